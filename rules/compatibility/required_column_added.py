"""A new column is NOT NULL and has no default.

ADD COLUMN fails where the table has rows, because they would be null. Where it has none the running release still breaks: it does not know
the column, leaves it out, and every INSERT fails. The same holds where the migration gives the column a default for its old rows and then
drops that default. Add the column with a default that stays, or nullable; have the new release write it; make it NOT NULL with a later
migration.

Unsafe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL;

Unsafe, because the default is gone when the running release inserts:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Safe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN
"""

from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.columns import has_value
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.sql.operations import AddColumn, Column, ConstraintKind, DropDefault
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.ERROR)
def required_column_added(op: AddColumn | DropDefault, at: Context) -> Finding | None:
    """Report a column that an INSERT must name from its first day on."""
    if is_created_here(at, op.target.name) or (op.target.if_exists and at.catalog.is_absent(op.target.name)):
        return None
    return _added(op, at) if isinstance(op, AddColumn) else _default_dropped(op, at)


def _is_required(column: Column) -> bool:
    return column.not_null or any(one.kind is ConstraintKind.PRIMARY_KEY for one in column.constraints)


def _added(op: AddColumn, at: Context) -> Finding | None:
    table = at.catalog.relation(op.target.name)
    if op.if_not_exists and table is not None and table.column(op.column.name) is not None:
        return None
    if not _is_required(op.column) or has_value(EffectContext(at.catalog), op.column):
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column.name)
    return at.finding(
        op,
        f"ADD COLUMN {name} is NOT NULL without a default: it fails if {resolved} has rows, and from then on so does every INSERT of the "
        "running release, which leaves it out",
        help=_help(op, at),
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _default_dropped(op: DropDefault, at: Context) -> Finding | None:
    before = added_column(at, op.target.name, op.column)
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if before is None or column is None or not column.not_null or column.default is None:
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column)
    return at.finding(
        op,
        f"DROP DEFAULT in the migration that adds {name} to {resolved} as NOT NULL: every INSERT of the running release, which leaves it out, "
        "fails from then on",
        help=(
            f"-- once every release that is running writes {name}, in a migration of its own:\n"
            f"ALTER TABLE {op.target.name} ALTER COLUMN {name} DROP DEFAULT;"
        ),
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _help(op: AddColumn, at: Context) -> str:
    table, name = op.target.name, quoted(op.column.name)
    check = quoted(f"{table.name}_{op.column.name}_not_null")
    return (
        f"ALTER TABLE {table} ADD COLUMN {name} {op.column.type};\n"
        f"-- release a version that writes {name}, fill the old rows a few thousand at a time, then, in two migrations:\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;\n"
        "-- next migration\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n"
        f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;\n"
        f"ALTER TABLE {table} DROP CONSTRAINT {check};"
    )
