"""The statements that undo an operation by hand, and what a rollback loses."""

from msgspec import Struct

from migsafe.linting.facts.ownership import (
    is_column_created_by_migration,
    is_column_created_here,
    is_created_by_migration,
    is_created_here,
    is_name_created_by_migration,
)
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.rule import Context
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Column, Constraint, Relation
from migsafe.schema.statistics import row_count
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted

_LABELS = {ConstraintKind.FOREIGN_KEY: "fkey", ConstraintKind.UNIQUE: "key", ConstraintKind.PRIMARY_KEY: "pkey"}


class Rollback(Struct, frozen=True):
    """How to undo an operation.

    `sql` is the statement, or empty; `loses` what the rollback loses, `lost_already` what the operation itself has lost, `note` what else to
    know. All are the ends of sentences.
    """

    sql: str = ""
    loses: str = ""
    lost_already: str = ""
    note: str = ""


class LostRows(Struct, frozen=True):
    """The rows that an operation removes from a relation: how many, or None if not known. `may_be_fewer`: not all rows of the relation."""

    relation: Name
    rows: int | None
    may_be_fewer: bool = False


def rollback_of(op: Operation, at: Context) -> Rollback | None:
    """Returns how to undo an operation; None if there is nothing to undo, or undoing another operation of the migration includes it. Rows that
    the release itself has put into its new tables are not lost."""
    if is_in_called_function(at, op):
        return None
    match op:
        case sql.AddConstraint(target=target, constraint=constraint) if is_created_by_migration(at, target.name):
            # Tables that reference each other can only be dropped after their foreign keys.
            return _undo_added_constraint(op, at) if constraint.kind is ConstraintKind.FOREIGN_KEY else None
        case sql.AlterRelation(target=target):
            return None if is_created_by_migration(at, target.name) else _undo_alteration(op, at)
        case sql.CreateIndex(name=name, table=table):
            if is_created_by_migration(at, table):
                return None
            schema = at.resolve(table).schema
            return Rollback(
                f"DROP INDEX CONCURRENTLY {Name(name, schema)};" if name is not None else "", note="" if name else _name_note("index")
            )
        case sql.Drop():
            return _undo_drop(op, at)
        case sql.Truncate(tables=tables):
            existing_tables = [str(at.resolve(truncated.name)) for truncated in tables if not is_created_here(at, truncated.name)]
            return Rollback(lost_already=f"the rows of {', '.join(existing_tables)}") if existing_tables else None
        case sql.Delete(table=table) if not is_created_here(at, table):
            return Rollback(lost_already=f"the deleted rows from {at.resolve(table)}")
        case sql.Update(table=table, columns=columns) if not is_created_here(at, table):
            changed = [column for column in columns if not is_column_created_here(at, table, column)]
            return (
                Rollback(lost_already=f"the previous values of {', '.join(map(quoted, changed))} in {at.resolve(table)}") if changed else None
            )
        case sql.Insert(table=table) if not is_created_here(at, table):
            return Rollback(note=f"the rows inserted into {at.resolve(table)} stay until you delete them")
    return _undo_creation(op, at)


def lost_rows(op: Operation, at: Context) -> tuple[LostRows, ...]:
    """Returns the rows that an operation removes from relations that existed before the migration."""
    if not op.certain:
        return ()
    match op:
        case sql.Drop(kind="table" | "foreign table", names=names):
            tables, may_be_fewer = names, False
        case sql.Truncate(tables=truncated_tables):
            tables, may_be_fewer = tuple(truncated.name for truncated in truncated_tables), False
        case sql.Delete(table=table, where=where, reads=reads):
            tables, may_be_fewer = (table,), where is not None or bool(reads)
        case sql.Drop(kind="schema", names=names):
            schemas = {name.name for name in names}
            tables, may_be_fewer = (
                tuple(effect.relation for effect in at.effects if effect.relation.schema in schemas and "table" in effect.kind),
                False,
            )
        case _:
            return ()
    existing_tables = [at.resolve(name) for name in tables if not is_created_here(at, name) and not at.catalog.is_absent(name)]
    return tuple(LostRows(name, row_count(at.limits.rows, name), may_be_fewer) for name in existing_tables)


def _name_note(object_kind: str) -> str:
    return f"PostgreSQL chooses the {object_kind}'s name: look it up with \\d"


