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

from collections.abc import Sequence

from msgspec.structs import replace

from migsafe.linting.facts.index_builds import concurrent_build
from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.definitions import index_definition
from migsafe.schema.dependents import Part
from migsafe.schema.descriptions import describe_with_schema
from migsafe.schema.objects import Column, Constraint, Index, Relation
from migsafe.schema.redundancy import dropped_with_column
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import CreateIndex, DropColumn, Name
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
    objects = ", ".join(describe_with_schema(at.catalog, Part(dropped.oid)) for dropped in taken)
    return at.finding(
        op,
        f"DROP COLUMN {quoted(op.column)} silently drops objects that also cover other columns of {table.name}: {objects}",
        help=_help(taken, table, column, op.target.name, at),
        relations=(table.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _help(taken: Sequence[Index | Constraint], table: Relation, column: Column, name: Name, at: Context) -> str:
    """Returns what replaces the dropped objects, before they are dropped."""
    partitioned = partitioned_table(at, name)
    steps, builds = ["-- first create what you still need:"], []
    for dropped in taken:
        index = _without_column(dropped, table, column, name) if isinstance(dropped, Index) else None
        description = describe_with_schema(at.catalog, Part(dropped.oid))
        if index is not None and partitioned is not None:
            builds.append(concurrent_build(at, index, None))
        elif index is not None:
            steps.append(f"{create_index(index, None, concurrently=True)};")
        elif isinstance(dropped, Index) and dropped.unique:
            steps.append(f"-- replace {description}, if duplicates must still be refused: UNIQUE on its other columns alone refuses more")
        else:
            steps.append(f"-- replace {description}, if it is still needed")
    return "\n".join((*steps, join_migrations(*builds))) if builds else at.outside_transaction("\n".join(steps))


def _without_column(index: Index, table: Relation, column: Column, name: Name) -> CreateIndex | None:
    """Returns the same index without a column and a name; None if that would be another index: the condition or an expression uses the column,
    no key remains, or a unique index would refuse more."""
    keys = tuple(key for key in index.keys if key.column != column.number)
    uses = (*(number for key in keys for number in key.columns), *(index.predicate.columns if index.predicate is not None else ()))
    if not keys or column.number in uses or (index.unique and len(keys) < len(index.keys)):
        return None
    include = tuple(number for number in index.include if number != column.number)
    return replace(index_definition(table, replace(index, keys=keys, include=include)), name=None, table=name)
