"""A name without its schema.

search_path decides which object it means, and the role, the database, the connection and the script may each set it. A migration that
creates public.orders in test may create app.orders in production. Off unless selected: most projects use one schema.

Unsafe:
    ALTER TABLE orders ADD COLUMN weight numeric;

Safe:
    ALTER TABLE public.orders ADD COLUMN weight numeric;

See: https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.lexer import QUOTED, WORD, fold
from migsafe.sql.operations import (
    AlterRelation,
    CreateCompositeType,
    CreateDomain,
    CreateEnum,
    CreateFunction,
    CreateIndex,
    CreateMaterializedView,
    CreateObject,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateView,
    Drop,
    Name,
    Persistence,
)
from migsafe.sql.operations.values import quoted
from migsafe.sql.split import RawStatement, split

_Creates = (
    CreateTable
    | CreateTableAs
    | CreateSequence
    | CreateView
    | CreateMaterializedView
    | CreateIndex
    | CreateEnum
    | CreateCompositeType
    | CreateDomain
    | CreateFunction
    | CreateObject
)

_IN_SCHEMAS = frozenset(
    ("table", "view", "materialized view", "sequence", "type", "domain", "function", "procedure", "routine", "aggregate", "index")
)


class _State(Struct):
    reported: set[tuple[int, Name]] = set()
    """The names that were reported, each with the number of its statement."""


@rule(
    category="design",
    severity=Severity.INFO,
    off=True,
    one_per_migration=True,
    fix="unsafe",
    unsafe_because="the schema is what migsafe predicts from the history, and the search_path of the server may differ",
)
def schema_not_qualified(op: _Creates | AlterRelation | Drop, at: Context) -> Iterator[Finding]:
    """Report the first name of a statement that leaves the schema to search_path."""
    name = next((name for name in _names(op) if name.schema is None), None)
    reported = at.state(_State).reported
    if name is not None and (at.statement.index, name) not in reported:
        reported.add((at.statement.index, name))
        yield at.finding(
            op,
            f"{name} has no schema: search_path decides where it is",
            help=f"-- {at.resolve(name)}",
            subject=str(name),
            fix=_qualified(op, name, at),
        )


def _qualified(op: _Creates | AlterRelation | Drop, name: Name, at: Context) -> str:
    """Returns the statement with the schema of a name; empty if migsafe does not know the object that it alters or drops."""
    is_new = not isinstance(op, AlterRelation | Drop | CreateIndex)
    schema = at.catalog.in_first_schema(name).schema if is_new else at.resolve(name).schema
    start, end = at.statement.span
    text = at.text(start, end)
    place = _place_of_name(op, name, text)
    if schema is None or place is None or not (is_new or at.catalog.relation(name) is not None or at.catalog.index(name) is not None):
        return ""
    return f"{text[:place]}{quoted(schema)}.{text[place:]};"


def _place_of_name(op: _Creates | AlterRelation | Drop, name: Name, text: str) -> int | None:
    """Returns the offset of a name in its statement; the table of an index stands after ON."""
    tokens = next((raw for raw in split(text) if isinstance(raw, RawStatement)), None)
    if tokens is None or (isinstance(op, AlterRelation) and tokens.words[0] != "alter"):
        return None
    first = tokens.words.index("on") if isinstance(op, CreateIndex) and "on" in tokens.words else 0
    for number in range(first + 1, len(tokens.words)):
        start = tokens.starts[number]
        if tokens.kinds[number] in (WORD, QUOTED) and _identifier(text[start : tokens.end_of(number)]) == name.name:
            return start if tokens.words[number - 1] != "." else None
    return None


def _identifier(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else fold(text)


def _names(op: _Creates | AlterRelation | Drop) -> tuple[Name, ...]:
    match op:
        case CreateTable(table=name, persistence=persistence) | CreateTableAs(table=name, persistence=persistence):
            return () if persistence is Persistence.TEMPORARY else (name,)
        case CreateSequence(sequence=name, persistence=persistence):
            return () if persistence is Persistence.TEMPORARY else (name,)
        case CreateView(view=name, temporary=temporary):
            return () if temporary else (name,)
        case CreateMaterializedView(view=name) | CreateEnum(type=name) | CreateCompositeType(type=name) | CreateDomain(domain=name):
            return (name,)
        case CreateFunction(function=name):
            return (name,)
        case CreateObject(kind=kind, name=Name() as name) if kind in _IN_SCHEMAS:
            return (name,)
        case CreateIndex(table=name):
            return (name,)
        case Drop(names=names, kind=kind):
            return names if kind in _IN_SCHEMAS else ()
        case AlterRelation(target=target):
            return (target.name,)
    return ()
