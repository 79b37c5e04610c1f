"""VALIDATE CONSTRAINT runs in the transaction that added the constraint.

VALIDATE CONSTRAINT alone checks every row without blocking reads and writes: this is the purpose of NOT VALID. But locks are kept until the
end of the transaction, and adding the constraint took a stronger lock. In the same transaction that lock is held during the whole check,
which is no better than adding the constraint without NOT VALID. Validate it in a separate transaction.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;
    COMMIT;

Safe, in two transactions:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.validations import find_added_constraint
from migsafe.linting.facts.wording import blocked_statements
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.generation import join_migrations, validate_constraints
from migsafe.sql.operations import AddConstraint, ValidateConstraint
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def validate_holds_lock(op: ValidateConstraint, at: Context) -> Finding | None:
    """Report a validation under the lock that adding the constraint took."""
    added = find_added_constraint(at, op)
    table = at.resolve(op.target.name)
    lock = at.held.get(table)
    if added is None or lock is None or not lock.blocks or not at.slow_effects(only=op.target.only):
        return None
    assert isinstance(added.operation, AddConstraint)
    line = line_of(at, added.operation.span)
    return at.finding(
        op,
        f"VALIDATE CONSTRAINT {quoted(op.constraint)} checks every row of {table} in the transaction that added it (line {line}): the "
        f"{lock} taken there is held until the check ends, and every {blocked_statements(lock.blocks)} waits",
        help=join_migrations(
            f"{at.text(*added.statement.span)};",
            f"-- in a separate transaction:\n{validate_constraints(op.target.name, op.constraint)}",
        ),
        relations=(table,),
        lock=lock,
    )
