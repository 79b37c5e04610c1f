"""How a safe way builds an index."""

from collections.abc import Iterator, Sequence

from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_index_name, default_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import CreateIndex, IndexElement, Name
from migsafe.text import Span

_SHOWN = 2
"""The number of partitions whose statements a safe way shows."""
_MOST_FIXED = 24
"""The number of partitions for which a fix writes migrations."""


def repeatable_index_build(at: Context, index: Name, create: str) -> str:
    """Returns a CREATE INDEX CONCURRENTLY that can run again, outside a transaction; `create` is the statement without `;`.

    A build that fails leaves an INVALID index, which keeps the name: rows with equal values stop that of a unique index. Where each statement
    has a migration of its own, a DROP INDEX before it would have run already, and the next run does not repeat it.
    """
    if at.is_alone_outside:
        return f"{at.outside_transaction(f'{create};')}\n-- a build that fails leaves {index} INVALID: drop it before the next run"
    return at.outside_transaction(f"DROP INDEX CONCURRENTLY IF EXISTS {index};\n{create};")


def plain_index(table: Name, columns: Sequence[str]) -> CreateIndex:
    """Returns the operation that creates an index on columns of a table."""
    return CreateIndex(span=Span(0, 0), name=None, table=table, elements=tuple(IndexElement(column=column) for column in columns))


def concurrent_build(at: Context, op: CreateIndex, name: str | None) -> str:
    """Returns the migrations that build an index, with a name or without one, on a table that is in use. PostgreSQL refuses CONCURRENTLY on a
    partitioned table (DefineIndex in indexcmds.c), so there they build the indexes of its partitions."""
    parent = partitioned_table(at, op.table)
    if parent is not None:
        return index_by_partition(at, op, name or partitioned_index_name(at, op), parent)
    return at.outside_transaction(f"{create_index(op, name, concurrently=True)};")


def partitioned_index_name(at: Context, op: CreateIndex) -> str:
    """Returns the name of an index to whose partitions' indexes ALTER INDEX must attach it."""
    return op.name or default_index_name(op, at.catalog) or default_name(op.table.name, (), "idx")


def index_by_partition(at: Context, op: CreateIndex, name: str, parent: Relation) -> str:
    """Returns the migrations that create an index of a partitioned table, partition by partition, with each index built CONCURRENTLY."""
    return join_migrations(*_steps(at, op, Name(name, op.table.schema), op.table, parent, _SHOWN))


def fix_by_partition(at: Context, op: CreateIndex, name: str, parent: Relation) -> str:
    """Returns the same for all partitions, so that the index becomes valid; empty if the history creates none, or very many."""
    if not 0 < len(at.catalog.children(parent.oid)) <= _MOST_FIXED:
        return ""
    return join_migrations(*_steps(at, op, Name(name, op.table.schema), op.table, parent, _MOST_FIXED))


def _steps(at: Context, op: CreateIndex, name: Name, table: Name, parent: Relation, shown: int) -> Iterator[str]:
    children = at.catalog.children(parent.oid)
    columns = [element.column or "expr" for element in op.elements]
    yield f"{create_index(op, name.name, only=True, table=table)};"
    for child in children[:shown]:
        index = Name(default_name(child.name.name, columns, "idx"), child.name.schema)
        if child.kind is RelationKind.PARTITIONED:
            yield from _steps(at, op, index, child.name, child, shown)
        else:
            yield at.outside_transaction(f"{create_index(op, index.name, concurrently=True, table=child.name)};")
        more = f"\n-- repeat this for the other {len(children) - shown} partitions; then {name} becomes valid"
        is_last = len(children) > shown and child is children[shown - 1]
        yield f"ALTER INDEX {name} ATTACH PARTITION {index};{more if is_last else ''}"
    if not children:
        partition = Name(f"{parent.name.name}_partition", parent.name.schema)
        index = Name(default_name(partition.name, columns, "idx"), partition.schema)
        built = f"{create_index(op, index.name, concurrently=True, table=partition)};"
        yield f"-- replace {partition} with each partition; then {name} becomes valid:\n{at.outside_transaction(built)}"
        yield f"ALTER INDEX {name} ATTACH PARTITION {index};"
