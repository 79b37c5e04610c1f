"""The triggers, rules, indexes and constraints that a statement names with their table."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Relation
from migsafe.schema.refusal import Refusal
from migsafe.schema.routines import attached, trigger_named
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation


def _missing_trigger(catalog: Catalog, table: Relation, name: str) -> Refusal | None:
    if any(trigger_named(catalog, table, name)):
        return None
    return Refusal(error=f'trigger "{name}" for table "{table.name.name}" does not exist')


@refuses(sql.SetTrigger, sql.SetRule)
def set_trigger(catalog: Catalog, op: sql.SetTrigger | sql.SetRule) -> Refusal | None:
    """An enabled or disabled trigger or rule exists."""
    table = complete_table(catalog, op.target.name)
    if table is None:
        return None
    if isinstance(op, sql.SetTrigger):
        return _missing_trigger(catalog, table, op.trigger) if op.trigger is not None else None
    if attached(catalog, table, "rule", op.rule) is not None:
        return None
    return Refusal(error=f'rule "{op.rule}" for relation "{table.name.name}" does not exist')


@refuses(sql.Rename, sql.Comment)
def name_trigger(catalog: Catalog, op: sql.Rename | sql.Comment) -> Refusal | None:
    """A trigger, or a constraint, that is renamed or gets a comment exists."""
    table = complete_table(catalog, op.table) if op.table is not None else None
    if table is None or op.name is None:
        return None
    if op.kind == "trigger":
        return _missing_trigger(catalog, table, op.name.name)
    if isinstance(op, sql.Comment) and op.kind == "constraint" and catalog.constraint(table.oid, op.name.name) is None:
        # From 18 on, NOT NULL is a constraint, which the server names table_column_not_null.
        may_be_not_null = catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS and "not_null" in op.name.name
        if not may_be_not_null:
            return Refusal(error=f'constraint "{op.name.name}" for table "{table.name.name}" does not exist')
    return None


@refuses(sql.ClusterOn, sql.SetReplicaIdentity)
def use_index(catalog: Catalog, op: sql.ClusterOn | sql.SetReplicaIdentity) -> Refusal | None:
    """An index of the table exists; that of a replica identity is unique, over all rows, and over columns that are NOT NULL."""
    table = complete_table(catalog, op.target.name)
    if table is None or op.index is None:
        return None
    index = catalog.index(Name(op.index, table.name.schema))
    if index is None:
        return Refusal(error=f'index "{op.index}" for table "{table.name.name}" does not exist')
    if isinstance(op, sql.ClusterOn) or not certainly_exists(catalog, index):
        return None
    reason = "non-unique" if not index.unique else "expression" if any(key.formula is not None for key in index.keys) else ""
    reason = reason or ("partial" if index.predicate is not None else "")
    if reason:
        return Refusal(error=f'cannot use {reason} index "{op.index}" as replica identity', help=_OTHER_IDENTITY.format(table=table.name))
    columns = [table.column_numbered(key.column) for key in index.keys if key.column is not None]
    nullable = next((column for column in columns if column is not None and column.not_null is False), None)
    if nullable is None:
        return None
    return Refusal(
        error=f'index "{op.index}" cannot be used as replica identity because column "{nullable.name}" is nullable',
        help=f"-- first make {Name(nullable.name)} NOT NULL; or: ALTER TABLE {table.name} REPLICA IDENTITY FULL;",
    )


_OTHER_IDENTITY = "-- use a unique index over columns that are NOT NULL; or: ALTER TABLE {table} REPLICA IDENTITY FULL;"


@refuses(sql.CreateTable, sql.SetOptions)
def use_options(_: Catalog, op: Operation) -> Refusal | None:
    """OIDs of rows are gone since 12."""
    assert isinstance(op, sql.CreateTable | sql.SetOptions)
    value = next((option.value or "true" for option in op.options if option.name.lower() == "oids"), None)
    if value is None or isinstance(op, sql.SetOptions) or value.strip("'").lower() not in ("true", "on", "1", "yes"):
        return None
    return Refusal(error="tables declared WITH OIDS are not supported", help="-- leave WITH (oids = …) out")


@refuses(sql.CreateStatistics)
def create_statistics(catalog: Catalog, op: sql.CreateStatistics) -> Refusal | None:
    """Statistics of columns are over several of them, each once."""
    table = complete_table(catalog, op.tables[0]) if len(op.tables) == 1 else None
    keys = [key.strip() for key in op.keys.split(",")]
    if table is None or "(" in op.keys or '"' in op.keys or op.if_not_exists:
        return None
    missing = next((key for key in keys if table.column(key.lower()) is None), None)
    if missing is not None:
        return Refusal(error=f'column "{missing.lower()}" does not exist')
    if len(keys) == 1:
        return Refusal(error="extended statistics require at least 2 columns", help="-- ANALYZE collects those of one column by itself")
    return Refusal(error="duplicate column name in statistics definition") if len(set(keys)) < len(keys) else None
