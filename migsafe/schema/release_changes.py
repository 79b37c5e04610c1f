"""What an operation adds to the record of the release."""

from collections.abc import Iterator

from migsafe.schema.catalog import Catalog
from migsafe.schema.release import ColumnKey, GroupedName
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation

_GROUPS = {
    **dict.fromkeys(("table", "foreign table", "view", "materialized view", "sequence"), "relation"),
    **dict.fromkeys(("type", "domain"), "type"),
    **dict.fromkeys(("function", "procedure", "routine", "aggregate"), "routine"),
    "schema": "schema",
}


INTRODUCING = frozenset(
    (
        *(sql.CreateTable, sql.CreateTableAs, sql.CreateView, sql.CreateMaterializedView, sql.CreateSequence),
        *(sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain, sql.CreateFunction, sql.CreateSchema),
        *(sql.CreateObject, sql.Rename, sql.SetSchema),
    )
)
"""The classes of operations for which `introduced_names` may yield a name."""


def name_group(kind: str) -> str:
    """Returns the group of objects of which no two have the same name, for a kind of objects."""
    return _GROUPS.get(kind, kind)


def introduced_names(catalog: Catalog, op: Operation) -> Iterator[GroupedName]:
    """Yields the names that an operation introduces, each with its group."""
    full = catalog.in_first_schema
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
            yield name_group(kind), full(name)
        case sql.Rename(kind=kind, name=old, new_name=new_name):
            yield name_group(kind), Name(new_name, full(old).schema)
        case sql.SetSchema(kind=kind, name=old, schema=schema):
            yield name_group(kind), Name(old.name, schema)


class ReleaseChange:
    """What an operation changes in the record of the release: created before the operation is applied, and recorded afterwards."""

    def __init__(self, catalog: Catalog, op: Operation) -> None:
        self._catalog = catalog
        self._op = op
        self._names = [name for name in introduced_names(catalog, op) if _certainly_introduces(catalog, op, name)]
        self._is_addition = isinstance(op, sql.AddColumn) and _certainly_adds(catalog, op)
        for name in _lost_names(catalog, op):
            catalog.release.record_former_name(name)
        lost = _lost_column(catalog, op)
        if lost is not None:
            catalog.release.record_former_column(*lost)

    def record(self) -> None:
        """Records what the operation has made."""
        catalog, op = self._catalog, self._op
        for name in self._names:
            catalog.release.record_name(name, created=not isinstance(op, sql.Rename | sql.SetSchema))
        match op:
            case sql.AddColumn(target=target, column=column) if self._is_addition:
                key = column_key(catalog, target.name, column.name)
                if key is not None:
                    catalog.release.record_added(key, op)
            case sql.RenameColumn(target=target, new_name=new_name):
                key = column_key(catalog, target.name, new_name)
                if key is not None:
                    catalog.release.record_renamed(key)
            case sql.Update(table=table):
                relation = catalog.relation(table)
                if relation is not None:
                    catalog.release.record_updated(relation.oid)


def column_key(catalog: Catalog, table: Name, column: str) -> ColumnKey | None:
    """Returns the key of a column in the record; None if it is not known."""
    relation = catalog.relation(table)
    known = relation.column(column) if relation is not None else None
    return (relation.oid, known.number) if relation is not None and known is not None else None


def _certainly_adds(catalog: Catalog, op: sql.AddColumn) -> bool:
    """Whether a column cannot have existed before: IF NOT EXISTS, or the condition of a block, may find one."""
    if op.certain and not op.if_not_exists:
        return True
    table = catalog.relation(op.target.name)
    return table is not None and table.complete and table.column(op.column.name) is None and not catalog.runs_again


def _certainly_introduces(catalog: Catalog, op: Operation, name: GroupedName) -> bool:
    """Whether no object has the name before: CREATE OR REPLACE and IF NOT EXISTS may find one that no migration created."""
    is_guarded = getattr(op, "or_replace", False) or getattr(op, "if_not_exists", False) or not op.certain
    is_known = not is_guarded or catalog.complete or catalog.origin.excludes_schema(name[1].schema)
    return is_known and not _exists(catalog, name)


def _exists(catalog: Catalog, name: GroupedName) -> bool:
    group, qualified = name
    match group:
        case "relation":
            return catalog.relation(qualified) is not None
        case "type":
            return catalog.type_named(qualified) is not None
        case "routine":
            return bool(catalog.functions(qualified))
        case "schema":
            return catalog.has_schema(qualified.name)
    return False


def _lost_names(catalog: Catalog, op: Operation) -> Iterator[GroupedName]:
    """Yields the names that an operation takes from existing objects, each with its group."""
    match op:
        case sql.Drop(kind=kind, names=names, table=None):
            lost = [(name_group(kind), name) for name in names]
        case sql.Rename(kind=kind, name=name, table=None) | sql.SetSchema(kind=kind, name=name):
            lost = [(name_group(kind), name)]
        case _:
            return
    for group, name in lost:
        qualified = catalog.resolve(name) if group == "relation" else catalog.in_first_schema(name)
        is_guarded = getattr(op, "if_exists", False)
        if group == "relation" and is_guarded and catalog.is_never_found(name):
            continue
        if _exists(catalog, (group, qualified)) or not is_guarded or group == "relation":
            yield group, qualified


def _lost_column(catalog: Catalog, op: Operation) -> tuple[ColumnKey, str] | None:
    """Returns the column that loses its name, and the name."""
    if not isinstance(op, sql.DropColumn | sql.RenameColumn):
        return None
    key = column_key(catalog, op.target.name, op.column)
    return (key, op.column) if key is not None else None
