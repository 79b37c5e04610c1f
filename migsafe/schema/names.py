"""RENAME and SET SCHEMA: objects keep their numbers, so that references to them stay valid."""

from migsafe.schema import aggregates, event_triggers, roles
from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Attached, Constraint, Index, Object, Publication, Relation, RelationKind, Trigger
from migsafe.schema.older_relations import add_older_relation, kind_named
from migsafe.schema.routines import attached, trigger_named
from migsafe.schema.types import move_in_routines, move_type
from migsafe.sql.operations import Name, Operation, Rename, SetSchema

RELATIONS = frozenset(("table", "foreign table", "view", "materialized view", "sequence", "index"))


@SCHEMA_CHANGES.register(Rename)
def rename(catalog: Catalog, op: Rename) -> None:
    """ALTER … RENAME TO."""
    if op.kind in RELATIONS:
        _rename_relation(catalog, op)
    elif op.kind in ("type", "domain"):
        user_type = catalog.type_named(op.name)
        if user_type is not None:
            move_type(catalog, user_type, Name(op.new_name, user_type.name.schema))
    elif op.kind in ("function", "procedure", "routine", "aggregate"):
        aggregates.forget(catalog, op.kind, op.name)
        for function in catalog.functions(op.name)[:1]:
            catalog.change(function, name=Name(op.new_name, function.name.schema))
    elif op.kind in ("trigger", "rule", "policy"):
        table = catalog.relation(op.table) if op.table is not None else None
        if table is not None:
            _rename_on_table(catalog, op, table)
    elif op.kind == "statistics":
        statistics = catalog.object_named("statistics", catalog.in_first_schema(op.name))
        if statistics is not None:
            catalog.change(statistics, name=Name(op.new_name, statistics.name.schema))
    elif op.kind == "publication":
        publication = catalog.object_named("publication", Name(op.name.name))
        if isinstance(publication, Publication):
            catalog.change(publication, name=Name(op.new_name))
    elif op.kind == event_triggers.KIND:
        event_triggers.rename(catalog, op.name.name, op.new_name)
    elif op.kind in roles.KINDS:
        roles.rename(catalog, op.name.name, op.new_name, certain=op.certain)
    elif op.kind == "schema":
        _rename_schema(catalog, op.name.name, op.new_name)


def _rename_on_table(catalog: Catalog, op: Rename, table: Relation) -> None:
    if op.kind == "trigger":
        for trigger in trigger_named(catalog, table, op.name.name):
            for part in (trigger, *catalog.dependents(trigger.oid, Trigger)):
                catalog.change(part, name=Name(op.new_name, part.name.schema))
        return
    attached_object = attached(catalog, table, op.kind, op.name.name)
    if attached_object is not None:
        catalog.change(attached_object, name=Name(op.new_name, attached_object.name.schema))


def _rename_relation(catalog: Catalog, op: Rename) -> None:
    # ALTER TABLE renames indexes and views too, whatever the statement calls them.
    relation: Relation | Index | None = catalog.relation(op.name) or catalog.index(op.name)
    old_name = catalog.resolve(op.name)
    if relation is None:
        if not op.if_exists and catalog.is_absent(op.name):
            catalog.add_refusal(f"relation {name_in_quotes(op.name)} does not exist")
        if catalog.is_absent(op.name) or op.kind == "index":
            return
        relation = add_older_relation(catalog, op.name, kind_named(op.kind))
    name = Name(op.new_name, relation.name.schema)
    if catalog.is_taken(name):
        catalog.add_refusal(f'relation "{op.new_name}" already exists')
    catalog.change(relation, name=name)
    move_in_routines(catalog, relation.name, name)
    if isinstance(relation, Index):
        constraint = constraint_of_index(catalog, relation)
        if constraint is not None:
            catalog.change(constraint, name=name)
    catalog.mark_absent(old_name)


