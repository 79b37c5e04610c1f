"""A statement that cannot run again after the migration failed half-way.

Outside a transaction every statement is committed separately. If a later one fails, the earlier ones stay, the runner has not recorded the
migration, and the next run starts at the top: it fails at the first statement whose work is already done, or repeats that work, and the
problem must be fixed manually. So each statement must succeed when its work is already done: IF NOT EXISTS and IF EXISTS, OR REPLACE, ON
CONFLICT, a DO block that checks the catalogue, DROP … IF EXISTS before CREATE, a WHERE that excludes the rows already changed. Or put each
statement in a separate migration, or the statements that can run in a transaction between BEGIN and COMMIT. The last statement, and the
statements in one transaction with it, need none of this; nor does a dump, which is restored into an empty database, nor a migration of Atlas,
whose next run begins with the statement that failed. But a last CREATE UNIQUE INDEX CONCURRENTLY that rows with equal values stop leaves an
INVALID index with its name, so it needs the DROP INDEX before it.

If neither the runner's transactions are known nor `transaction` is set in the configuration, this is one finding of severity info for all
migrations that could run in one transaction, because that setting decides them all.

Unsafe:
    ALTER TABLE orders ADD COLUMN delivered_at timestamptz;
    CREATE INDEX CONCURRENTLY orders_delivered_at_idx ON orders (delivered_at);

Unsafe, because the second run changes the numbers again:
    UPDATE customers SET phone = '00' || phone WHERE country = 'DE';
    DROP INDEX CONCURRENTLY IF EXISTS orders_note_idx;

Unsafe, because a build that fails leaves an INVALID index of that name:
    CREATE UNIQUE INDEX CONCURRENTLY orders_by_qty_key ON orders (qty, id);

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

import re
from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.reruns.guards import can_run_in_one_transaction, only_adds_guard, recreate_index, rerunnable_statement
from migsafe.linting.reruns.object_use import Action, Outcome
from migsafe.linting.reruns.operation_uses import object_uses
from migsafe.linting.reruns.second_run import ExecutedOperation, SecondRunProblem, second_run_problems
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.patterns import lazy_pattern
from migsafe.sources import Transaction
from migsafe.sql.operations import (
    Begin,
    CreateIndex,
    CutIdentifier,
    Do,
    Explain,
    FeatureUse,
    Name,
    Operation,
    PsqlCommand,
    SessionControl,
    TwoPhase,
    Utility,
)

_CANNOT_FAIL = (SessionControl, PsqlCommand, Utility, Explain, CutIdentifier, FeatureUse)
"""Commands that control the session, at which no migration fails; TwoPhase commands can fail."""

_CONSEQUENCES = {
    Outcome.FAILS: "the next run fails here",
    Outcome.TWICE: "the next run repeats it",
    Outcome.EITHER: "the next run fails here or repeats it",
}


_TRANSACTION_WORD = lazy_pattern(r"\b(?:commit|rollback|end|abort|begin|start|prepare|call|do|execute)\b", re.IGNORECASE)
"""Words without which no statement of a query begins or ends a transaction. What a statement does in a second run takes long to find out."""


class _State(Struct):
    executed: list[ExecutedOperation] = []
    may_be_split: bool | None = None
    """Whether the migration may run in several transactions, once that was looked up."""


@rule(
    category="idempotency",
    severity=Severity.WARNING,
    fix="unsafe",
    unsafe_because="a second run drops an index and builds it again (a fix that only adds IF [NOT] EXISTS or OR REPLACE is safe)",
)
def not_rerunnable(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record what each operation does to objects and rows, and report at the end of the migration what fails or repeats in a second run."""
    if isinstance(op, MigrationEnd):
        yield from _reported(at)
    elif _may_be_split(at):
        uses = tuple(object_uses(op, _text(op, at), at.catalog))
        call = at.migration.up.call(op.span.start)
        only_once = call is not None and call.skipped_when_done
        at.state(_State).executed.append(ExecutedOperation(at.position, at.session.transaction or 0, uses, only_once))


