"""VALIDATE CONSTRAINT runs under a lock that blocks reads or writes.

VALIDATE CONSTRAINT alone checks every row without blocking reads and writes: this is the purpose of NOT VALID. But locks are kept until the
end of the transaction, and adding the constraint took a stronger lock. In the same transaction that lock is held during the whole check,
which is no better than adding the constraint without NOT VALID. Validate it in a separate transaction.

One ALTER TABLE with several actions takes the strongest lock that any of them needs, and keeps it until the last action has ended: VALIDATE
CONSTRAINT beside ADD COLUMN checks every row under ACCESS EXCLUSIVE.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;
    COMMIT;

Unsafe:
    ALTER TABLE orders
        ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID,
        VALIDATE CONSTRAINT orders_total_check;

Safe, in two transactions:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from migsafe.linting.facts.held_locks import held_blocking_locks, while_held
from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.validations import find_added_constraint
from migsafe.linting.facts.wording import blocked_statements
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.generation import NEXT_FROM_HERE, join_migrations
from migsafe.sql.operations import AddConstraint, AlterRelation, Do, Name, Operation, ValidateConstraint
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import Statement


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves the constraint NOT VALID",
)
def validate_holds_lock(op: ValidateConstraint, at: Context) -> Finding | None:
    """Report a validation under the lock that adding the constraint took, or that another action of the statement takes."""
    slow = at.slow_effects(only=op.target.only)
    table = at.resolve(op.target.name)
    lock = next((effect.lock for effect in slow if effect.relation == table), None)
    if lock is not None and lock.blocks:
        return _combined(op, table, lock, at)
    added, held = find_added_constraint(at, op), held_blocking_locks(at).get(table)
    if added is None or held is None or not held.blocks or not slow:
        return None
    line = line_of(at, added.operation.span)
    return at.finding(
        op,
        f"VALIDATE CONSTRAINT {quoted(op.constraint)} checks every row of {table} in the transaction that added it (line {line}): the "
        f"{held} taken there is held until the check ends, and every {blocked_statements(held.blocks)} waits",
        help=join_migrations(
            f"{_command(added.statement, added.operation, at)};",
            f"-- in a separate transaction:\n{_command(at.statement, op, at)};",
        ),
        fix="" if isinstance(at.statement.operations[0], Do) else NEXT_FROM_HERE,
        relations=(table,),
        lock=held,
    )


def _command(statement: Statement, op: Operation, at: Context) -> str:
    """Returns the text of a statement; of one inside a DO block, the ALTER TABLE of the operation alone."""
    if not isinstance(statement.operations[0], Do):
        return at.text(*statement.span)
    assert isinstance(op, AlterRelation)
    return f"ALTER TABLE {'ONLY ' if op.target.only else ''}{op.target.name} {at.text(*op.span)}"


def _combined(op: ValidateConstraint, table: Name, lock: LockMode, at: Context) -> Finding:
    """Reports a validation in one ALTER TABLE with an action that needs a stronger lock."""
    others = [other for other in at.statement.operations if isinstance(other, AlterRelation) and not isinstance(other, ValidateConstraint)]
    validated = [other.constraint for other in at.statement.operations if isinstance(other, ValidateConstraint)]
    adds = {other.constraint.name for other in others if isinstance(other, AddConstraint)}
    table_named = f"{'IF EXISTS ' if op.target.if_exists else ''}{'ONLY ' if op.target.only else ''}{op.target.name}"
    validations = ", ".join(f"VALIDATE CONSTRAINT {quoted(name)}" for name in validated)
    validation = f"-- in a separate transaction, without blocking reads and writes:\nALTER TABLE {table_named} {validations};"
    remaining = f"ALTER TABLE {table_named} {', '.join(at.text(*other.span) for other in others)};"
    # A constraint must exist before it can be validated; another action may need the validated constraint.
    steps = (remaining, validation) if adds.intersection(validated) else (validation, remaining)
    return at.finding(
        op,
        f"VALIDATE CONSTRAINT {quoted(op.constraint)} checks every row of {table} in one ALTER TABLE with actions that need {lock}: the lock "
        f"is held until the check ends, and every {blocked_statements(lock.blocks)} waits{while_held(at)}",
        help=join_migrations(*steps),
        fix=_divided(op, at),
        relations=(table,),
        lock=lock,
    )


def _divided(op: ValidateConstraint, at: Context) -> str:
    """Returns the validation alone: afterwards, if the statement adds the constraint, and before the other actions if it is the first one;
    empty if it is between them."""
    others = [other for other in at.statement.operations if isinstance(other, AlterRelation)]
    added = {other.constraint.name for other in others if isinstance(other, AddConstraint)}
    table = f"{'IF EXISTS ' if op.target.if_exists else ''}{'ONLY ' if op.target.only else ''}{op.target.name}"
    validation = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(op.constraint)};"
    if op.constraint in added:
        return f"-- next migration\n{validation}"
    return validation if others[0] is op else ""
