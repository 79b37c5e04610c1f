"""VALIDATE CONSTRAINT in the transaction that added the constraint.

VALIDATE by itself lets reads and writes go on while it checks every row: that is why the constraint was added as NOT VALID. But locks are kept
until the transaction ends, and adding the constraint took a stronger one. In the same transaction it is held through the whole check, and
nothing is gained over adding the constraint at once. The validation needs a transaction of its own.

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

from migsafe.linting.facts.validations import find_added_constraint
from migsafe.linting.facts.wording import blocked_statements
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.generation import join_migrations, validate_constraints
from migsafe.sql.operations import AddConstraint, ValidateConstraint
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def validate_holds_lock(op: ValidateConstraint, at: Context) -> Finding | None:
    """Report a validation under the lock that was taken to add the constraint."""
    added = find_added_constraint(at, op)
    table = at.resolve(op.target.name)
    lock = at.held.get(table)
    if added is None or lock is None or not lock.blocks or not at.slow(only=op.target.only):
        return None
    assert isinstance(added.operation, AddConstraint)
    line = at.migration.up.file.position(at.migration.up.file_span(added.operation.span).start).line
    return at.finding(
        op,
        f"VALIDATE CONSTRAINT {quoted(op.constraint)} checks every row of {table} in the transaction that added it in line {line}: the "
        f"{lock} taken there is held all the while, and every {blocked_statements(lock.blocks)} waits",
        help=join_migrations(
            f"{at.text(*added.statement.span)};",
            f"-- in a transaction of its own:\n{validate_constraints(op.target.name, op.constraint)}",
        ),
        relations=(table,),
        lock=lock,
    )