def _may_be_split(at: Context) -> bool:
    """Whether the migration may run in several transactions: a COMMIT in it can end the transaction of the runner or of the query."""
    if at.catalog.is_restored or at.migration.up.resumes:
        return False
    state = at.state(_State)
    if state.may_be_split is None:
        half = at.migration.up
        match half.transaction:
            case Transaction.FILE:
                state.may_be_split = "commit" in half.script.text.lower()
            case Transaction.QUERY:
                state.may_be_split = len(half.chunks) > 1 or _TRANSACTION_WORD.search(half.script.text) is not None
            case _:
                state.may_be_split = True
    return state.may_be_split


def _text(op: Operation, at: Context) -> str:
    """Returns the SQL of an operation; none for an operation in a called function, whose text is elsewhere."""
    if is_in_called_function(at, op):
        return ""
    in_do = isinstance(at.statement.operations[0], Do)
    return at.text(*(op.span if in_do else at.statement.span))


def _can_fail(op: Operation) -> bool:
    return isinstance(op, TwoPhase) or not isinstance(op, _CANNOT_FAIL)


def _reported(at: Context) -> Iterator[Finding]:
    fallible = [done.transaction for done in at.past if done.transaction is not None and _can_fail(done.operation)]
    executed = at.state(_State).executed
    if executed and fallible:
        yield from _last_unique_index(at, executed, fallible[-1])
    if not executed or len(set(fallible)) < 2:
        return
    reported: set[int] = set()
    one_transaction = can_run_in_one_transaction(at)
    begins_none = not any(isinstance(done.operation, Begin) for done in at.past)
    is_assumed = at.migration.transaction_assumed and one_transaction and begins_none
    for problem in second_run_problems([operation for operation in executed if operation.uses], fallible[-1]):
        statement = at.past[problem.place].statement
        if statement.index not in reported:
            reported.add(statement.index)
            yield _finding(at, problem, one_transaction=one_transaction, is_assumed=is_assumed)


def _last_unique_index(at: Context, executed: list[ExecutedOperation], last_transaction: int) -> Iterator[Finding]:
    """Reports a last statement that builds a unique index concurrently: rows with equal values stop it, and then its index exists already."""
    # Alembic's BEGIN after an autocommit block does nothing that could fail.
    last = next((each for each in reversed(executed) if _can_fail(at.past[each.place].operation)), executed[-1])
    done = at.past[last.place]
    op = done.operation
    if last.transaction != last_transaction or not isinstance(op, CreateIndex) or is_created_here(at, op.table):
        return
    if not (op.unique and op.concurrently and op.name is not None) or op.if_not_exists:
        return
    if at.migration.up.transaction is Transaction.QUERY:
        return  # a DROP INDEX in the same query would put both into one transaction
    created = {use.path for use in last.uses if use.action is Action.CREATES}
    dropped = {use.path for earlier in executed[:-1] for use in earlier.uses if use.action is Action.DROPS}
    if created.isdisjoint(dropped):
        yield at.finding(
            done,
            "if the build stops, as at rows with equal values, an INVALID index keeps the name, and the next run fails here: "
            f"index {Name(op.name, op.table.schema)} already exists",
            help=recreate_index(op, op.name, in_one_step=False),
        )


def _finding(at: Context, problem: SecondRunProblem, *, one_transaction: bool, is_assumed: bool) -> Finding:
    """Returns the finding about a problem. `is_assumed`: that each statement commits by itself is only assumed."""
    done = at.past[problem.place]
    help, fix = rerunnable_statement(at, done, problem.outcome, one_transaction=one_transaction)
    safe = only_adds_guard(fix, at.text(*done.statement.span))
    if is_assumed:
        return at.finding(
            done,
            "the runner's transactions are unknown and `transaction` is not set, so each statement is judged as committed by itself: if a "
            f"later one fails, this one stays committed, and {_CONSEQUENCES[problem.outcome]}: {problem.reason}",
            help=f'-- if the runner runs each file in one transaction, set in the configuration: transaction = "file"\n-- otherwise:\n{help}',
            severity=Severity.INFO,
            fix=fix,
            safe_fix=safe,
            cause="transaction",
        )
    return at.finding(
        done,
        f"if a later statement fails, this one stays committed, and {_CONSEQUENCES[problem.outcome]}: {problem.reason}",
        help=help,
        fix=fix,
        safe_fix=safe,
        subject=problem.reason.removesuffix(" already exists").removesuffix(" no longer exists"),
    )