def _rename_schema(catalog: Catalog, schema: str, new_name: str) -> None:
    if catalog.has_schema(new_name) and new_name != "public":
        catalog.add_refusal(f'schema "{new_name}" already exists')
    for schema_object in catalog.objects_of(Object):
        if schema_object.name.schema == schema:
            _move(catalog, schema_object, new_name)
    catalog.drop_schema(schema)
    catalog.add_schema(new_name)


def _move(catalog: Catalog, moved: Object, schema: str) -> None:
    match moved:
        case _ if catalog.type_named(moved.name) is moved:
            move_type(catalog, moved, Name(moved.name.name, schema))
        case _:
            catalog.change(moved, name=Name(moved.name.name, schema))


@SCHEMA_CHANGES.register(SetSchema)
def set_schema(catalog: Catalog, op: SetSchema) -> None:
    """ALTER … SET SCHEMA: the indexes, constraints, triggers and owned sequences of a table move with it."""
    if op.kind in ("type", "domain"):
        user_type = catalog.type_named(op.name)
        if user_type is not None:
            move_type(catalog, user_type, Name(user_type.name.name, op.schema))
        return
    if op.kind in ("function", "procedure", "routine", "aggregate"):
        aggregates.forget(catalog, op.kind, op.name)
        for function in catalog.functions(op.name)[:1]:
            catalog.change(function, name=Name(function.name.name, op.schema))
        return
    relation = catalog.relation(op.name)
    if relation is None:
        if not op.if_exists and op.kind in RELATIONS and catalog.is_absent(op.name):
            catalog.add_refusal(f"relation {name_in_quotes(op.name)} does not exist")
        return
    if relation.name.schema == op.schema:
        return
    owner = catalog.get(relation.owner[0]) if relation.kind is RelationKind.SEQUENCE and relation.owner is not None else None
    if owner is not None:
        catalog.add_refusal(
            "cannot move an owned sequence into another schema",
            f'sequence "{relation.name.name}" is linked to table "{owner.name.name}"',
            "-- move the table: the sequence moves with it",
        )
        return
    if catalog.is_taken(Name(relation.name.name, op.schema)):
        catalog.add_refusal(f'relation "{relation.name.name}" already exists in schema "{op.schema}"')
    old_name = relation.name
    _move_relation(catalog, relation, op.schema)
    catalog.mark_absent(old_name)


def move_all(catalog: Catalog, schema: str, new_schema: str) -> None:
    """Moves the relations of a schema whose names are free in another one, as code does that looks for them. Which ones it finds is not known,
    so the old names may still have relations."""
    for relation in [each for each in catalog.relations() if each.name.schema == schema and each.owner is None]:
        if not catalog.is_taken(Name(relation.name.name, new_schema)):
            _move_relation(catalog, relation, new_schema)


def _move_relation(catalog: Catalog, relation: Relation, schema: str) -> None:
    old_name = relation.name
    _move(catalog, relation, schema)
    move_in_routines(catalog, old_name, Name(old_name.name, schema))
    for dependent in catalog.dependents(relation.oid, Object):
        match dependent:
            case Index():
                _move(catalog, dependent, schema)
            case Constraint() | Trigger() if dependent.table == relation.oid:
                _move(catalog, dependent, schema)
            case Attached(kind="rule" | "policy") if dependent.table == relation.oid:
                _move(catalog, dependent, schema)
            case Relation() if dependent.owner is not None and dependent.owner[0] == relation.oid:
                _move(catalog, dependent, schema)


def renamed_relation(operation: Operation, catalog: Catalog) -> tuple[Name, Name] | None:
    """Returns the names of a relation before and after an operation that gives it another one."""
    match operation:
        case Rename(kind="table" | "view" | "materialized view", new_name=new_name):
            before = catalog.resolve(operation.name)
            return before, Name(new_name, before.schema)
        case SetSchema(kind="table" | "view" | "materialized view", schema=schema):
            before = catalog.resolve(operation.name)
            return before, Name(before.name, schema)
    return None
