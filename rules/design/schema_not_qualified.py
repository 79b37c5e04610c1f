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


@rule(category="design", severity=Severity.INFO, off=True, one_per_migration=True)
def schema_not_qualified(op: _Creates | AlterRelation | Drop, at: Context) -> Iterator[Finding]:
    """Report the first name of a statement that leaves the schema to search_path."""
    name = next((name for name in _names(op) if name.schema is None), None)
    reported = at.state(_State).reported
    if name is not None and (at.statement.index, name) not in reported:
        reported.add((at.statement.index, name))
        yield at.finding(op, f"{name} has no schema: search_path decides where it is", help=f"-- {at.resolve(name)}", subject=str(name))


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