def _undo_alteration(op: sql.AlterRelation, at: Context) -> Rollback | None:
    table = at.resolve(op.target.name)
    alter = f"ALTER TABLE {table}"
    relation = at.catalog.relation(op.target.name)
    match op:
        case sql.AddColumn(column=column):
            name = quoted(column.name)
            return Rollback(f"{alter} DROP COLUMN {name};", loses=f"what is written to {table}.{name} after the migration")
        case sql.AddConstraint():
            return _undo_added_constraint(op, at)
        case sql.DropColumn(column=name):
            if is_column_created_by_migration(at, op.target.name, name):
                return None
            return Rollback(lost_already=f"the values of {table}.{quoted(name)}", note="adding the column again creates it empty")
        case sql.DropConstraint(constraint=name):
            return _restore_constraint(alter, name, relation, at)
        case sql.SetNotNull(column=name):
            return Rollback(f"{alter} ALTER COLUMN {quoted(name)} DROP NOT NULL;")
        case sql.DropNotNull(column=name):
            return Rollback(f"{alter} ALTER COLUMN {quoted(name)} SET NOT NULL;", note=f"refused if NULL was written to {table}.{quoted(name)}")
        case sql.RenameColumn(column=old, new_name=new):
            return Rollback(f"{alter} RENAME COLUMN {quoted(new)} TO {quoted(old)};")
        case sql.RenameConstraint(constraint=old, new_name=new):
            return Rollback(f"{alter} RENAME CONSTRAINT {quoted(new)} TO {quoted(old)};")
        case sql.SetDefault(column=name) | sql.DropDefault(column=name):
            return _restore_default(alter, name, relation)
        case sql.AlterColumnType(column=name):
            old_column = _column_of(relation, name)
            if old_column is None or old_column.type is None:
                return Rollback(note=f"the old type of {table}.{quoted(name)} is not known")
            statement = f"{alter} ALTER COLUMN {quoted(name)} TYPE {old_column.type};"
            return Rollback(statement, note=f"it may take the same time again, and fails for values that do not fit into {old_column.type}")
        case sql.DetachPartition(partition=partition):
            return Rollback(note=f"{at.resolve(partition)} must be attached again with its bounds")
        case sql.AttachPartition(partition=partition):
            return Rollback(f"{alter} DETACH PARTITION {at.resolve(partition)};")
    return None


def _undo_added_constraint(op: sql.AddConstraint, at: Context) -> Rollback:
    constraint, table = op.constraint, at.resolve(op.target.name)
    name = constraint.name
    if name is None and constraint.columns and constraint.kind in _LABELS:
        columns = constraint.columns if constraint.kind is not ConstraintKind.PRIMARY_KEY else ()
        name = free_constraint_name(at.catalog, table, columns, _LABELS[constraint.kind]).name
    return Rollback(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name)};") if name is not None else Rollback(note=_name_note("constraint"))


def _column_of(relation: Relation | None, name: str) -> Column | None:
    return relation.column(name) if relation is not None else None


def _restore_default(alter: str, name: str, relation: Relation | None) -> Rollback:
    old_column = _column_of(relation, name)
    if old_column is None:
        return Rollback(note=f"the old default of {quoted(name)} is not known")
    action = f"SET DEFAULT {old_column.default.expression.sql}" if old_column.default is not None else "DROP DEFAULT"
    return Rollback(f"{alter} ALTER COLUMN {quoted(name)} {action};")


def _restore_constraint(alter: str, name: str, relation: Relation | None, at: Context) -> Rollback:
    note = f"rows that violate {quoted(name)} may exist by then: add it as NOT VALID, repair the rows, validate it"
    constraint = at.catalog.constraint(relation.oid, name) if relation is not None else None
    if relation is None or not isinstance(constraint, Constraint):
        return Rollback(note=note)
    if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
        return Rollback(f"{alter} ADD CONSTRAINT {quoted(name)} CHECK ({constraint.check.expression.sql}) NOT VALID;", note=note)
    referenced = at.catalog.get(constraint.references) if constraint.references is not None else None
    if constraint.kind is ConstraintKind.FOREIGN_KEY and isinstance(referenced, Relation):
        columns, referenced_columns = _column_list(relation, constraint.columns), _column_list(referenced, constraint.referenced_columns)
        actions = "".join(
            f" ON {event} {action.upper()}"
            for event, action in (("DELETE", constraint.on_delete), ("UPDATE", constraint.on_update))
            if action != "no action"
        )
        definition = f"FOREIGN KEY ({columns}) REFERENCES {referenced.name} ({referenced_columns}){actions} NOT VALID"
        return Rollback(f"{alter} ADD CONSTRAINT {quoted(name)} {definition};", note=note)
    return Rollback(
        note=note if constraint.kind is not ConstraintKind.PRIMARY_KEY else "the key's index must be built again, CONCURRENTLY, first"
    )


