"""The objects that each operation creates, drops or needs."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.linting.reruns.alterations import constraint_paths, foreign_option
from migsafe.linting.reruns.object_use import NO_SCHEMA, Action, ObjectUse, Outcome, Path, is_caught
from migsafe.linting.reruns.paths import (
    EXISTENCE_ERRORS,
    NamedObject,
    object_in_schema,
    object_named,
    object_on_table,
    relation_named,
    routine_named,
)
from migsafe.linting.reruns.registry import OBJECT_USES, ObjectUses
from migsafe.linting.reruns.row_changes import row_uses
from migsafe.schema.catalog import Catalog
from migsafe.schema.known_objects import TEMPORARY
from migsafe.sql import operations as sql
from migsafe.sql.definitions import columns_in
from migsafe.sql.operations import AlterRelation, Constraint, Name, Operation, Persistence

OBJECT_USES.register_none("changes only the session or its transaction", sql.SessionControl)
OBJECT_USES.register_none("changes rows: see `row_uses`", sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Copy)
OBJECT_USES.register_none("the operations of the body that it runs follow it", sql.Do, sql.Call)
OBJECT_USES.register_none("reads, or runs what was prepared", sql.Select, sql.Explain, sql.Prepare, sql.Execute, sql.LockTable)
OBJECT_USES.register_none(
    "can be repeated: a second run changes nothing",
    *(sql.SetStatistics, sql.SetStorage, sql.SetCompression, sql.ResetColumnOptions, sql.SetTrigger, sql.SetRule, sql.SetRowSecurity),
    *(sql.ClusterOn, sql.SetWithoutOids, sql.SetAccessMethod, sql.SetTablespace, sql.SetLogged, sql.SetOfType, sql.SetReplicaIdentity),
    *(sql.MoveAllInTablespace, sql.AlterSequence, sql.AlterPolicy, sql.SetOwner, sql.Comment, sql.Grant, sql.AlterDefaultPrivileges),
    *(sql.AlterSystem, sql.Cluster, sql.Repack, sql.Reindex, sql.Vacuum, sql.Analyze, sql.Utility),
)
OBJECT_USES.register_none("is not sent to the server", sql.PsqlCommand)
OBJECT_USES.register_none("is about an identifier of the operations before it", sql.CutIdentifier)
OBJECT_USES.register_none("is about the syntax of the operations before it", sql.FeatureUse)
OBJECT_USES.register_none("cannot be known", sql.OpaqueCode, sql.Broken, sql.Unparsed)


def object_uses(op: Operation, text: str, catalog: Catalog) -> list[ObjectUse]:
    """Returns how an operation uses objects, given the database before it. `text` is its SQL."""
    if isinstance(op, AlterRelation):
        uses = _altered(op, catalog)
    else:
        handler = OBJECT_USES.handler(op)
        uses = list(handler(op, catalog)) if handler is not None else []
    uses += row_uses(op, text, catalog)
    guarded_uses = [_guarded(use, op) for use in uses if not _is_temporary(use, catalog)]
    return [use for use in guarded_uses if use is not None]


def _guarded(use: ObjectUse, op: Operation) -> ObjectUse | None:
    """Returns the use, guarded if a branch or an error handler decides about it; None if its repetition does no harm."""
    if use.action is Action.REPEATS:
        return None if not op.certain or (use.outcome is Outcome.FAILS and is_caught(use.error, op.caught)) else use
    return use if op.certain and not is_caught(use.error, op.caught) else replace(use, lenient=True, guarded=True)


def _is_temporary(use: ObjectUse, catalog: Catalog) -> bool:
    """Whether an object is temporary: it is dropped with the connection, so it does not exist in the next run."""
    paths = (use.path, *((use.table,) if use.table is not None else ()))
    return any(path[0] == TEMPORARY or Name(path[1].partition(" ")[2], TEMPORARY) in _temporary(catalog) for path in paths if len(path) > 1)


def _temporary(catalog: Catalog) -> set[Name]:
    return {relation.name for relation in catalog.temporary_relations()}


def _altered(op: AlterRelation, catalog: Catalog) -> list[ObjectUse]:
    kind = op.target.kind
    find_uses = OBJECT_USES.handler(op)
    if kind in ("type", "domain"):
        return list(find_uses(op, catalog)) if find_uses is not None else []
    place = relation_named(op.target.name, catalog, kind)
    table_use = ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_table")
    uses = [table_use, *(find_uses(op, catalog) if find_uses is not None else ())]
    if not op.target.if_exists:
        return uses
    # IF EXISTS is about the table: a column or a constraint of a table that exists makes the statement fail all the same.
    return [replace(use, lenient=use.lenient or use.path == place.path, only_with=place.path) for use in uses]


# CREATE


@OBJECT_USES.register(sql.CreateTable)
def _create_table(op: sql.CreateTable, catalog: Catalog) -> ObjectUses:
    place = relation_named(op.table, catalog, "foreign table" if op.server is not None else "table", new=True)
    if op.persistence is Persistence.TEMPORARY:
        return
    parts: list[Path] = [(*place.path, f"column {column.name}") for column in columns_in(op)]
    constraints: Iterable[Constraint] = (*(constraint for column in op.columns for constraint in column.constraints), *op.constraints)
    for constraint in constraints:
        parts += constraint_paths(place, constraint)
    for parent in (*op.inherits, *((op.partition_of,) if op.partition_of is not None else ())):
        above = relation_named(parent, catalog, "table")
        yield ObjectUse(action=Action.REQUIRES, path=above.path, label=above.label, error="undefined_table")
    yield _creation(place, op.if_not_exists, "duplicate_table", parts=tuple(parts))


def _creation(place: NamedObject, lenient: bool, error: str, *, parts: tuple[Path, ...] = (), table: Path | None = None) -> ObjectUse:
    return ObjectUse(action=Action.CREATES, path=place.path, label=place.label, error=error, lenient=lenient, parts=parts, table=table)


@OBJECT_USES.register(sql.CreateTableAs)
def _create_table_as(op: sql.CreateTableAs, catalog: Catalog) -> ObjectUses:
    if op.persistence is not Persistence.TEMPORARY:
        yield _creation(relation_named(op.table, catalog, "table", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateView)
def _create_view(op: sql.CreateView, catalog: Catalog) -> ObjectUses:
    if not op.temporary:
        yield _creation(relation_named(op.view, catalog, "view", new=True), op.or_replace, "duplicate_table")


@OBJECT_USES.register(sql.CreateMaterializedView)
def _create_materialized_view(op: sql.CreateMaterializedView, catalog: Catalog) -> ObjectUses:
    yield _creation(relation_named(op.view, catalog, "materialized view", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateSequence)
def _create_sequence(op: sql.CreateSequence, catalog: Catalog) -> ObjectUses:
    if op.persistence is not Persistence.TEMPORARY:
        yield _creation(relation_named(op.sequence, catalog, "sequence", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateIndex)
def _create_index(op: sql.CreateIndex, catalog: Catalog) -> ObjectUses:
    table = relation_named(op.table, catalog, "table")
    yield ObjectUse(action=Action.REQUIRES, path=table.path, label=table.label, error="undefined_table")
    if op.name is None:
        why = "it builds a second, identical index under a numbered name"
        yield ObjectUse(action=Action.REPEATS, path=table.path, label=table.label, reason=why)
        return
    place = relation_named(Name(op.name, catalog.resolve(op.table).schema), catalog, "index")
    yield _creation(place, op.if_not_exists, "duplicate_table", table=table.path)


@OBJECT_USES.register(sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain)
def _create_type(op: sql.CreateEnum | sql.CreateCompositeType | sql.CreateDomain, catalog: Catalog) -> ObjectUses:
    name, kind = (op.domain, "domain") if isinstance(op, sql.CreateDomain) else (op.type, "type")
    place = object_in_schema(kind, name, catalog)
    parts: tuple[Path, ...] = ()
    match op:
        case sql.CreateEnum(values=values):
            parts = tuple((*place.path, f"value {value}") for value in values)
        case sql.CreateCompositeType(attributes=attributes):
            parts = tuple((*place.path, f"attribute {attribute.name}") for attribute in attributes)
        case sql.CreateDomain(constraints=constraints):
            parts = tuple((*place.path, f"constraint {constraint.name}") for constraint in constraints if constraint.name is not None)
    yield _creation(place, False, "duplicate_object", parts=parts)


@OBJECT_USES.register(sql.CreateFunction)
def _create_function(op: sql.CreateFunction, catalog: Catalog) -> ObjectUses:
    types = ", ".join(str(argument.type) for argument in op.arguments if argument.mode in ("in", "inout", "variadic"))
    yield _creation(routine_named(op.kind, op.function, types, catalog), op.or_replace, "duplicate_function")


@OBJECT_USES.register(sql.CreateTrigger, sql.CreateRule, sql.CreatePolicy)
def _create_on_table(op: sql.CreateTrigger | sql.CreateRule | sql.CreatePolicy, catalog: Catalog) -> ObjectUses:
    kind, name, or_replace = _on_table(op)
    table = relation_named(op.table, catalog, "table")
    yield ObjectUse(action=Action.REQUIRES, path=table.path, label=table.label, error="undefined_table")
    yield _creation(object_on_table(kind, name, op.table, catalog), or_replace, "duplicate_object")


def _on_table(op: sql.CreateTrigger | sql.CreateRule | sql.CreatePolicy) -> tuple[str, str, bool]:
    match op:
        case sql.CreateTrigger(trigger=name, or_replace=or_replace):
            return "trigger", name, or_replace
        case sql.CreateRule(rule=name, or_replace=or_replace):
            return "rule", name, or_replace
        case sql.CreatePolicy(policy=name):
            return "policy", name, False


@OBJECT_USES.register(sql.CreateStatistics)
def _create_statistics(op: sql.CreateStatistics, catalog: Catalog) -> ObjectUses:
    table = relation_named(op.tables[0], catalog, "table") if op.tables else None
    if op.name is not None:
        place = object_in_schema("statistics", op.name, catalog)
        yield _creation(place, op.if_not_exists, "duplicate_object", table=table.path if table is not None else None)
    elif table is not None:
        yield ObjectUse(
            action=Action.REPEATS,
            path=table.path,
            label=table.label,
            reason="it creates the same statistics a second time, under a numbered name",
        )


@OBJECT_USES.register(sql.Publication)
def _publication(op: sql.Publication, catalog: Catalog) -> ObjectUses:
    place = object_named("publication", Name(op.publication), catalog)
    if op.action == "create":
        yield _creation(place, False, "duplicate_object")
        return
    yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_object")
    if op.action not in ("add", "drop"):
        return
    for member in (*(relation_named(table, catalog, "table") for table in op.tables), *(schema_of(schema) for schema in op.schemas)):
        action, error = (Action.CREATES, "duplicate_object") if op.action == "add" else (Action.DROPS, "undefined_object")
        yield ObjectUse(action=action, path=(*place.path, *member.path), label=f"{member.label} in {place.label}", error=error)


@OBJECT_USES.register(sql.CreateSchema)
def _create_schema(op: sql.CreateSchema, catalog: Catalog) -> ObjectUses:
    schema = op.schema or op.owner
    if schema is not None:
        yield _creation(schema_of(schema), op.if_not_exists, "duplicate_schema")


def schema_of(schema: str) -> NamedObject:
    """Returns a schema."""
    return NamedObject((schema,), f"schema {Name(schema)}")


@OBJECT_USES.register(sql.CreateExtension)
def _create_extension(op: sql.CreateExtension, catalog: Catalog) -> ObjectUses:
    yield _creation(object_named("extension", Name(op.extension), catalog), op.if_not_exists, "duplicate_object")


@OBJECT_USES.register(sql.CreateObject)
def _create_object(op: sql.CreateObject, catalog: Catalog) -> ObjectUses:
    place = object_named(op.kind, op.name, catalog, op.detail)
    yield _creation(place, op.if_not_exists or op.or_replace, EXISTENCE_ERRORS.get(op.kind, ("duplicate_object", ""))[0])


@OBJECT_USES.register(sql.AlterObject)
def _alter_object(op: sql.AlterObject, catalog: Catalog) -> ObjectUses:
    place = object_named(op.kind, op.name, catalog, op.detail)
    yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, lenient=op.if_exists)
    if op.action == "options":
        for option in op.options:
            yield from foreign_option(place, option.name)
    elif op.action == "add mapping for":
        why = "the mapping already exists"
        yield ObjectUse(action=Action.REPEATS, path=place.path, label=place.label, reason=why, outcome=Outcome.FAILS, error="unique_violation")


@OBJECT_USES.register(sql.Drop)
def _drop(op: sql.Drop, catalog: Catalog) -> ObjectUses:
    for number, name in enumerate(op.names or (None,)):
        arguments = op.arguments[number] if number < len(op.arguments) else None
        place = _dropped(op, name, arguments, catalog)
        yield ObjectUse(
            action=Action.DROPS,
            path=place.path,
            label=place.label,
            error=EXISTENCE_ERRORS.get(op.kind, ("", "undefined_object"))[1],
            lenient=op.if_exists,
        )


def _dropped(op: sql.Drop, name: Name | None, arguments: str | None, catalog: Catalog) -> NamedObject:
    if name is None:
        return object_named(op.kind, None, catalog, op.detail)
    if op.table is not None:
        return object_on_table(op.kind, name.name, op.table, catalog)
    if op.kind in ("function", "procedure", "routine"):
        return routine_named(op.kind, name, arguments, catalog)
    return object_named(op.kind, name, catalog, op.detail)


@OBJECT_USES.register(sql.Rename)
def _rename(op: sql.Rename, catalog: Catalog) -> ObjectUses:
    place = object_on_table(op.kind, op.name.name, op.table, catalog) if op.table is not None else object_named(op.kind, op.name, catalog)
    last = f"{place.path[-1].partition(' ')[0]} {op.new_name}" if op.kind != "schema" else op.new_name
    new_path = (*place.path[:-1], last)
    yield ObjectUse(
        action=Action.RENAMES,
        path=place.path,
        label=place.label,
        new_path=new_path,
        error=EXISTENCE_ERRORS.get(op.kind, ("", "undefined_object"))[1],
        lenient=op.if_exists,
    )


@OBJECT_USES.register(sql.SetSchema)
def _set_schema(op: sql.SetSchema, catalog: Catalog) -> ObjectUses:
    place = object_named(op.kind, op.name, catalog)
    if place.path[0] != op.schema and place.path[0] != NO_SCHEMA:
        yield ObjectUse(action=Action.RENAMES, path=place.path, label=place.label, new_path=(op.schema, *place.path[1:]), lenient=op.if_exists)


# Types


@OBJECT_USES.register(sql.AddEnumValue)
def _add_enum_value(op: sql.AddEnumValue, catalog: Catalog) -> ObjectUses:
    place = object_in_schema("type", op.type, catalog)
    value = NamedObject((*place.path, f"value {op.value}"), f"the value '{op.value}' of {place.label}")
    yield _creation(value, op.if_not_exists, "duplicate_object")


@OBJECT_USES.register(sql.RenameEnumValue)
def _rename_enum_value(op: sql.RenameEnumValue, catalog: Catalog) -> ObjectUses:
    place = object_in_schema("type", op.type, catalog)
    yield ObjectUse(
        action=Action.RENAMES,
        path=(*place.path, f"value {op.value}"),
        label=f"the value '{op.value}' of {place.label}",
        new_path=(*place.path, f"value {op.new_name}"),
        error="invalid_parameter_value",
    )


@OBJECT_USES.register(sql.AlterCompositeType)
def _alter_composite(op: sql.AlterCompositeType, catalog: Catalog) -> ObjectUses:
    place = object_in_schema("type", op.type, catalog)
    path, label = (*place.path, f"attribute {op.attribute}"), f"attribute {op.attribute} of {place.label}"
    if op.action == "add":
        yield ObjectUse(action=Action.CREATES, path=path, label=label, error="duplicate_column")
    elif op.action == "drop":
        yield ObjectUse(action=Action.DROPS, path=path, label=label, error="undefined_column", lenient=op.if_exists)


@OBJECT_USES.register(sql.AlterDomain)
def _alter_domain(op: sql.AlterDomain, catalog: Catalog) -> ObjectUses:
    place = object_in_schema("domain", op.domain, catalog)
    name = op.constraint.name if op.constraint is not None else op.constraint_name
    path, label = (*place.path, f"constraint {name}"), f"constraint {name} of {place.label}"
    if op.action == "add constraint" and op.constraint is not None and op.constraint.kind is sql.ConstraintKind.CHECK:
        if name is None:
            yield ObjectUse(
                action=Action.REPEATS,
                path=place.path,
                label=place.label,
                reason="it adds the same constraint a second time, under a numbered name",
            )
        else:
            yield ObjectUse(action=Action.CREATES, path=path, label=label, error="duplicate_object")
    elif op.action == "drop constraint":
        yield ObjectUse(action=Action.DROPS, path=path, label=label, error="undefined_object", lenient=op.if_exists)


@OBJECT_USES.register(sql.Truncate)
def _truncate(op: sql.Truncate, catalog: Catalog) -> ObjectUses:
    for table in op.tables:
        place = relation_named(table.name, catalog, "table")
        yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_table")
        yield ObjectUse(action=Action.EMPTIES, path=place.path, label=place.label)


@OBJECT_USES.register(sql.RefreshMaterializedView)
def _refresh(op: sql.RefreshMaterializedView, catalog: Catalog) -> ObjectUses:
    place = relation_named(op.view, catalog, "materialized view")
    yield ObjectUse(action=Action.REQUIRES, path=place.path, label=place.label, error="undefined_table")


OBJECT_USES.check()
