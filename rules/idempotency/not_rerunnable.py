"""A statement that cannot run again after the migration has failed half-way.

Outside a transaction every statement is committed by itself. When a later one fails, what came before stays, the runner has not recorded the
migration, and the next run begins at the top: it stops at the first statement whose work is done already, or does that work twice, and
the way on is by hand. So each statement must find its own work done and go on: IF NOT EXISTS and IF EXISTS, OR REPLACE, ON CONFLICT, a DO
block that looks into the catalogue, a DROP … IF EXISTS before the CREATE, a WHERE that leaves out the rows that are changed. Or each gets a
migration to itself; or what can run in a transaction stands between BEGIN and COMMIT. The last statement, and what is in one transaction
with it, needs nothing of this.

Unsafe:
    ALTER TABLE orders ADD COLUMN delivered_at timestamptz;
    CREATE INDEX CONCURRENTLY orders_delivered_at_idx ON orders (delivered_at);

Unsafe, because the second run changes the numbers again:
    UPDATE customers SET phone = '00' || phone WHERE country = 'DE';
    DROP INDEX CONCURRENTLY IF EXISTS orders_note_idx;

Safe:
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS delivered_at timestamptz;
    DROP INDEX CONCURRENTLY IF EXISTS orders_delivered_at_idx;
    CREATE INDEX CONCURRENTLY orders_delivered_at_idx ON orders (delivered_at);

Safe, in one transaction:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered_at timestamptz;
    ALTER TABLE orders ADD COLUMN carrier text;
    COMMIT;

See: https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-OPTION-SINGLE-TRANSACTION
"""

from collections.abc import Iterator

from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.reruns.guards import can_be_in_one_transaction, guarded
from migsafe.linting.reruns.second_run import Again, Ran, second_run
from migsafe.linting.reruns.touch import Outcome
from migsafe.linting.reruns.touches import touches
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import Transaction
from migsafe.sql.operations import CutIdentifier, Do, Explain, Operation, PsqlCommand, SessionControl, TwoPhase, Utility

_CANNOT_FAIL = (SessionControl, PsqlCommand, Utility, Explain, CutIdentifier)
"""The statements at which no migration fails, TwoPhase excepted."""

_SAID = {
    Outcome.FAILS: "the next run stops here",
    Outcome.TWICE: "the next run does it twice",
    Outcome.EITHER: "the next run stops here or does it twice",
}


@rule(category="idempotency", severity=Severity.WARNING)
def not_rerunnable(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note what each operation does to objects and rows, and report when the migration ends what a second run stumbles over."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
    elif _may_be_split(at):
        at.notes.append(Ran(len(at.past), at.session.transaction or 0, tuple(touches(op, _text(op, at), at.catalog))))


def _may_be_split(at: Context) -> bool:
    """Whether the migration may run in several transactions: a COMMIT in it can end the runner's."""
    if at.migration.up.transaction is not Transaction.FILE:
        return True
    if not at.notes:
        at.notes.append("commit" in at.migration.up.script.text.lower())
    return at.notes[0] is True


def _text(op: Operation, at: Context) -> str:
    """The SQL of an operation. What a called function runs stands elsewhere."""
    if is_in_called_function(at, op):
        return ""
    in_do = isinstance(at.statement.operations[0], Do)
    return at.text(*(op.span if in_do else at.statement.span))


def _can_fail(op: Operation) -> bool:
    return isinstance(op, TwoPhase) or not isinstance(op, _CANNOT_FAIL)


def _reported(at: Context) -> Iterator[Finding]:
    fallible = [done.transaction for done in at.past if done.transaction is not None and _can_fail(done.operation)]
    noted = [one for one in at.notes if isinstance(one, Ran)]
    if not noted or len(set(fallible)) < 2:
        return
    told: set[int] = set()
    together = can_be_in_one_transaction(at)
    for again in second_run([one for one in noted if one.touches], fallible[-1]):
        statement = at.past[again.place].statement
        if statement.index not in told:
            told.add(statement.index)
            yield _finding(at, again, together=together)


def _finding(at: Context, again: Again, *, together: bool) -> Finding:
    done = at.past[again.place]
    return at.finding(
        done,
        f"when a later statement fails this stays done, and {_SAID[again.outcome]}: {again.why}",
        help=guarded(at, done, again.outcome, together=together),
    )
