"""An index whose work another index also does.

An index on (a) answers no query that one on (a, b) cannot, and of two indexes on the same columns one is unused. Each costs disk space,
cache, and time in every INSERT and most UPDATEs. An index is redundant if another one begins with its keys, with the same method, operator
classes, collations and condition, and has all its included columns. A unique index is redundant only next to another unique index on the
same keys. Not reported: what the migration itself or a later one of the run corrects, and an older index that a new one replaces; a later
migration drops it when the new one exists.

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

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.objects import Index
from migsafe.schema.redundancy import makes_redundant
from migsafe.sql.definitions import table_of
from migsafe.sql.generation import WITHOUT_STATEMENT
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind, CreateIndex, CreateTable, Name
from migsafe.sql.operations.values import quoted


class _State(Struct):
    additions: list[tuple[int, int]] = []
    """The positions of operations that may create indexes, each with the last oid before it."""


@rule(
    category="indexes",
    severity=Severity.WARNING,
    fix="unsafe",
    unsafe_because="it omits the index, which models of the application may declare",
    changes_indexes=True,
)
def redundant_index(op: CreateIndex | AddConstraint | AddColumn | CreateTable | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record operations that add indexes, and report the indexes that are redundant at the end of the migration."""
    if not isinstance(op, MigrationEnd):
        at.state(_State).additions.append((at.position, at.catalog.last_oid))
        return
    additions = at.state(_State).additions
    ends = [last for _, last in (*additions, (0, at.catalog.last_oid))][1:]
    reported: set[int] = set()
    for (position, first), end in zip(additions, ends, strict=True):
        done = at.past[position]
        for index in _created(at, done, first, end):
            yield from _redundant(at, done, index, reported)


def _created(at: Context, done: PastOperation, first: int, end: int) -> list[Index]:
    """Returns the indexes that an operation created and that still exist, without the indexes of partitions."""
    op = done.operation
    table = at.catalog.relation(op.table if isinstance(op, CreateIndex) else table_of(op))  # type: ignore[arg-type]  # the recorded operations
    indexes = at.catalog.indexes(table.oid) if table is not None else []
    return [index for index in indexes if first < index.oid <= end and index.parent is None]


def _redundant(at: Context, done: PastOperation, index: Index, reported: set[int]) -> Iterator[Finding]:
    for other in at.catalog.indexes(index.table):
        if index.oid in reported or other.parent is not None:
            continue
        if makes_redundant(at.catalog, index, other):
            reported.add(index.oid)
            yield _finding(at, done, index, other)


def _is_alone(done: PastOperation) -> bool:
    """Whether a statement does nothing but to create an index, so that it can be omitted."""
    return isinstance(done.operation, CreateIndex) and len(done.statement.operations) == 1


def _finding(at: Context, done: PastOperation, index: Index, other: Index) -> Finding:
    table = at.catalog[index.table].name
    relationship = "has the same keys" if len(index.keys) == len(other.keys) else "begins with the same keys"
    constraint = constraint_of_index(at.catalog, index)
    if constraint is not None and constraint.kind is ConstraintKind.PRIMARY_KEY:
        help = _without(at, table, other, index)
    else:
        help = f"-- omit {quoted(index.name.name)}"
        if not at.is_new(table):
            help += f"; where the migration has run already:\n{_drop(at, table, index)}"
    return at.finding(
        done,
        f"the index {index.name.name} of {table} is redundant: {other.name.name} {relationship}, and every INSERT and UPDATE maintains both",
        help=help,
        fix=WITHOUT_STATEMENT if _is_alone(done) else "",
        relations=(table,),
        subject=f"{index.name.name} of {table}",
        while_exist=(index, other),
    )


def _drop(at: Context, table: Name, index: Index) -> str:
    constraint = constraint_of_index(at.catalog, index)
    if constraint is not None:
        return f"ALTER TABLE {table} DROP CONSTRAINT {quoted(constraint.name.name)};"
    return at.outside_transaction(f"DROP INDEX CONCURRENTLY {index.name};")


def _without(at: Context, table: Name, older: Index, key: Index) -> str:
    """Returns how to keep the primary key, which the table needs, without the older index."""
    references = [constraint.name.name for constraint in at.catalog.foreign_keys_to(older.table) if constraint.index == older.oid]
    first = f"-- first drop the foreign keys that need it, and add them again afterwards: {', '.join(references)}\n" if references else ""
    return f"-- keep {quoted(key.name.name)}, and drop {quoted(older.name.name)}:\n{first}{_drop(at, table, older)}"
