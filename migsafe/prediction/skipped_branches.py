"""Branches of DO blocks that certainly do not run: `IF NOT EXISTS (…) THEN ALTER TABLE … ADD COLUMN`, where the column exists, and
`IF to_regclass(…) IS NOT NULL THEN …` about a table that no migration has made."""

from collections.abc import Iterator

from migsafe.schema.application import apply_operation
from migsafe.schema.catalog import Catalog
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation

_CREATES = (sql.AddColumn, sql.AddConstraint, sql.CreateIndex, sql.CreateTable, sql.CreateEnum)
_CHANGES = (sql.Rename, sql.RenameColumn, sql.DropColumn, sql.DropConstraint, sql.AlterColumnType, sql.SetNotNull, sql.DropNotNull)
_RELATIONS = ("table", "view", "materialized view", "foreign table")
_DECIDED = ("already exists", "does not exist")


def is_skipped(catalog: Catalog, operation: Operation, half: Half | None) -> bool:
    """Whether a branch is one whose condition asks the catalogue, and does not hold: its statement would create what exists, or change what
    does not exist, and nothing catches the error. Such a guard is written for exactly this case. `half` is the migration: a relation that
    another statement of it needs is older than the history."""
    if operation.certain or operation.caught:
        return False
    missing = [name for name in _changed_relations(operation) if _is_missing(catalog, name)]
    if missing:
        # To drop a table that something else has made loses its rows, so that is reported; but not what another branch has moved aside.
        if isinstance(operation, sql.Drop) and (half is None or not {name.name for name in missing} <= set(_new_names(half))):
            return False
        return half is None or not set(map(catalog.resolve, missing)) & {catalog.resolve(name) for name in _needed_relations(half)}
    if not isinstance(operation, (*_CREATES, *_CHANGES)):
        return False
    with catalog.trial():
        refusals = apply_operation(catalog, operation)
    return any(refusal.error.endswith(_DECIDED) for refusal in refusals)


def _changed_relations(operation: Operation) -> tuple[Name, ...]:
    """Returns the relations without which an operation fails."""
    match operation:
        case sql.AlterRelation(target=target):
            return (target.name,) if target.kind in _RELATIONS and not target.if_exists else ()
        case sql.Rename(name=name, kind=kind):
            return (name,) if kind in _RELATIONS else ()
        case sql.Drop(names=names, kind=kind, if_exists=False):
            return names if kind in _RELATIONS else ()
        case sql.Update(table=table) | sql.Delete(table=table) | sql.Insert(table=table):
            return (table,)
    return ()


def _needed_relations(half: Half) -> Iterator[Name]:
    """Yields the relations that the statements of a migration need which certainly run."""
    for statement, _, _ in sent_statements(half):
        for operation in statement.operations:
            if operation.certain:
                yield from _changed_relations(operation)
            if operation.certain and isinstance(operation, sql.CreateIndex | sql.CreateTrigger | sql.CreatePolicy):
                yield operation.table


def _new_names(half: Half) -> Iterator[str]:
    """Yields the names that a migration gives to relations."""
    for statement, _, _ in sent_statements(half):
        yield from (operation.new_name for operation in statement.operations if isinstance(operation, sql.Rename))


def _is_missing(catalog: Catalog, name: Name) -> bool:
    """Whether the history, which is read from its first migration, has made relations in the schema of an unknown one, but not this one."""
    if catalog.relation(name) is not None or catalog.index(name) is not None:
        return False
    resolved = catalog.resolve(name)
    if not catalog.origin.excludes(resolved):
        return False
    return any(relation.name.schema == resolved.schema and relation.created_in > 0 for relation in catalog.relations())
