"""The transaction block around an operation, and what opened it.

A transaction block is opened by the BEGIN of the runner, by a BEGIN in the script, or by several statements in one query. The difference
matters for advice: a script must not close the block of its runner, and each kind has its own way to run a statement outside it.
"""

from msgspec import Struct

from migsafe.linting.rule import Context, PastOperation
from migsafe.sources import RUNNERS, Transaction
from migsafe.sql.operations import Begin, Commit, Operation, Rollback
from migsafe.text import Span

_NAMELESS = ("plain", "versioned", "custom")
_RUNNERS = {runner.name: runner.title.split()[0] for runner in RUNNERS if runner.name not in _NAMELESS}


class TransactionBlock(Struct, frozen=True):
    """The transaction block around an operation: `reason` says what opened it, as the end of a sentence; `begin` is the statement in the script
    that opened it, None if the runner or the query did."""

    reason: str
    begin: PastOperation | None = None


def transaction_block_around(at: Context) -> TransactionBlock | None:
    """Returns the transaction block of the current operation; None outside a block."""
    if not at.session.in_transaction_block:
        return None
    if is_runner_transaction(at):
        begun_at = at.migration.up.begun_at
        if begun_at is not None:
            return TransactionBlock(f"{begun_at[0]}:{begun_at[1]} begins a transaction, and {runner_title(at)} runs all migrations in it")
        return TransactionBlock(f"{runner_title(at)} runs the migration in a transaction")
    begin = find_opening(at)
    if begin is not None:
        return TransactionBlock(f"{_opening_command(begin)} in line {line_of(at, begin.operation.span)} opened a transaction", begin)
    return TransactionBlock(f"{runner_title(at)} sends several statements as one query, and PostgreSQL runs such a query as one transaction")


def is_runner_transaction(at: Context) -> bool:
    """Whether the current transaction is the one that the runner opened and will end."""
    if at.migration.up.transaction is not Transaction.FILE:
        return False
    sent = [done for done in at.past if done.transaction is not None]
    first = next((done for done in sent if done.transaction == at.session.transaction), None)
    if first is None:
        return not sent
    return first is sent[0] or is_sent_by_runner(at, first.operation)


def is_sent_by_runner(at: Context, op: Operation) -> bool:
    """Whether the runner itself sends the operation, inside a migration that is a program."""
    call = at.migration.up.call(op.span.start)
    return call is not None and call.by_runner


def find_opening(at: Context) -> PastOperation | None:
    """Returns the BEGIN, or the AND CHAIN of the previous transaction, with which the script opened the current transaction."""
    number = at.session.transaction
    for done in at.past:
        match done.operation:
            case Begin() if done.transaction == number:
                return done
            case Commit(chain=True) | Rollback(chain=True) if number is not None and done.transaction == number - 1:
                return done
    return None


def is_in_called_function(at: Context, op: Operation) -> bool:
    """Whether the operation is in the body of a function that its statement calls, not in the migration itself."""
    return not any(op is operation for operation in at.statement.operations)


def line_of(at: Context, span: Span) -> int:
    """Returns the line of the file in which a span begins."""
    half = at.migration.up
    return half.file.position(half.file_span(span).start).line


def runner_title(at: Context) -> str:
    """Returns the name of the runner in messages."""
    return _RUNNERS.get(at.migration.runner, "the runner")


def _opening_command(done: PastOperation) -> str:
    match done.operation:
        case Commit():
            return "COMMIT AND CHAIN"
        case Rollback():
            return "ROLLBACK AND CHAIN"
    return "BEGIN"
