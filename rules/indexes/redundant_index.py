"""An index that does nothing which another one does not do too.

An index on (a) answers no query that one on (a, b) cannot, and of two on the same columns one is idle. Each costs disk, cache and time in
every INSERT and UPDATE, and stands in the way of HOT updates. Redundant is an index whose keys another one begins with, under the same
method, operator classes, collations and condition, and which includes no column that the other lacks. A unique index is redundant only
beside another that is unique on the same keys. What the migration itself puts right by its end is not reported, nor is an older index
that a new one replaces: a later migration drops it, once the new one is there.

Unsafe:
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL,
        placed_at timestamptz NOT NULL
    );
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    CREATE INDEX orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);

Safe:
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL,
        placed_at timestamptz NOT NULL
    );
    CREATE INDEX orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);

See: https://www.postgresql.org/docs/current/indexes-multicolumn.html
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.constraints import behind_index
from migsafe.schema.cover import makes_redundant
from migsafe.schema.objects import Index
from migsafe.sql.definitions import table_of
from migsafe.sql.operations import AddColumn, AddConstraint, CreateIndex, CreateTable
from migsafe.sql.operations.values import quoted


@rule(category="indexes", severity=Severity.WARNING)
def redundant_index(op: CreateIndex | AddConstraint | AddColumn | CreateTable | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note what adds indexes, and report those that are redundant when the migration ends."""
    if not isinstance(op, MigrationEnd):
        at.notes.append((len(at.past), at.catalog.last_oid))
        return
    ends = [last for _, last in (*at.notes, (0, at.catalog.last_oid))][1:]
    reported: set[int] = set()
    for (position, first), end in zip(at.notes, ends, strict=True):
        done = at.past[position]
        for index in _made(at, done, first, end):
            yield from _redundant(at, done, index, reported)


def _made(at: Context, done: PastOperation, first: int, end: int) -> list[Index]:
    """The indexes that an operation has made and that are still there, but for the parts that partitions got."""
    op = done.operation
    table = at.catalog.relation(op.table if isinstance(op, CreateIndex) else table_of(op))  # type: ignore[arg-type]  # the noted ones
    indexes = at.catalog.indexes(table.oid) if table is not None else []
    return [index for index in indexes if first < index.oid <= end and index.parent is None]


def _redundant(at: Context, done: PastOperation, index: Index, reported: set[int]) -> Iterator[Finding]:
    for other in at.catalog.indexes(index.table):
        if index.oid in reported or other.parent is not None:
            continue
        if makes_redundant(at.catalog, index, other):
            reported.add(index.oid)
            yield _finding(at, done, index, other)


def _finding(at: Context, done: PastOperation, index: Index, other: Index) -> Finding:
    table = at.catalog[index.table].name
    likeness = "has the same keys" if len(index.keys) == len(other.keys) else "begins with the same keys"
    constraint = behind_index(at.catalog, index)
    if at.is_new(table):
        help = f"-- leave out {quoted(index.name.name)}"
    elif constraint is not None:
        help = f"ALTER TABLE {table} DROP CONSTRAINT {quoted(constraint.name.name)};"
    else:
        help = at.outside_transaction(f"DROP INDEX CONCURRENTLY {index.name};")
    return at.finding(
        done,
        f"the index {index.name.name} of {table} is redundant: {other.name.name} {likeness}, and every INSERT and UPDATE maintains both",
        help=help,
        relations=(table,),
    )
