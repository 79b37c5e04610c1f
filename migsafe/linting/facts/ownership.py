"""What nobody but the migration itself can have seen, and which names it keeps alive for those who have.

A release that is running knows the objects that were there before. What the migration has made itself it cannot name, with rows in it or
not; and a name that is given to something else within one transaction is never missing.
"""

from collections.abc import Iterator
from enum import Enum

from migsafe.linting.rule import Context
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Persistence

_GROUPS = {
    **dict.fromkeys(("table", "foreign table", "view", "materialized view", "sequence"), "relation"),
    **dict.fromkeys(("type", "domain"), "type"),
    **dict.fromkeys(("function", "procedure", "routine", "aggregate"), "routine"),
    "schema": "schema",
}


class NameAbsence(Enum):
    """For how long a name that is taken away means nothing."""

    NONE = "its transaction gives it to something else"
    SHORT = "the migration gives it to something else, in a transaction of its own"
    LASTING = "it stays away"


def is_created_here(at: Context, name: Name) -> bool:
    """Whether the migration has made a relation itself, or only its session can see it."""
    return _is_created_here(at, at.catalog.relation(name))


def _is_created_here(at: Context, relation: Relation | None) -> bool:
    if relation is None:
        return False
    if relation.persistence is Persistence.TEMPORARY:
        return True
    return relation.made_in == at.catalog.migration and (relation.complete or not _may_be_old(at, relation.name))


def _may_be_old(at: Context, name: Name) -> bool:
    """Whether IF NOT EXISTS may have found a relation that no migration made."""
    for done in at.past:
        match done.operation:
            case sql.CreateTable(table=made, if_not_exists=True) | sql.CreateTableAs(table=made, if_not_exists=True):
                if at.resolve(made) == name:
                    return True
            case sql.CreateMaterializedView(view=made, if_not_exists=True) | sql.CreateSequence(sequence=made, if_not_exists=True):
                if at.resolve(made) == name:
                    return True
    return False


def is_column_created_here(at: Context, table: Name, column: str) -> bool:
    """Whether the migration has made a column itself, or its table."""
    return is_created_here(at, table) or added_column(at, table, column) is not None


def added_column(at: Context, table: Name, column: str) -> sql.AddColumn | None:
    """The ADD COLUMN of this migration that made a column."""
    resolved = at.resolve(table)
    for done in at.past:
        match done.operation:
            case sql.AddColumn() as op if op.column.name == column and not op.if_not_exists and at.resolve(op.target.name) == resolved:
                return op
    return None


def is_name_created_here(at: Context, kind: str, name: Name, *, made: bool = False) -> bool:
    """Whether the migration itself has brought a name up: it made the object, or (unless it must be `made`) gave it this name."""
    wanted = _GROUPS.get(kind, kind), at.catalog.in_first_schema(name)
    operations = (done.operation for done in at.past if not (made and isinstance(done.operation, sql.Rename | sql.SetSchema)))
    return any(wanted == brought for operation in operations for brought in _brought(at, operation))


def is_trigger_function(at: Context, kind: str, name: Name) -> bool:
    """Whether nothing but triggers can call a function."""
    found = at.catalog.functions(name) if _GROUPS.get(kind) == "routine" else []
    return bool(found) and all("trigger" in function.returns for function in found)


def name_absence(at: Context, position: int, kind: str, name: Name) -> NameAbsence:
    """For how long a name means nothing that an operation of this migration takes away, asked when the migration ends."""
    wanted = _GROUPS.get(kind, kind), at.catalog.in_first_schema(name)
    for done in at.past[position + 1 :]:
        if wanted in _brought(at, done.operation):
            return NameAbsence.NONE if done.transaction == at.past[position].transaction else NameAbsence.SHORT
    return NameAbsence.LASTING


def _brought(at: Context, op: Operation) -> Iterator[tuple[str, Name]]:
    """The names that an operation brings up, each with its group."""
    full = at.catalog.in_first_schema
    match op:
        case sql.CreateTable(table=name) | sql.CreateTableAs(table=name):
            yield "relation", full(name)
        case sql.CreateView(view=name) | sql.CreateMaterializedView(view=name):
            yield "relation", full(name)
        case sql.CreateSequence(sequence=name):
            yield "relation", full(name)
        case sql.CreateEnum(type=name) | sql.CreateCompositeType(type=name) | sql.CreateDomain(domain=name):
            yield "type", full(name)
        case sql.CreateFunction(function=name):
            yield "routine", full(name)
        case sql.CreateSchema(schema=str(schema)):
            yield "schema", full(Name(schema))
        case sql.CreateObject(kind=kind, name=Name() as name):
            yield _GROUPS.get(kind, kind), full(name)
        case sql.Rename(kind=kind, name=old, new_name=new_name):
            yield _GROUPS.get(kind, kind), Name(new_name, full(old).schema)
        case sql.SetSchema(kind=kind, name=old, schema=schema):
            yield _GROUPS.get(kind, kind), Name(old.name, schema)