def _column_list(table: Relation, numbers: tuple[int, ...]) -> str:
    return ", ".join(quoted(column.name) for number in numbers if (column := table.column_numbered(number)) is not None)


def _undo_drop(op: sql.Drop, at: Context) -> Rollback | None:
    names = [
        name for name in op.names if not is_name_created_by_migration(at, op.kind, name, created=True) and not is_created_by_migration(at, name)
    ]
    if not names:
        return None
    listed = ", ".join(map(str, names))
    match op.kind:
        case "table" | "foreign table":
            tables = ", ".join(str(at.resolve(name)) for name in names)
            return Rollback(f"-- create {tables} again, as the earlier migrations define it", lost_already=f"the rows of {tables}")
        case "schema":
            return Rollback(lost_already=f"everything in the schema {listed}")
        case "index":
            return Rollback(note=f"{listed} must be built again (CREATE INDEX CONCURRENTLY): queries are slow until then")
        case "sequence":
            return Rollback(lost_already=f"the current value of {listed}")
    return Rollback(note=f"the {op.kind} {listed} must be created again, as an earlier migration defines it")


def _undo_creation(op: Operation, at: Context) -> Rollback | None:
    match op:
        case sql.CreateTable(table=table) | sql.CreateTableAs(table=table):
            if table.schema == "pg_temp" or getattr(op, "persistence", None) is sql.Persistence.TEMPORARY:
                return None
            name = at.catalog.in_first_schema(table)
            return Rollback(f"DROP TABLE {name};", loses=f"what is written to {name} after the migration")
        case sql.CreateView(view=view):
            if op.or_replace and at.catalog.relation(view) is not None:
                return Rollback(note=f"the view {view} must be created again as it was")
            return Rollback(f"DROP VIEW {view};")
        case sql.CreateMaterializedView(view=view):
            return Rollback(f"DROP MATERIALIZED VIEW {view};")
        case sql.CreateSequence(sequence=name):
            return Rollback(f"DROP SEQUENCE {name};")
        case sql.CreateEnum(type=name) | sql.CreateCompositeType(type=name):
            return Rollback(f"DROP TYPE {name};")
        case sql.CreateDomain(domain=name):
            return Rollback(f"DROP DOMAIN {name};")
        case sql.CreateTrigger(trigger=trigger, table=table):
            relation = at.catalog.relation(table)
            existing = at.catalog.triggers(relation.oid) if relation is not None else ()
            if op.or_replace and any(known.name.name == trigger for known in existing):
                return Rollback(note=f"the trigger {quoted(trigger)} must be created again as it was")
            return Rollback(f"DROP TRIGGER {quoted(trigger)} ON {table};")
        case sql.CreateFunction(kind=kind, function=name):
            if op.or_replace and at.catalog.functions(name):
                return Rollback(note=f"the {kind} {name} must be created again as it was")
            return Rollback(f"DROP {kind.upper()} {name};")
        case sql.CreateSchema(schema=str(schema)):
            return Rollback(f"DROP SCHEMA {quoted(schema)};")
        case sql.AddEnumValue(type=name, value=value):
            return Rollback(
                note=f"PostgreSQL cannot remove a value from an enum type: '{value}' stays in {name}, which is harmless unless it is written"
            )
        case sql.RenameEnumValue(type=name, value=old, new_name=new):
            return Rollback(f"ALTER TYPE {name} RENAME VALUE {_literal(new)} TO {_literal(old)};")
        case sql.Rename(kind=kind, name=name, new_name=new) if op.table is None:
            return Rollback(f"ALTER {kind.upper()} {Name(new, name.schema)} RENAME TO {quoted(name.name)};")
    return None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
