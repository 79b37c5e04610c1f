"""SET NOT NULL scans the table while all reads and writes are blocked.

It holds ACCESS EXCLUSIVE while it reads the whole table: even SELECT waits, and the wait grows with the table. PostgreSQL skips the scan if
a valid CHECK implies that the column is not null. Add such a CHECK as NOT VALID, which takes a moment, validate it without blocking reads
and writes, and drop it after SET NOT NULL. Do not drop it in the same ALTER TABLE, because PostgreSQL drops constraints first.

PostgreSQL 18 needs no CHECK: there NOT NULL is a constraint that can be added as NOT VALID and validated later.

Unsafe:
    ALTER TABLE orders ALTER COLUMN email SET NOT NULL;

Safe, in two migrations:
    ALTER TABLE orders ADD CONSTRAINT orders_email_not_null CHECK (email IS NOT NULL) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_email_not_null;
    ALTER TABLE orders ALTER COLUMN email SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_email_not_null;

Safe, with PostgreSQL 18 or newer:
    ALTER TABLE orders ADD CONSTRAINT orders_email_not_null NOT NULL email NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_email_not_null;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL
"""

from migsafe import expressions
from migsafe.linting.facts.filled_columns import not_null_with_its_value
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Constraint as SchemaConstraint
from migsafe.sql.generation import join_migrations, set_not_null_in_steps, validate_constraints
from migsafe.sql.operations import AddConstraint, ConstraintKind, Name, SetNotNull
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves a CHECK on the table",
)
def set_not_null_scans(op: SetNotNull | AddConstraint, at: Context) -> Finding | None:
    """Report a NOT NULL for which an existing table is scanned."""
    if isinstance(op, AddConstraint):
        if op.constraint.kind is not ConstraintKind.NOT_NULL:
            return None
        action, column, name = "ADD NOT NULL", op.constraint.columns[0], op.constraint.name
    else:
        action, column, name = "SET NOT NULL", op.column, None
    # Unknown partitions may have a constraint that proves it.
    slow = at.slow_effects(only=True)
    if not slow:
        return None
    table = op.target.name
    steps = _safe_way(op, column, name or free_constraint_name(at.catalog, at.resolve(table), (column,), "not_null").name, at)
    return at.finding(
        op,
        f"{action} takes {slow[0].lock} on {at.resolve(table)} while it checks every row for a null in {quoted(column)}: "
        f"every {slow[0].blocked_commands} waits{while_held(at)}",
        help=not_null_with_its_value(at, table, column) or steps,
        fix=steps,
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _safe_way(op: SetNotNull | AddConstraint, column: str, name: str, at: Context) -> str:
    """Returns the steps to NOT NULL without a scan. A constraint that says it already, and is NOT VALID, only needs to be validated."""
    existing = _unvalidated(op.target.name, column, at)
    if existing is None:
        return join_migrations(*set_not_null_in_steps(op.target.name, {column: name}, at.catalog.pg_version))
    validation = f"-- without blocking reads and writes:\n{validate_constraints(op.target.name, existing.name.name)}"
    if existing.kind is ConstraintKind.NOT_NULL:
        return validation
    statement = f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(column)} SET NOT NULL;"
    return join_migrations(validation, f"-- with a valid CHECK, SET NOT NULL needs no scan:\n{statement}")


def _unvalidated(table: Name, column: str, at: Context) -> SchemaConstraint | None:
    """Returns a constraint of the table that is NOT VALID and implies that the column is not null; None without one."""
    relation = at.catalog.relation(table)
    known = relation.column(column) if relation is not None else None
    for constraint in at.catalog.constraints(relation.oid) if relation is not None and known is not None else ():
        if constraint.valid or not constraint.enforced:
            continue
        if constraint.kind is ConstraintKind.NOT_NULL and known is not None and known.number in constraint.columns:
            return constraint
        if constraint.check is not None and expressions.proves_not_null(constraint.check.expression, column):
            return constraint
    return None
