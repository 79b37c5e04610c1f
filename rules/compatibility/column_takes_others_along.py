"""DROP COLUMN silently drops indexes and constraints that also cover other columns.

An index, or a UNIQUE, CHECK or FOREIGN KEY constraint, over several columns is dropped with any one of them, without a notice and without
CASCADE: queries by the other columns lose their index, and duplicates or orphans are no longer prevented. Before you drop the column,
create what you still need again on the remaining columns. An index whose work another index also does is not reported.

Unsafe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, placed_at timestamptz);
    CREATE INDEX orders_region_placed_at_idx ON orders (region, placed_at);
    -- next migration
    -- migsafe: ignore[drop-column] no running release uses the region
    ALTER TABLE orders DROP COLUMN region;

Safe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, placed_at timestamptz);
    CREATE INDEX orders_region_placed_at_idx ON orders (region, placed_at);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
    -- next migration
    -- migsafe: ignore[drop-column] no running release uses the region
    ALTER TABLE orders DROP COLUMN region;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.dependents import Part, object_description
from migsafe.schema.objects import Index
from migsafe.schema.redundancy import dropped_with_column
from migsafe.sql.operations import DropColumn
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.WARNING, no_fix="only the author knows which of the dropped objects are still needed")
def column_takes_others_along(op: DropColumn, at: Context) -> Finding | None:
    """Report indexes and constraints that are dropped with a column and also cover other columns."""
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if table is None or column is None or is_created_here(at, op.target.name):
        return None
    taken = dropped_with_column(at.catalog, table, column, only=op.target.only)
    if not taken:
        return None
    steps = []
    for dropped in taken:
        numbers = [key.column for key in dropped.keys] if isinstance(dropped, Index) else list(dropped.columns)
        remaining = [
            quoted(other.name)
            for number in numbers
            if number != column.number and number is not None and (other := table.column_numbered(number))
        ]
        if isinstance(dropped, Index) and remaining:
            unique = "UNIQUE " if dropped.unique else ""
            steps.append(f"CREATE {unique}INDEX CONCURRENTLY ON {op.target.name} ({', '.join(remaining)});")
        else:
            steps.append(f"-- replace {object_description(at.catalog, Part(dropped.oid))}, if it is still needed")
    objects = ", ".join(object_description(at.catalog, Part(dropped.oid)) for dropped in taken)
    return at.finding(
        op,
        f"DROP COLUMN {quoted(op.column)} silently drops objects that also cover other columns of {table.name}: {objects}",
        help=at.outside_transaction("\n".join(("-- first create what you still need:", *steps))),
        relations=(table.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
