"""The queries of one piece of text, and what could not be read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from msgspec import Struct, msgpack

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sql.grammar.dispatch import STATEMENT_WORDS
from migsafe.sql.operations import CreateTable, CreateTableAs
from migsafe.sql.split import RawStatement, split
from migsafe.sql.statements import read
from migsafe.text import Script
from migsafe.workload.document import MOST_QUERIES
from migsafe.workload.normal_text import normal_text
from migsafe.workload.query import CallSite, Query, UnreadQuery
from migsafe.workload.sources.files import ProjectFiles


class CreatedTable(Struct, frozen=True):
    """A table that the application itself creates, such as a temporary one. No migration need create it."""

    name: str


Found = Query | UnreadQuery | CreatedTable

_QUERIES = frozenset(("select", "insert", "update", "delete", "with", "merge", "values", "table", "("))
_PLACEHOLDER_OF_OTHERS = lazy_pattern(r"(?:[=<>(,]|\b(?:LIMIT|OFFSET|IN|LIKE|AND|VALUES))\s*\?(?=\s*(?:[,);]|\Z|AND\b|OR\b|LIMIT\b|ORDER\b))")


class Piece(Struct, frozen=True, kw_only=True):
    """A piece of SQL in a project's file: its text with parameters of PostgreSQL, the offset at which it begins in the file, and the name that
    the project gives it. `hole` says why it is not a whole query, as the end of a sentence."""

    text: str
    start: int
    name: str = ""
    hole: str = ""
    parameters: tuple[str | None, ...] = ()


_T = TypeVar("_T")


class _TooMany(Exception):
    """A file has more statements than an application has queries."""


def _bounded(found: Iterable[_T]) -> list[_T]:
    """Returns what is found. Raises _TooMany."""
    bounded = list(islice(found, MOST_QUERIES + 1))
    if len(bounded) > MOST_QUERIES:
        raise _TooMany
    return bounded


_Kept = tuple[list[Query], list[UnreadQuery], list[CreatedTable]]
_DECODER = msgpack.Decoder(_Kept)


def kept_queries(files: ProjectFiles, kind: Sequence[str], text: str, read: Callable[[], Iterable[Found]]) -> list[Found]:
    """Returns the queries that `read` yields for the text of a file; from an earlier run, if that has stored them. Raises UnreadableError if
    there are too many."""

    def divided() -> _Kept:
        try:
            found = _bounded(read())
        except _TooMany as error:
            message = f"{files.path(kind[1])}: has more than {MOST_QUERIES:,} statements"
            raise UnreadableError(message, "A dump contains data, no queries. Name the files of the application's queries.") from error
        return (
            [each for each in found if isinstance(each, Query)],
            [each for each in found if isinstance(each, UnreadQuery)],
            [each for each in found if isinstance(each, CreatedTable)],
        )

    queries, unread, created = files.kept(kind, text, divided, _DECODER)
    return [*queries, *unread, *created]


def queries_of(piece: Piece, script: Script, *, is_sql: bool = False) -> Iterator[Found]:
    """Yields the queries of a piece: its SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES statements, and the tables that it creates. Other
    statements are left out; if the project says that the piece `is_sql`, a text that begins no statement is one that could not be read."""
    place = CallSite(script.path, script.position(piece.start).line, piece.name)
    if piece.hole:
        yield UnreadQuery(place, piece.hole)
        return
    statements = _bounded(_statements(piece.text))
    unknown = next((each.words[0] for each in statements if each.words[0] not in STATEMENT_WORDS), None) if is_sql else None
    if unknown is not None:
        yield UnreadQuery(place, f"no statement of PostgreSQL begins with {unknown.upper()}")
        return
    for text in _query_texts(piece.text, statements):
        yield read_query(text, (place,), piece.parameters)
    yield from _created_tables(piece.text, statements)


def query_texts(text: str) -> list[str]:
    """Returns the SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES statements of a text."""
    return _query_texts(text, list(_statements(text)))


def _created_tables(text: str, statements: Sequence[RawStatement]) -> Iterator[CreatedTable]:
    if any(each.words[0] == "create" for each in statements):
        for statement in read(text):
            for operation in statement.operations:
                if isinstance(operation, CreateTable | CreateTableAs):
                    yield CreatedTable(str(operation.table))


def _statements(text: str) -> Iterator[RawStatement]:
    return (each for each in split(text) if isinstance(each, RawStatement) and each.words)


def _query_texts(text: str, statements: Sequence[RawStatement]) -> list[str]:
    return [text if len(statements) == 1 else text[each.starts[0] : each.starts[-1]] for each in statements if each.words[0] in _QUERIES]


def read_query(text: str, places: Sequence[CallSite], parameters: Sequence[str | None] = ()) -> Found:
    """Returns the query of a text that the project contains, with its literals; what says why it cannot be read."""
    normal = normal_text(text, mask=False)
    if not normal.complete:
        return UnreadQuery(places[0], "it ends inside a string, an identifier or a comment")
    if "?" in normal.text and _PLACEHOLDER_OF_OTHERS.search(normal.text):
        return UnreadQuery(places[0], "its placeholders are question marks; $1, :name and %s are read")
    return Query(text=normal.text, fingerprint=normal.fingerprint, parameters=normal.parameters(parameters), places=tuple(places))
