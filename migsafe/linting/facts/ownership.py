"""Ownership: the objects that the release itself created, and the names that the migration removes.

The running release knows only the objects that existed before the release. It cannot use an object that the release created, with or without
rows; and a name that another object gets in the same transaction is never missing for it. A release is the migration, and the earlier ones
that are deployed with it, if these are known (`schema/release.py`). What depends on the transaction, or on a run of the migration alone, asks
for the migration instead.
"""

from enum import Enum

from migsafe.linting.earlier import PastOperation
from migsafe.linting.rule import Context
from migsafe.schema.release_changes import INTRODUCING, column_key, introduced_names, name_group
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Persistence


class NameAbsence(Enum):
    """How long a name that the migration removes is missing for other sessions."""

    NONE = "the same transaction gives it to another object"
    TEMPORARY = "a later transaction of the migration gives it to another object"
    PERMANENT = "the migration gives it to no other object"


def is_created_here(at: Context, name: Name) -> bool:
    """Whether the release created the relation itself, or only the migration's session can see it."""
    relation = at.catalog.relation(name)
    if relation is None or is_created_by_migration(at, name):
        return relation is not None
    return at.catalog.release.contains(relation.created_in, relation.name) and not relation.may_be_older


def is_created_by_migration(at: Context, name: Name) -> bool:
    """Whether the migration created the relation itself, or only its session can see it."""
    relation = at.catalog.relation(name)
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
    """Whether the release added the column itself, or created its table."""
    return is_created_here(at, table) or added_column(at, table, column) is not None


def is_column_created_by_migration(at: Context, table: Name, column: str) -> bool:
    """Whether the migration added the column itself, or created its table."""
    return is_created_by_migration(at, table) or column_added_by_migration(at, table, column) is not None


def added_column(at: Context, table: Name, column: str) -> sql.AddColumn | None:
    """Returns the ADD COLUMN of this release that added the column. Its places may be those of another file."""
    added = column_added_by_migration(at, table, column)
    if added is not None:
        return added
    key = column_key(at.catalog, table, column)
    return at.catalog.release.added_column(key, column) if key is not None else None


def column_added_by_migration(at: Context, table: Name, column: str) -> sql.AddColumn | None:
    """Returns the ADD COLUMN of this migration that added the column."""
    resolved = at.resolve(table)
    for done in at.past:
        match done.operation:
            case sql.AddColumn() as op if op.column.name == column and at.resolve(op.target.name) == resolved:
                if not op.if_not_exists or done.found_nothing:
                    return op
    return None


def is_column_named_here(at: Context, table: Name, column: str) -> bool:
    """Whether a RENAME COLUMN of this release gave the column its name, so that the running release does not know it."""
    resolved = at.resolve(table)
    return has_new_name(at, table, column) or any(
        isinstance(done.operation, sql.RenameColumn)
        and done.operation.new_name == column
        and at.resolve(done.operation.target.name) == resolved
        for done in at.past
    )


def has_new_name(at: Context, table: Name, column: str) -> bool:
    """Whether a RENAME COLUMN gave the column a name that no column has in the running release, as far as the release is known."""
    key = column_key(at.catalog, table, column)
    return key is not None and at.catalog.release.has_renamed(key, column)


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
    """Whether the release copies values within a table, as far as an UPDATE tells."""
    relation = at.catalog.relation(table)
    if relation is not None and at.catalog.release.has_updated(relation.oid):
        return True
    return any(isinstance(done.operation, sql.Update) and at.resolve(done.operation.table) == at.resolve(table) for done in at.past)


def is_name_created_here(at: Context, kind: str, name: Name, *, created: bool = False) -> bool:
    """Whether the release itself introduced a name: it created the object, or renamed it. `created`: only the former counts."""
    wanted = name_group(kind), at.catalog.in_first_schema(name)
    return at.catalog.release.introduced(wanted, created=created) or is_name_created_by_migration(at, kind, name, created=created)


def is_name_created_by_migration(at: Context, kind: str, name: Name, *, created: bool = False) -> bool:
    """Whether the migration itself introduced a name: it created the object, or renamed it. `created`: only the former counts."""
    wanted = name_group(kind), at.catalog.in_first_schema(name)
    operations = (operation for operation in at.fact(_introductions) if not (created and isinstance(operation, sql.Rename | sql.SetSchema)))
    return any(wanted in introduced_names(at.catalog, operation) for operation in operations)


def _introductions(at: Context) -> list[Operation]:
    """Returns the earlier operations of the migration that introduce names: few of those that a long migration has."""
    return [done.operation for done in at.past if type(done.operation) in INTRODUCING]


def is_trigger_function(at: Context, kind: str, name: Name) -> bool:
    """Whether a function can only be called by triggers."""
    functions = at.catalog.functions(name) if name_group(kind) == "routine" else []
    return bool(functions) and all("trigger" in function.returns for function in functions)


def name_absence(at: Context, position: int, kind: str, name: Name) -> NameAbsence:
    """Returns how long a name is missing that the operation at `position` removes; to be called at the end of the migration."""
    wanted = name_group(kind), at.catalog.in_first_schema(name)
    for done in at.past[position + 1 :]:
        if wanted in introduced_names(at.catalog, done.operation):
            return NameAbsence.NONE if done.transaction == at.past[position].transaction else NameAbsence.TEMPORARY
    return NameAbsence.PERMANENT
