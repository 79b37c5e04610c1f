"""Ownership: the objects that the migration itself created, and the names that it removes.

The running release knows only the objects that existed before the migration. It cannot use an object that the migration created, with or
without rows; and a name that another object gets in the same transaction is never missing for it.
"""

from collections.abc import Iterator
from enum import Enum

from migsafe.linting.earlier import PastOperation
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
    """How long a name that the migration removes is missing for other sessions."""

    NONE = "the same transaction gives it to another object"
    TEMPORARY = "a later transaction of the migration gives it to another object"
    PERMANENT = "the migration gives it to no other object"


def is_created_here(at: Context, name: Name) -> bool:
    """Whether the migration created the relation itself, or only its session can see it."""
    return _is_created_here(at, at.catalog.relation(name))


def _is_created_here(at: Context, relation: Relation | None) -> bool:
    if relation is None:
        return False
    if relation.persistence is Persistence.TEMPORARY:
        return True
    return relation.created_in == at.catalog.migration and (relation.complete or not _may_have_existed(at, relation.name))


def _may_have_existed(at: Context, name: Name) -> bool:
    """Whether IF NOT EXISTS may have found a relation that no migration created."""
    return name in at.fact(_perhaps_found)


def _perhaps_found(at: Context) -> frozenset[Name]:
    """Returns the relations that IF NOT EXISTS created or found in this migration."""
    names = set()
    for done in at.past:
        match done.operation:
            case sql.CreateTable(table=created, if_not_exists=True) | sql.CreateTableAs(table=created, if_not_exists=True):
                names.add(at.resolve(created))
            case sql.CreateMaterializedView(view=created, if_not_exists=True) | sql.CreateSequence(sequence=created, if_not_exists=True):
                names.add(at.resolve(created))
    return frozenset(names)


def is_column_created_here(at: Context, table: Name, column: str) -> bool:
    """Whether the migration added the column itself, or created its table."""
    return is_created_here(at, table) or added_column(at, table, column) is not None


def added_column(at: Context, table: Name, column: str) -> sql.AddColumn | None:
    """Returns the ADD COLUMN of this migration that added the column."""
    resolved = at.resolve(table)
    for done in at.past:
        match done.operation:
            case sql.AddColumn() as op if op.column.name == column and at.resolve(op.target.name) == resolved:
                if not op.if_not_exists or done.found_nothing:
                    return op
    return None


def is_column_named_here(at: Context, table: Name, column: str) -> bool:
    """Whether a RENAME COLUMN of this migration gave the column its name, so that no release knows it."""
    resolved = at.resolve(table)
    return any(
        isinstance(done.operation, sql.RenameColumn)
        and done.operation.new_name == column
        and at.resolve(done.operation.target.name) == resolved
        for done in at.past
    )


def column_that_returns(at: Context, position: int) -> PastOperation | None:
    """Returns the operation that gives a column the name which the DROP COLUMN or RENAME COLUMN at `position` removes, in the same transaction:
    an ADD COLUMN or a RENAME COLUMN. To be called at the end of the migration."""
    removed = at.past[position]
    assert isinstance(removed.operation, sql.DropColumn | sql.RenameColumn)
    table, name = at.resolve(removed.operation.target.name), removed.operation.column
    for number, done in enumerate(at.past):
        # PostgreSQL drops columns before it adds others, in whatever order one ALTER TABLE names them.
        is_same_statement = done.statement is removed.statement
        is_later = number > position and done.transaction is not None and done.transaction == removed.transaction
        if not (is_same_statement or is_later):
            continue
        match done.operation:
            case sql.AddColumn(column=added) as op if added.name == name and at.resolve(op.target.name) == table:
                return done
            case sql.RenameColumn(new_name=new_name) as op if new_name == name and at.resolve(op.target.name) == table:
                return done
    return None


def is_updated_here(at: Context, table: Name) -> bool:
    """Whether the migration copies values within a table, as far as an UPDATE tells."""
    return any(isinstance(done.operation, sql.Update) and at.resolve(done.operation.table) == at.resolve(table) for done in at.past)


def is_name_created_here(at: Context, kind: str, name: Name, *, created: bool = False) -> bool:
    """Whether the migration itself introduced a name: it created the object, or renamed it. `created`: only the former counts."""
    wanted = _GROUPS.get(kind, kind), at.catalog.in_first_schema(name)
    operations = (done.operation for done in at.past if not (created and isinstance(done.operation, sql.Rename | sql.SetSchema)))
    return any(wanted == introduced for operation in operations for introduced in _introduced_names(at, operation))


def is_trigger_function(at: Context, kind: str, name: Name) -> bool:
    """Whether a function can only be called by triggers."""
    functions = at.catalog.functions(name) if _GROUPS.get(kind) == "routine" else []
    return bool(functions) and all("trigger" in function.returns for function in functions)


def name_absence(at: Context, position: int, kind: str, name: Name) -> NameAbsence:
    """Returns how long a name is missing that the operation at `position` removes; to be called at the end of the migration."""
    wanted = _GROUPS.get(kind, kind), at.catalog.in_first_schema(name)
    for done in at.past[position + 1 :]:
        if wanted in _introduced_names(at, done.operation):
            return NameAbsence.NONE if done.transaction == at.past[position].transaction else NameAbsence.TEMPORARY
    return NameAbsence.PERMANENT


def _introduced_names(at: Context, op: Operation) -> Iterator[tuple[str, Name]]:
    """Yields the names that an operation introduces, each with its group."""
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
