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
from migsafe.schema.objects import Column, Index, Key, Relation
from migsafe.schema.redundancy import dropped_with_column
from migsafe.sql.operations import DropColumn, Name
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
        index = _without_column(dropped, table, column, op.target.name) if isinstance(dropped, Index) else None
        description = object_description(at.catalog, Part(dropped.oid))
        if index is not None:
            steps.append(f"{index};")
        elif isinstance(dropped, Index) and dropped.unique:
            steps.append(f"-- replace {description}, if duplicates must still be refused: UNIQUE on its other columns alone refuses more")
        else:
            steps.append(f"-- replace {description}, if it is still needed")
    objects = ", ".join(object_description(at.catalog, Part(dropped.oid)) for dropped in taken)
    return at.finding(
        op,
        f"DROP COLUMN {quoted(op.column)} silently drops objects that also cover other columns of {table.name}: {objects}",
        help=at.outside_transaction("\n".join(("-- first create what you still need:", *steps))),
        relations=(table.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _without_column(index: Index, table: Relation, column: Column, name: Name) -> str | None:
    """Returns the CREATE INDEX of the same index without a column; None if that would be another index: the condition or an expression uses
    the column, no key remains, or a unique index would refuse more."""
    keys = [key for key in index.keys if key.column != column.number]
    uses = (*(number for key in keys for number in key.columns), *(index.predicate.columns if index.predicate is not None else ()))
    if not keys or column.number in uses or (index.unique and len(keys) < len(index.keys)):
        return None
    words = [f"CREATE {'UNIQUE ' if index.unique else ''}INDEX CONCURRENTLY ON {name}"]
    if index.method != "btree":
        words.append(f"USING {index.method}")
    words.append(f"({', '.join(_key(key, table) for key in keys)})")
    include = [other.name for number in index.include if number != column.number and (other := table.column_numbered(number)) is not None]
    if include:
        words.append(f"INCLUDE ({', '.join(map(quoted, include))})")
    if index.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if index.predicate is not None:
        words.append(f"WHERE {index.predicate.expression.sql}")
    return " ".join(words)


def _key(key: Key, table: Relation) -> str:
    """Returns a key of an index as CREATE INDEX writes it."""
    column = table.column_numbered(key.column) if key.column is not None else None
    words = [quoted(column.name) if column is not None else f"({key.formula.expression.sql if key.formula is not None else ''})"]
    if key.collation is not None:
        words.append(f"COLLATE {key.collation}")
    if key.opclass is not None:
        words.append(str(key.opclass))
    if key.descending:
        words.append("DESC")
    if key.nulls_first is not None and key.nulls_first is not key.descending:
        words.append(f"NULLS {'FIRST' if key.nulls_first else 'LAST'}")
    return " ".join(words)
