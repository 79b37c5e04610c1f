"""A new column is NOT NULL and has no default.

ADD COLUMN fails if the table has rows, because they would be null. If it has none, the running release still breaks: it does not know the
column, omits it, and every INSERT fails. The same is true if the migration adds the column with a default for the existing rows and then
drops that default. Add the column with a default that stays, or nullable; deploy a release that writes it; make it NOT NULL in a later
migration.

Unsafe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL;

Unsafe, because the default no longer exists when the running release inserts:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Safe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN
"""

from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.columns import has_value
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.schema.default_names import free_constraint_name
from migsafe.sql.generation import join_migrations, set_not_null_in_steps
from migsafe.sql.operations import AddColumn, Column, ConstraintKind, DropDefault
from migsafe.sql.operations.values import quoted


@rule(
    category="compatibility",
    severity=Severity.ERROR,
    speaks_for=("drop-default", "long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a part of it needs another deployment",
)
def required_column_added(op: AddColumn | DropDefault, at: Context) -> Finding | None:
    """Report a new column that every INSERT must name."""
    if is_created_here(at, op.target.name) or (op.target.if_exists and at.catalog.is_absent(op.target.name)):
        return None
    return _added(op, at) if isinstance(op, AddColumn) else _default_dropped(op, at)


def _is_required(column: Column) -> bool:
    return column.not_null or any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)


def _added(op: AddColumn, at: Context) -> Finding | None:
    table = at.catalog.relation(op.target.name)
    if op.if_not_exists and table is not None and table.column(op.column.name) is not None:
        return None
    if not _is_required(op.column) or has_value(EffectContext(at.catalog), op.column):
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column.name)
    inserts = "every INSERT of the running release fails, because it omits the column"
    if at.catalog.is_empty(table):
        consequence = f"{resolved} has no rows at this point, but {inserts}"
    else:
        consequence = f"it fails if {resolved} has rows; otherwise {inserts}"
    return at.finding(
        op,
        f"ADD COLUMN {name} is NOT NULL without a default: {consequence}",
        help=_help(op, at),
        fix=None if _is_plain(op) else "",
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _default_dropped(op: DropDefault, at: Context) -> Finding | None:
    addition = added_column(at, op.target.name, op.column)
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if addition is None or column is None or not column.not_null or column.default is None:
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column)
    return at.finding(
        op,
        f"DROP DEFAULT in the migration that adds {name} to {resolved} as NOT NULL: every INSERT of the running release fails from then on, "
        "because it omits the column",
        help=(
            deployments(f"a release that writes {name}", "DROP DEFAULT")
            + once_released(f"every running release writes {name}", "drop-default")
            + f"ALTER TABLE {op.target.name} ALTER COLUMN {name} DROP DEFAULT;"
        ),
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _is_plain(op: AddColumn) -> bool:
    """Whether the column has nothing but NOT NULL, and the statement no condition, which the steps would lose."""
    return (
        all(constraint.kind is ConstraintKind.NOT_NULL for constraint in op.column.constraints)
        and op.column.identity is None
        and not (op.if_not_exists or op.target.if_exists or op.target.only)
        and not (op.column.collation or op.column.storage or op.column.compression or op.column.options)
    )


def _help(op: AddColumn, at: Context) -> str:
    table, name = op.target.name, quoted(op.column.name)
    not_null = {op.column.name: free_constraint_name(at.catalog, at.resolve(table), (op.column.name,), "not_null").name}
    return (
        deployments(f"ADD COLUMN and a release that writes {name}", "NOT NULL") + f"ALTER TABLE {table} ADD COLUMN {name} {op.column.type};\n"
        f"-- deploy a release that writes {name}, fill the existing rows, a few thousand at a time, then, in two migrations:\n"
        + join_migrations(*set_not_null_in_steps(table, not_null, at.catalog.pg_version))
    )
