"""A BEGIN inside a transaction, or a COMMIT or ROLLBACK that ends the runner's transaction.

PostgreSQL has no nested transactions. A second BEGIN opens nothing and only warns; the first COMMIT then ends the outer transaction. Later
statements, including the runner's record that the migration is done, run outside it: if they fail, half of the migration stays. A ROLLBACK
undoes everything that the migration has done, and the runner still records it as done. Leave transactions to the runner that opens them;
use SAVEPOINT for a part that can be undone separately. A COMMIT before a statement that cannot run in a transaction, or that needs
committed changes, is intentional, and is not reported if a BEGIN opens the transaction again; neither is a COMMIT with the BEGIN directly
after it, which divides the work. What a failure after it means for the next run is said by not-rerunnable.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    BEGIN;
    ALTER TABLE orders ADD COLUMN returned boolean;
    COMMIT;

Safe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    COMMIT;
    BEGIN;
    ALTER TABLE orders ADD COLUMN returned boolean;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-begin.html#id-1.9.3.10.7
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.transaction_block import is_runner_transaction, is_sent_by_runner, line_of, runner_title, transaction_block_around
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.sql.operations import AddEnumValue, Begin, Commit, Rollback


class _State(Struct):
    commands: list[tuple[int, str]] = []
    """The positions of transaction commands; with the reason why BEGIN opens nothing, empty for COMMIT and ROLLBACK."""


@rule(category="transactions", severity=Severity.WARNING, no_fix="only the author knows where the transaction must end")
def nested_transaction(op: Begin | Commit | Rollback | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each BEGIN inside a transaction and each end of the runner's transaction, and report them when the migration ends."""
    match op:
        case MigrationEnd():
            yield from _reported(at)
        case Begin() if not is_sent_by_runner(at, op):
            around = transaction_block_around(at)
            if around is not None and (around.begin is not None or is_runner_transaction(at)):
                at.state(_State).commands.append((at.position, around.reason))
        case Commit() | Rollback() if op is at.statement.operations[0] and not is_sent_by_runner(at, op) and is_runner_transaction(at):
            at.state(_State).commands.append((at.position, ""))


def _reported(at: Context) -> Iterator[Finding]:
    commands = at.state(_State).commands
    begun = {at.past[position].transaction for position, reason in commands if reason}
    for position, reason in commands:
        done = at.past[position]
        if reason:
            yield _begun(at, position, reason)
        elif done.transaction not in begun:
            intended, reopened = _is_intended(at, position)
            if not (intended and reopened):
                yield _ended(at, done, intended)


def _begun(at: Context, position: int, reason: str) -> Finding:
    done = at.past[position]
    end = _end(at, position)
    if end is None:
        after = "PostgreSQL only warns"
    elif isinstance(end.operation, Rollback):
        after = f"the ROLLBACK in line {line_of(at, end.operation.span)} also undoes everything before this BEGIN"
    else:
        after = f"the COMMIT in line {line_of(at, end.operation.span)} ends the outer transaction, and later statements run outside it"
    message = f"this BEGIN opens no transaction, because {reason}: {after}"
    return at.finding(done, message, help="-- remove it and its COMMIT")


def _end(at: Context, position: int) -> PastOperation | None:
    """Returns the COMMIT or ROLLBACK that ended the transaction of an operation."""
    for done in at.past[position:]:
        if isinstance(done.operation, Commit | Rollback) and done.transaction == at.past[position].transaction:
            return done
    return None


def _ended(at: Context, done: PastOperation, intended: bool) -> Finding:
    if isinstance(done.operation, Rollback):
        return at.finding(
            done,
            f"this ROLLBACK undoes everything that the migration has done so far, because {runner_title(at)} runs it in a transaction; "
            f"{runner_title(at)} still records the migration as done",
            help="-- remove it",
        )
    if intended:
        return at.finding(
            done,
            f"this COMMIT ends the transaction in which {runner_title(at)} runs the migration, and no BEGIN opens another: later statements, "
            f"including {runner_title(at)}'s record that the migration is done, run outside it",
            help=f"-- for a statement that cannot run in it: {at.how_to_run_outside}",
        )
    return at.finding(
        done,
        f"this COMMIT ends the transaction in which {runner_title(at)} runs the migration: if a later statement fails, the earlier ones stay "
        "committed",
        help="-- remove it; move statements that must be committed first into a separate migration",
    )


def _is_intended(at: Context, position: int) -> tuple[bool, bool]:
    """Whether a COMMIT leaves the runner's transaction for a statement that cannot run in it, or only divides it, and whether a BEGIN opens
    another."""
    begin = next((later for later, done in enumerate(at.past) if later > position and isinstance(done.operation, Begin)), None)
    number = at.past[position].transaction
    committed = [done.operation for done in at.past[:begin] if done.transaction == number]
    between = [done.operation for done in at.past[position + 1 : begin]]
    intended = any(isinstance(operation, AddEnumValue) for operation in (*committed, *between)) or any(
        refused_in_transaction_block(operation, at.catalog) is not None for operation in between
    )
    divides = begin is not None and not between and isinstance(at.past[position].operation, Commit)
    return intended or divides, begin is not None
