"""From an operation to what it does to objects."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.linting.reruns.alterations import constraint_paths, foreign_option
from migsafe.linting.reruns.paths import ERRORS, Named, in_schema, named, on_table, relation, routine
from migsafe.linting.reruns.registry import OBJECT_USES, Touches
from migsafe.linting.reruns.row_changes import row_touches
from migsafe.linting.reruns.touch import NOWHERE, Act, Outcome, Path, Touch, is_caught
from migsafe.schema.catalog import TEMPORARY, Catalog
from migsafe.sql import operations as sql
from migsafe.sql.definitions import columns_in
from migsafe.sql.operations import AlterRelation, Constraint, Name, Operation, Persistence

OBJECT_USES.register_none("changes only the session or its transaction", sql.SessionControl)
OBJECT_USES.register_none("changes rows: `row_touches` says what a second run does", sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Copy)
OBJECT_USES.register_none("the operations of the body that it runs follow it", sql.Do, sql.Call)
OBJECT_USES.register_none("reads, or runs what was prepared", sql.Select, sql.Explain, sql.Prepare, sql.Execute, sql.LockTable)
OBJECT_USES.register_none(
    "can be repeated: the second run finds the work done",
    *(sql.SetStatistics, sql.SetStorage, sql.SetCompression, sql.ResetColumnOptions, sql.SetTrigger, sql.SetRule, sql.SetRowSecurity),
    *(sql.ClusterOn, sql.SetWithoutOids, sql.SetAccessMethod, sql.SetTablespace, sql.SetLogged, sql.SetOfType, sql.SetReplicaIdentity),
    *(sql.MoveAllInTablespace, sql.AlterSequence, sql.AlterPolicy, sql.SetOwner, sql.Comment, sql.Grant, sql.AlterDefaultPrivileges),
    *(sql.AlterSystem, sql.Cluster, sql.Reindex, sql.Vacuum, sql.Analyze, sql.Utility),
)
OBJECT_USES.register_none("is not sent to the server", sql.PsqlCommand)
OBJECT_USES.register_none("is about an identifier of the operations before it", sql.CutIdentifier)
OBJECT_USES.register_none("cannot be known", sql.OpaqueCode, sql.Broken, sql.Unparsed)


def touches(op: Operation, text: str, catalog: Catalog) -> list[Touch]:
    """What an operation does to objects, as it finds the database. `text` is its SQL."""
    if isinstance(op, AlterRelation):
        found = _altered(op, catalog)
    else:
        find = OBJECT_USES.handler(op)
        found = list(find(op, catalog)) if find is not None else []
    found += row_touches(op, text, catalog)
    guarded = [_guarded(touch, op) for touch in found if not _is_temporary(touch, catalog)]
    return [touch for touch in guarded if touch is not None]


def _guarded(touch: Touch, op: Operation) -> Touch | None:
    """The touch where a branch decides about it, or a handler takes its error as it comes."""
    if touch.act is Act.REPEATS:
        return None if not op.certain or (touch.outcome is Outcome.FAILS and is_caught(touch.error, op.caught)) else touch
    return touch if op.certain and not is_caught(touch.error, op.caught) else replace(touch, lenient=True, guarded=True)


def _is_temporary(touch: Touch, catalog: Catalog) -> bool:
    """Whether an object goes with the connection, so that the next run finds none."""
    paths = (touch.path, *((touch.on,) if touch.on is not None else ()))
    return any(path[0] == TEMPORARY or Name(path[1].partition(" ")[2], TEMPORARY) in _temporary(catalog) for path in paths if len(path) > 1)


def _temporary(catalog: Catalog) -> set[Name]:
    return {one.name for one in catalog.temporary()}


def _altered(op: AlterRelation, catalog: Catalog) -> list[Touch]:
    kind = op.target.kind
    find = OBJECT_USES.handler(op)
    if kind in ("type", "domain"):
        return list(find(op, catalog)) if find is not None else []
    place = relation(op.target.name, catalog, kind)
    need = Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_table")
    found = [need, *(find(op, catalog) if find is not None else ())]
    return [replace(touch, lenient=True) for touch in found] if op.target.if_exists else found


# CREATE


@OBJECT_USES.register(sql.CreateTable)
def _create_table(op: sql.CreateTable, catalog: Catalog) -> Touches:
    place = relation(op.table, catalog, "foreign table" if op.server is not None else "table", new=True)
    if op.persistence is Persistence.TEMPORARY:
        return
    brings: list[Path] = [(*place.path, f"column {one.name}") for one in columns_in(op)]
    given: Iterable[Constraint] = (*(one for column in op.columns for one in column.constraints), *op.constraints)
    for one in given:
        brings += constraint_paths(place, one)
    for parent in (*op.inherits, *((op.partition_of,) if op.partition_of is not None else ())):
        above = relation(parent, catalog, "table")
        yield Touch(act=Act.NEEDS, path=above.path, what=above.what, error="undefined_table")
    yield _made(place, op.if_not_exists, "duplicate_table", brings=tuple(brings))


def _made(place: Named, lenient: bool, error: str, *, brings: tuple[Path, ...] = (), on: Path | None = None) -> Touch:
    return Touch(act=Act.MAKES, path=place.path, what=place.what, error=error, lenient=lenient, brings=brings, on=on)


@OBJECT_USES.register(sql.CreateTableAs)
def _create_table_as(op: sql.CreateTableAs, catalog: Catalog) -> Touches:
    if op.persistence is not Persistence.TEMPORARY:
        yield _made(relation(op.table, catalog, "table", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateView)
def _create_view(op: sql.CreateView, catalog: Catalog) -> Touches:
    if not op.temporary:
        yield _made(relation(op.view, catalog, "view", new=True), op.or_replace, "duplicate_table")


@OBJECT_USES.register(sql.CreateMaterializedView)
def _create_materialized_view(op: sql.CreateMaterializedView, catalog: Catalog) -> Touches:
    yield _made(relation(op.view, catalog, "materialized view", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateSequence)
def _create_sequence(op: sql.CreateSequence, catalog: Catalog) -> Touches:
    if op.persistence is not Persistence.TEMPORARY:
        yield _made(relation(op.sequence, catalog, "sequence", new=True), op.if_not_exists, "duplicate_table")


@OBJECT_USES.register(sql.CreateIndex)
def _create_index(op: sql.CreateIndex, catalog: Catalog) -> Touches:
    table = relation(op.table, catalog, "table")
    yield Touch(act=Act.NEEDS, path=table.path, what=table.what, error="undefined_table")
    if op.name is None:
        why = "it builds a second index beside the first, under a name with a number"
        yield Touch(act=Act.REPEATS, path=table.path, what=table.what, why=why)
        return
    place = relation(Name(op.name, catalog.resolve(op.table).schema), catalog, "index")
    yield _made(place, op.if_not_exists, "duplicate_table", on=table.path)


@OBJECT_USES.register(sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain)
def _create_type(op: sql.CreateEnum | sql.CreateCompositeType | sql.CreateDomain, catalog: Catalog) -> Touches:
    name, kind = (op.domain, "domain") if isinstance(op, sql.CreateDomain) else (op.type, "type")
    place = in_schema(kind, name, catalog)
    brings: tuple[Path, ...] = ()
    match op:
        case sql.CreateEnum(values=values):
            brings = tuple((*place.path, f"value {value}") for value in values)
        case sql.CreateCompositeType(attributes=attributes):
            brings = tuple((*place.path, f"attribute {one.name}") for one in attributes)
        case sql.CreateDomain(constraints=constraints):
            brings = tuple((*place.path, f"constraint {one.name}") for one in constraints if one.name is not None)
    yield _made(place, False, "duplicate_object", brings=brings)


@OBJECT_USES.register(sql.CreateFunction)
def _create_function(op: sql.CreateFunction, catalog: Catalog) -> Touches:
    given = [one for one in op.arguments if one.mode in ("in", "inout", "variadic")]
    yield _made(routine(op.kind, op.function, ", ".join(str(one.type) for one in given), catalog), op.or_replace, "duplicate_function")


@OBJECT_USES.register(sql.CreateTrigger, sql.CreateRule, sql.CreatePolicy)
def _create_on_table(op: sql.CreateTrigger | sql.CreateRule | sql.CreatePolicy, catalog: Catalog) -> Touches:
    kind, name, or_replace = _on_table(op)
    table = relation(op.table, catalog, "table")
    yield Touch(act=Act.NEEDS, path=table.path, what=table.what, error="undefined_table")
    yield _made(on_table(kind, name, op.table, catalog), or_replace, "duplicate_object")


def _on_table(op: sql.CreateTrigger | sql.CreateRule | sql.CreatePolicy) -> tuple[str, str, bool]:
    match op:
        case sql.CreateTrigger(trigger=name, or_replace=or_replace):
            return "trigger", name, or_replace
        case sql.CreateRule(rule=name, or_replace=or_replace):
            return "rule", name, or_replace
        case sql.CreatePolicy(policy=name):
            return "policy", name, False


@OBJECT_USES.register(sql.CreateStatistics)
def _create_statistics(op: sql.CreateStatistics, catalog: Catalog) -> Touches:
    table = relation(op.tables[0], catalog, "table") if op.tables else None
    if op.name is not None:
        place = in_schema("statistics", op.name, catalog)
        yield _made(place, op.if_not_exists, "duplicate_object", on=table.path if table is not None else None)
    elif table is not None:
        yield Touch(
            act=Act.REPEATS, path=table.path, what=table.what, why="it makes the same statistics a second time, under a name with a number"
        )


@OBJECT_USES.register(sql.Publication)
def _publication(op: sql.Publication, catalog: Catalog) -> Touches:
    place = named("publication", Name(op.publication), catalog)
    if op.action == "create":
        yield _made(place, False, "duplicate_object")
        return
    yield Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_object")
    if op.action not in ("add", "drop"):
        return
    for member in (*(relation(table, catalog, "table") for table in op.tables), *(schema_of(schema) for schema in op.schemas)):
        act, error = (Act.MAKES, "duplicate_object") if op.action == "add" else (Act.TAKES, "undefined_object")
        yield Touch(act=act, path=(*place.path, *member.path), what=f"{member.what} in {place.what}", error=error)


@OBJECT_USES.register(sql.CreateSchema)
def _create_schema(op: sql.CreateSchema, catalog: Catalog) -> Touches:
    schema = op.schema or op.owner
    if schema is not None:
        yield _made(schema_of(schema), op.if_not_exists, "duplicate_schema")


def schema_of(schema: str) -> Named:
    """A schema."""
    return Named((schema,), f"schema {Name(schema)}")


@OBJECT_USES.register(sql.CreateExtension)
def _create_extension(op: sql.CreateExtension, catalog: Catalog) -> Touches:
    yield _made(named("extension", Name(op.extension), catalog), op.if_not_exists, "duplicate_object")


@OBJECT_USES.register(sql.CreateObject)
def _create_object(op: sql.CreateObject, catalog: Catalog) -> Touches:
    place = named(op.kind, op.name, catalog, op.detail)
    yield _made(place, op.if_not_exists or op.or_replace, ERRORS.get(op.kind, ("duplicate_object", ""))[0])


@OBJECT_USES.register(sql.AlterObject)
def _alter_object(op: sql.AlterObject, catalog: Catalog) -> Touches:
    place = named(op.kind, op.name, catalog, op.detail)
    yield Touch(act=Act.NEEDS, path=place.path, what=place.what, lenient=op.if_exists)
    if op.action == "options":
        for option in op.options:
            yield from foreign_option(place, option.name)
    elif op.action == "add mapping for":
        why = "the mapping is there already"
        yield Touch(act=Act.REPEATS, path=place.path, what=place.what, why=why, outcome=Outcome.FAILS, error="unique_violation")


@OBJECT_USES.register(sql.Drop)
def _drop(op: sql.Drop, catalog: Catalog) -> Touches:
    for number, name in enumerate(op.names or (None,)):
        arguments = op.arguments[number] if number < len(op.arguments) else None
        place = _dropped(op, name, arguments, catalog)
        yield Touch(
            act=Act.TAKES, path=place.path, what=place.what, error=ERRORS.get(op.kind, ("", "undefined_object"))[1], lenient=op.if_exists
        )


def _dropped(op: sql.Drop, name: Name | None, arguments: str | None, catalog: Catalog) -> Named:
    if name is None:
        return named(op.kind, None, catalog, op.detail)
    if op.table is not None:
        return on_table(op.kind, name.name, op.table, catalog)
    if op.kind in ("function", "procedure", "routine"):
        return routine(op.kind, name, arguments, catalog)
    return named(op.kind, name, catalog, op.detail)


@OBJECT_USES.register(sql.Rename)
def _rename(op: sql.Rename, catalog: Catalog) -> Touches:
    place = on_table(op.kind, op.name.name, op.table, catalog) if op.table is not None else named(op.kind, op.name, catalog)
    last = f"{place.path[-1].partition(' ')[0]} {op.new_name}" if op.kind != "schema" else op.new_name
    to = (*place.path[:-1], last)
    yield Touch(
        act=Act.MOVES, path=place.path, what=place.what, to=to, error=ERRORS.get(op.kind, ("", "undefined_object"))[1], lenient=op.if_exists
    )


@OBJECT_USES.register(sql.SetSchema)
def _set_schema(op: sql.SetSchema, catalog: Catalog) -> Touches:
    place = named(op.kind, op.name, catalog)
    if place.path[0] != op.schema and place.path[0] != NOWHERE:
        yield Touch(act=Act.MOVES, path=place.path, what=place.what, to=(op.schema, *place.path[1:]), lenient=op.if_exists)


# Types


@OBJECT_USES.register(sql.AddEnumValue)
def _add_enum_value(op: sql.AddEnumValue, catalog: Catalog) -> Touches:
    place = in_schema("type", op.type, catalog)
    made = Named((*place.path, f"value {op.value}"), f"the value '{op.value}' of {place.what}")
    yield _made(made, op.if_not_exists, "duplicate_object")


@OBJECT_USES.register(sql.RenameEnumValue)
def _rename_enum_value(op: sql.RenameEnumValue, catalog: Catalog) -> Touches:
    place = in_schema("type", op.type, catalog)
    yield Touch(
        act=Act.MOVES,
        path=(*place.path, f"value {op.value}"),
        what=f"the value '{op.value}' of {place.what}",
        to=(*place.path, f"value {op.new_name}"),
        error="invalid_parameter_value",
    )


@OBJECT_USES.register(sql.AlterCompositeType)
def _alter_composite(op: sql.AlterCompositeType, catalog: Catalog) -> Touches:
    place = in_schema("type", op.type, catalog)
    path, what = (*place.path, f"attribute {op.attribute}"), f"attribute {op.attribute} of {place.what}"
    if op.action == "add":
        yield Touch(act=Act.MAKES, path=path, what=what, error="duplicate_column")
    elif op.action == "drop":
        yield Touch(act=Act.TAKES, path=path, what=what, error="undefined_column", lenient=op.if_exists)


@OBJECT_USES.register(sql.AlterDomain)
def _alter_domain(op: sql.AlterDomain, catalog: Catalog) -> Touches:
    place = in_schema("domain", op.domain, catalog)
    name = op.constraint.name if op.constraint is not None else op.constraint_name
    path, what = (*place.path, f"constraint {name}"), f"constraint {name} of {place.what}"
    if op.action == "add constraint" and op.constraint is not None and op.constraint.kind is sql.ConstraintKind.CHECK:
        if name is None:
            yield Touch(
                act=Act.REPEATS, path=place.path, what=place.what, why="it adds the same constraint a second time, under a name with a number"
            )
        else:
            yield Touch(act=Act.MAKES, path=path, what=what, error="duplicate_object")
    elif op.action == "drop constraint":
        yield Touch(act=Act.TAKES, path=path, what=what, error="undefined_object", lenient=op.if_exists)


@OBJECT_USES.register(sql.Truncate)
def _truncate(op: sql.Truncate, catalog: Catalog) -> Touches:
    for table in op.tables:
        place = relation(table.name, catalog, "table")
        yield Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_table")
        yield Touch(act=Act.EMPTIES, path=place.path, what=place.what)


@OBJECT_USES.register(sql.RefreshMaterializedView)
def _refresh(op: sql.RefreshMaterializedView, catalog: Catalog) -> Touches:
    place = relation(op.view, catalog, "materialized view")
    yield Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_table")


OBJECT_USES.check()
