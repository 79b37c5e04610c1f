"""The relations and indexes that a migration creates after it has dropped what may have had their names: DROP … IF EXISTS a; CREATE … a."""

from collections.abc import Iterator

from migsafe.patterns import lazy_pattern
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation

_DROPS_IF_EXISTS = lazy_pattern(r"drop\s[^;]*\bif\s+exists\b")
"""It is searched in lower case: with IGNORECASE, Python tries it at every character."""
_LONGEST_SCRIPT = 200_000
"""A longer script is a dump, whose statements are not read twice."""


def recreated_names(half: Half) -> frozenset[Name]:
    """Returns the names, as written, which a DROP … IF EXISTS of the migration has and a later CREATE without IF NOT EXISTS gives to a relation
    or to an index (also with the schema of its table)."""
    if half.program is not None or len(half.script.text) > _LONGEST_SCRIPT or not _DROPS_IF_EXISTS.search(half.script.text.lower()):
        return frozenset()
    dropped: set[Name] = set()
    found: set[Name] = set()
    for statement, _, _ in sent_statements(half):
        for operation in statement.operations:
            if isinstance(operation, sql.Drop) and operation.if_exists:
                dropped.update(operation.names)
            found.update(name for name in _created(operation) if name in dropped)
    return frozenset(found)


def _created(operation: Operation) -> Iterator[Name]:
    match operation:
        case sql.CreateTable(table=name, if_not_exists=False) | sql.CreateTableAs(table=name, if_not_exists=False):
            yield name
        case sql.CreateMaterializedView(view=name, if_not_exists=False) | sql.CreateView(view=name, or_replace=False):
            yield name
        case sql.CreateIndex(name=str(index), table=table, if_not_exists=False):
            yield Name(index, table.schema)
            yield Name(index)
