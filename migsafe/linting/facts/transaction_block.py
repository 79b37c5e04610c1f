"""Which transaction stands around an operation, and who opened it.

PostgreSQL has three ways into a transaction block: BEGIN, by the runner or by the script, and several statements in one query. To people the
difference matters: what one of them has opened, another must not close, and what cannot run in it leaves each by another way.
"""

from msgspec import Struct

from migsafe.linting.rule import Context, PastOperation
from migsafe.sources import RUNNERS, Transaction
from migsafe.sql.operations import Begin, Commit, Operation, Rollback
from migsafe.text import Span

_NAMELESS = ("plain", "versioned", "custom")
_RUNNERS = {runner.name: runner.title.split()[0] for runner in RUNNERS if runner.name not in _NAMELESS}


class TransactionBlock(Struct, frozen=True):
    """The transaction block around an operation: `begin` is what opened it in the script, None where the runner or the query did; `why`
    says it, as the end of a sentence."""

    reason: str
    begin: PastOperation | None = None


def transaction_block_around(at: Context) -> TransactionBlock | None:
    """The transaction block in which the operation at hand stands; None where it stands in none."""
    if not at.session.in_transaction_block:
        return None
    if is_runner_transaction(at):
        return TransactionBlock(f"{runner_title(at)} runs the migration in a transaction")
    begin = find_opening(at)
    if begin is not None:
        return TransactionBlock(f"{_said(begin)} in line {line_of(at, begin.operation.span)} opened one", begin)
    return TransactionBlock(f"{runner_title(at)} sends several statements as one query, and PostgreSQL runs such a query as one transaction")


def is_runner_transaction(at: Context) -> bool:
    """Whether the transaction of the operation at hand is the one that the runner opened, and will end."""
    if at.migration.up.transaction is not Transaction.FILE:
        return False
    sent = [done for done in at.past if done.transaction is not None]
    first = next((done for done in sent if done.transaction == at.session.transaction), None)
    if first is None:
        return not sent
    return first is sent[0] or is_sent_by_runner(at, first.operation)


def is_sent_by_runner(at: Context, op: Operation) -> bool:
    """Whether the runner itself sends an operation, in the midst of a migration that is a program."""
    call = at.migration.up.call(op.span.start)
    return call is not None and call.by_runner


def find_opening(at: Context) -> PastOperation | None:
    """The BEGIN, or the AND CHAIN of the transaction before, with which the script opened the transaction of the operation at hand."""
    number = at.session.transaction
    for done in at.past:
        match done.operation:
            case Begin() if done.transaction == number:
                return done
            case Commit(chain=True) | Rollback(chain=True) if number is not None and done.transaction == number - 1:
                return done
    return None


def is_in_called_function(at: Context, op: Operation) -> bool:
    """Whether an operation stands not in the migration itself, but in the body of a function that its statement calls."""
    return not any(op is one for one in at.statement.operations)


def line_of(at: Context, span: Span) -> int:
    """In which line of the file something stands."""
    half = at.migration.up
    return half.file.position(half.file_span(span).start).line


def runner_title(at: Context) -> str:
    """What messages call the runner."""
    return _RUNNERS.get(at.migration.runner, "the runner")


def _said(done: PastOperation) -> str:
    match done.operation:
        case Commit():
            return "COMMIT AND CHAIN"
        case Rollback():
            return "ROLLBACK AND CHAIN"
    return "BEGIN"
