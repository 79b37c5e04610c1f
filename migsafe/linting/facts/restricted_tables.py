"""Tables that a migration fills with a part of the rows only, so that a join with them restricts the rows of a statement."""

from collections.abc import Callable, Iterator

from migsafe.linting.rule import Context
from migsafe.sql.operations import CreateTable, CreateTableAs, Delete, Insert, Name, Update


def joins_restricted_table(op: Update | Delete, at: Context, restricts: Callable[[str], bool]) -> bool:
    """Whether a statement joins a table that the migration has created and filled, before it, with constants or with queries that restrict
    their rows. `restricts` says that of the condition `ctid IN (query)`."""
    return any(_is_restricted(name, at, restricts) for name in dict.fromkeys(op.reads) if name != op.table)


def _is_restricted(table: Name, at: Context, restricts: Callable[[str], bool]) -> bool:
    fills = list(_fills(table, at))
    return bool(fills) and all(query is None or restricts(f"ctid IN ({query})") for query in fills)


def _fills(table: Name, at: Context) -> Iterator[str | None]:
    """Yields the queries whose rows a table of this migration has, None for constants; nothing for another table."""
    resolved = at.resolve(table)
    is_created = False
    for done in at.past:
        match done.operation:
            case CreateTable(table=created, if_not_exists=False):
                is_created = is_created or at.resolve(created) == resolved
            case CreateTableAs(table=created, if_not_exists=False, query=query) if at.resolve(created) == resolved:
                is_created = True
                if query is not None:
                    yield query.sql
            case Insert(table=filled, source=source) if is_created and at.resolve(filled) == resolved:
                yield None if source == "values" else _query_of(at.text(*done.operation.span))


def _query_of(insert: str) -> str:
    """Returns the query of an INSERT … SELECT; all rows if it is not found."""
    start = insert.lower().find("select")
    return insert[start:].rstrip().rstrip(";") if start >= 0 else "SELECT 1"
