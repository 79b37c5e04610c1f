"""The limits of triggers (CreateTriggerFiringOn in src/backend/commands/trigger.c)."""

from migsafe import versions
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists, is_absent_function
from migsafe.schema.formulas import row_references
from migsafe.schema.objects import SYSTEM_COLUMNS, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)


@refuses(sql.CreateTrigger)
def create_trigger(catalog: Catalog, op: sql.CreateTrigger) -> Refusal | None:
    """A trigger fits its relation, its events, and its function."""
    relation = catalog.relation(op.table)
    is_known = relation is not None and relation.created_in >= 0 and not relation.may_be_older
    return (
        (_refuse_kind(catalog, op, relation) if relation is not None and is_known else None)
        or _refuse_form(op)
        or _refuse_transition_tables(op)
        or _refuse_condition(op)
        or (_refuse_columns(op, relation) if relation is not None and relation.complete and is_known else None)
        or _refuse_function(catalog, op.function, "trigger")
    )


def _refuse_kind(catalog: Catalog, op: sql.CreateTrigger, relation: Relation) -> Refusal | None:
    name = relation.name.name
    if relation.kind in _TABLES:
        if op.timing != "instead of":
            return _refuse_rows_of_parts(relation, op)
        return Refusal(error=f'"{name}" is a table', detail="tables cannot have INSTEAD OF triggers", help="-- use BEFORE")
    if relation.kind is RelationKind.VIEW:
        if op.row and op.timing != "instead of":
            detail = "views cannot have row-level BEFORE or AFTER triggers"
            return Refusal(error=f'"{name}" is a view', detail=detail, help="-- use INSTEAD OF, or create the trigger on the table")
        if "truncate" in op.events:
            return Refusal(error=f'"{name}" is a view', detail="views cannot have TRUNCATE triggers")
        return None
    if relation.kind is RelationKind.MATERIALIZED:
        is_named = catalog.pg_version >= versions.ACTION_NAMED_IN_ERRORS
        return Refusal(
            error=f'relation "{name}" cannot have triggers' if is_named else f'"{name}" is not a table or view',
            detail="it is a materialized view",
        )
    return None


def _refuse_rows_of_parts(relation: Relation, op: sql.CreateTrigger) -> Refusal | None:
    """A trigger for each row sees only its own row in a partition, and in a child that inherits."""
    if not op.row or not op.transition_tables:
        return None
    name, help = relation.name.name, "-- use FOR EACH STATEMENT; or leave out REFERENCING, and use OLD and NEW"
    if relation.kind is RelationKind.PARTITIONED:
        detail = "ROW triggers with transition tables are not supported on partitioned tables"
        return Refusal(error=f'"{name}" is a partitioned table', detail=detail, help=help)
    if relation.bound is not None:
        return Refusal(error="ROW triggers with transition tables are not supported on partitions", help=help)
    if relation.parents:
        return Refusal(error="ROW triggers with transition tables are not supported on inheritance children", help=help)
    return None


def _refuse_form(op: sql.CreateTrigger) -> Refusal | None:
    if op.constraint and op.or_replace:
        help = f"DROP TRIGGER IF EXISTS {Name(op.trigger)} ON {op.table};\n-- and CREATE CONSTRAINT TRIGGER, in one transaction"
        return Refusal(error="CREATE OR REPLACE CONSTRAINT TRIGGER is not supported", help=help)
    if op.row and "truncate" in op.events:
        return Refusal(error="TRUNCATE FOR EACH ROW triggers are not supported", help="-- use FOR EACH STATEMENT")
    if op.timing != "instead of":
        return None
    if not op.row:
        return Refusal(error="INSTEAD OF triggers must be FOR EACH ROW", help="-- add FOR EACH ROW")
    if op.when is not None:
        return Refusal(error="INSTEAD OF triggers cannot have WHEN conditions", help="-- test the condition in the function")
    if op.columns:
        return Refusal(error="INSTEAD OF triggers cannot have column lists", help="-- compare OLD and NEW in the function")
    return None


def _refuse_transition_tables(op: sql.CreateTrigger) -> Refusal | None:
    if not op.transition_tables:
        return None
    if op.timing != "after":
        return Refusal(error="transition table name can only be specified for an AFTER trigger", help="-- use AFTER")
    if "truncate" in op.events:
        return Refusal(error="TRUNCATE triggers with transition tables are not supported")
    if len(set(op.events)) > 1:
        help = "-- create one trigger for each event"
        return Refusal(error="transition tables cannot be specified for triggers with more than one event", help=help)
    if op.columns:
        return Refusal(error="transition tables cannot be specified for triggers with column lists", help="-- leave out OF …")
    for table, events in (("new", ("insert", "update")), ("old", ("delete", "update"))):
        if table in op.transition_tables and op.events[0] not in events:
            words = " or ".join(event.upper() for event in events)
            return Refusal(error=f"{table.upper()} TABLE can only be specified for {'an' if table == 'new' else 'a'} {words} trigger")
    return None


def _refuse_condition(op: sql.CreateTrigger) -> Refusal | None:
    rows = {row for row, _ in row_references(op.when.sql)} if op.when is not None else set()
    if not rows:
        return None
    if not op.row:
        error = "statement trigger's WHEN condition cannot reference column values"
        return Refusal(error=error, help="-- add FOR EACH ROW")
    if "insert" in op.events and "old" in rows:
        error = "INSERT trigger's WHEN condition cannot reference OLD values"
        return Refusal(error=error, help="-- create two triggers, for INSERT and for UPDATE, or compare TG_OP in the function")
    if "delete" in op.events and "new" in rows:
        error = "DELETE trigger's WHEN condition cannot reference NEW values"
        return Refusal(error=error, help="-- create two triggers, for DELETE and for UPDATE, or compare TG_OP in the function")
    return None


def _refuse_columns(op: sql.CreateTrigger, relation: Relation) -> Refusal | None:
    names = {column.name for column in relation.columns}
    for name in op.columns:
        if name not in names:
            return Refusal(error=f'column "{name}" of relation "{relation.name.name}" does not exist')
    for row, name in row_references(op.when.sql) if op.when is not None else ():
        if name not in names and name not in SYSTEM_COLUMNS and name != "*":
            return Refusal(error=f"column {row}.{Name(name)} does not exist")
    return None


@refuses(sql.CreateObject)
def create_event_trigger(catalog: Catalog, op: sql.CreateObject) -> Refusal | None:
    """The function of an event trigger returns event_trigger (CreateEventTrigger in event_trigger.c)."""
    return _refuse_function(catalog, op.function, "event_trigger") if op.kind == "event trigger" and op.function is not None else None


def _refuse_function(catalog: Catalog, name: Name, result: str) -> Refusal | None:
    if is_absent_function(catalog, name):
        return Refusal(error=f"function {name}() does not exist", detail="it was dropped", help="-- first create the function")
    functions = [function for function in catalog.functions(name) if not function.arguments]
    if len(functions) != 1 or not certainly_exists(catalog, functions[0]) or functions[0].kind != "function":
        return None
    function = functions[0]
    if function.result is None or function.result == (result,):
        return None
    shown = name if result == "event_trigger" else name.name
    return Refusal(
        error=f"function {shown} must return type {result}",
        detail=f"it returns {function.result[0]}",
        help=f"-- drop the function, and create it with RETURNS {result}",
    )
