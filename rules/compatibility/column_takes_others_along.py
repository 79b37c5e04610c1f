"""DROP COLUMN silently drops what stands on other columns too.

An index, a UNIQUE, CHECK or FOREIGN KEY constraint over several columns goes with any one of them, without a word and without CASCADE: queries
by the other columns lose their index, and duplicates or orphans are no longer kept out. Make what is to stay anew on the columns that are
left, before the column goes. What another index does too is not missed, and not reported.

Unsafe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, placed_at timestamptz);
    CREATE INDEX orders_region_placed_at_idx ON orders (region, placed_at);
    -- next migration
    -- migsafe: ignore[drop-column] no release that is running knows the region any longer
    ALTER TABLE orders DROP COLUMN region;

Safe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, placed_at timestamptz);
    CREATE INDEX orders_region_placed_at_idx ON orders (region, placed_at);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at);
    -- next migration
    -- migsafe: ignore[drop-column] no release that is running knows the region any longer
    ALTER TABLE orders DROP COLUMN region;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.cover import taken_along
from migsafe.schema.dependents import Part, described
from migsafe.schema.objects import Index
from migsafe.sql.operations import DropColumn
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.WARNING)
def column_takes_others_along(op: DropColumn, at: Context) -> Finding | None:
    """Report what goes with a column and is about others too."""
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if table is None or column is None or is_created_here(at, op.target.name):
        return None
    taken = taken_along(at.catalog, table, column, only=op.target.only)
    if not taken:
        return None
    steps = []
    for one in taken:
        numbers = [key.column for key in one.keys] if isinstance(one, Index) else list(one.columns)
        rest = [
            quoted(found.name) for number in numbers if number != column.number and number is not None and (found := table.numbered(number))
        ]
        if isinstance(one, Index) and rest:
            unique = "UNIQUE " if one.unique else ""
            steps.append(f"CREATE {unique}INDEX CONCURRENTLY ON {op.target.name} ({', '.join(rest)});")
        else:
            steps.append(f"-- replace {described(at.catalog, Part(one.oid))}, if it is still needed")
    listed = ", ".join(described(at.catalog, Part(one.oid)) for one in taken)
    return at.finding(
        op,
        f"DROP COLUMN {quoted(op.column)} drops without a word what stands on other columns of {table.name} too: {listed}",
        help="\n".join(("-- first, what is to stay:", *steps)),
        relations=(table.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
