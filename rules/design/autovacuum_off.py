"""autovacuum is switched off for a table.

Deleted and updated rows then keep their space, index-only scans and the planner's estimates get worse, and shortly before the transaction
IDs run out, PostgreSQL vacuums the table anyway, perhaps at the busiest hour. To make autovacuum gentler or more eager, set its thresholds.
Not reported: a migration that switches it on again, as after a bulk load, and temporary tables, which autovacuum never processes.

Unsafe:
    ALTER TABLE orders SET (autovacuum_enabled = off);

Safe:
    ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01);

See: https://www.postgresql.org/docs/current/sql-createtable.html#RELOPTION-AUTOVACUUM-ENABLED
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import CreateTable, CreateTableAs, Name, Option, Persistence, SetOptions

_OPTION = "autovacuum_enabled"


class _State(Struct):
    off: dict[Name, int] = {}
    """The tables without autovacuum, each with the position of the operation that switches it off."""


@rule(category="design", severity=Severity.WARNING, no_fix="another storage parameter changes the final schema")
def autovacuum_off(op: CreateTable | CreateTableAs | SetOptions | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record where the option is set, and report at the end of the migration the tables for which it stays off."""
    off = at.state(_State).off
    if isinstance(op, MigrationEnd):
        for table, position in off.items():
            yield _finding(at, table, position)
        return
    option = next((option for option in op.options if option.name.lower() == _OPTION), None)
    if option is None:
        return
    if isinstance(op, SetOptions):
        relation = at.catalog.relation(op.target.name)
        table, persistence = at.resolve(op.target.name), relation.persistence if relation is not None else Persistence.PERMANENT
        if op.target.kind != "table":
            return
    else:
        table, persistence = at.resolve(op.table), op.persistence
    if _is_off(option) and not (isinstance(op, SetOptions) and op.reset):
        if persistence is not Persistence.TEMPORARY:
            off[table] = at.position
    else:
        off.pop(table, None)


def _is_off(option: Option) -> bool:
    # A boolean may be abbreviated (parse_bool in bool.c).
    value = (option.value or "true").strip("'\"").lower()
    return (
        value == "0" or (len(value) > 1 and "off".startswith(value)) or (bool(value) and ("false".startswith(value) or "no".startswith(value)))
    )


def _finding(at: Context, table: Name, position: int) -> Finding:
    return at.finding(
        at.past[position],
        f"autovacuum never processes {table}: dead rows keep their space and the planner's statistics get old, until PostgreSQL vacuums the "
        "table to prevent the transaction IDs from running out",
        help=(
            "-- leave it on, and choose when it starts, for example after 1 % of the rows have changed:\n"
            f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);"
        ),
        relations=(table,),
    )
