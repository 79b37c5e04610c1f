"""How a safe way builds an index."""

from collections.abc import Iterator

from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import CreateIndex, Name

_SHOWN = 2
"""The number of partitions whose statements a safe way shows."""
_MOST_FIXED = 24
"""The number of partitions for which a fix writes migrations."""


def repeatable_index_build(at: Context, index: Name, create: str) -> str:
    """Returns a CREATE INDEX CONCURRENTLY that can run again, outside a transaction; `create` is the statement without `;`.

    A build that fails leaves an INVALID index, which keeps the name: rows with equal values stop that of a unique index.
    """
    return at.outside_transaction(f"DROP INDEX CONCURRENTLY IF EXISTS {index};\n{create};")


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
