"""The statements that undo an operation by hand, and what a rollback loses."""

from msgspec import Struct

from migsafe.linting.facts.ownership import is_column_created_here, is_created_here, is_name_created_here
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
    """Returns how to undo an operation; None if there is nothing to undo, or undoing another operation includes it."""
    if is_in_called_function(at, op):
        return None
    match op:
        case sql.AddConstraint(target=target, constraint=given) if is_created_here(at, target.name):
            # Tables that reference each other can only be dropped after their foreign keys.
            return _added(op, at) if given.kind is ConstraintKind.FOREIGN_KEY else None
        case sql.AlterRelation(target=target):
            return None if is_created_here(at, target.name) else _altered(op, at)
        case sql.CreateIndex(name=name, table=table):
            if is_created_here(at, table):
                return None
            schema = at.resolve(table).schema
            return Rollback(
                f"DROP INDEX CONCURRENTLY {Name(name, schema)};" if name is not None else "", note="" if name else _unnamed("index")
            )
        case sql.Drop():
            return _dropped(op, at)
        case sql.Truncate(tables=tables):
            known = [str(at.resolve(one.name)) for one in tables if not is_created_here(at, one.name)]
            return Rollback(lost_already=f"the rows of {', '.join(known)}") if known else None
        case sql.Delete(table=table) if not is_created_here(at, table):
            return Rollback(lost_already=f"the deleted rows from {at.resolve(table)}")
        case sql.Update(table=table, columns=columns) if not is_created_here(at, table):
            changed = [column for column in columns if not is_column_created_here(at, table, column)]
            return (
                Rollback(lost_already=f"the previous values of {', '.join(map(quoted, changed))} in {at.resolve(table)}") if changed else None
            )
        case sql.Insert(table=table) if not is_created_here(at, table):
            return Rollback(note=f"the rows inserted into {at.resolve(table)} stay until you delete them")
    return _made(op, at)


def lost_rows(op: Operation, at: Context) -> tuple[LostRows, ...]:
    """Returns the rows that an operation removes from relations that existed before the migration."""
    if not op.certain:
        return ()
    match op:
        case sql.Drop(kind="table" | "foreign table", names=names):
            tables, some = names, False
        case sql.Truncate(tables=given):
            tables, some = tuple(one.name for one in given), False
        case sql.Delete(table=table, where=where, reads=reads):
            tables, some = (table,), where is not None or bool(reads)
        case sql.Drop(kind="schema", names=names):
            schemas = {name.name for name in names}
            tables, some = (
                tuple(effect.relation for effect in at.effects if effect.relation.schema in schemas and "table" in effect.kind),
                False,
            )
        case _:
            return ()
    known = [at.resolve(name) for name in tables if not is_created_here(at, name) and not at.catalog.is_absent(name)]
    return tuple(LostRows(name, row_count(at.limits.rows, name), some) for name in known)


def _unnamed(what: str) -> str:
    return f"PostgreSQL chooses the {what}'s name: look it up with \\d"


def _altered(op: sql.AlterRelation, at: Context) -> Rollback | None:
    table = at.resolve(op.target.name)
    alter = f"ALTER TABLE {table}"
    relation = at.catalog.relation(op.target.name)
    match op:
        case sql.AddColumn(column=column):
            name = quoted(column.name)
            return Rollback(f"{alter} DROP COLUMN {name};", loses=f"what is written to {table}.{name} after the migration")
        case sql.AddConstraint():
            return _added(op, at)
        case sql.DropColumn(column=name):
            if is_column_created_here(at, op.target.name, name):
                return None
            return Rollback(lost_already=f"the values of {table}.{quoted(name)}", note="adding the column again creates it empty")
        case sql.DropConstraint(constraint=name):
            return _constraint_back(alter, name, relation, at)
        case sql.SetNotNull(column=name):
            return Rollback(f"{alter} ALTER COLUMN {quoted(name)} DROP NOT NULL;")
        case sql.DropNotNull(column=name):
            return Rollback(f"{alter} ALTER COLUMN {quoted(name)} SET NOT NULL;", note=f"refused if NULL was written to {table}.{quoted(name)}")
        case sql.RenameColumn(column=old, new_name=new):
            return Rollback(f"{alter} RENAME COLUMN {quoted(new)} TO {quoted(old)};")
        case sql.RenameConstraint(constraint=old, new_name=new):
            return Rollback(f"{alter} RENAME CONSTRAINT {quoted(new)} TO {quoted(old)};")
        case sql.SetDefault(column=name) | sql.DropDefault(column=name):
            return _default_back(alter, name, relation)
        case sql.AlterColumnType(column=name):
            before = _column(relation, name)
            if before is None or before.type is None:
                return Rollback(note=f"the old type of {table}.{quoted(name)} is not known")
            back = f"{alter} ALTER COLUMN {quoted(name)} TYPE {before.type};"
            return Rollback(back, note=f"it may take the same time again, and fails for values that do not fit into {before.type}")
        case sql.DetachPartition(partition=partition):
            return Rollback(note=f"{at.resolve(partition)} must be attached again with its bounds")
        case sql.AttachPartition(partition=partition):
            return Rollback(f"{alter} DETACH PARTITION {at.resolve(partition)};")
    return None


def _added(op: sql.AddConstraint, at: Context) -> Rollback:
    given, table = op.constraint, at.resolve(op.target.name)
    name = given.name
    if name is None and given.columns and given.kind in _LABELS:
        columns = given.columns if given.kind is not ConstraintKind.PRIMARY_KEY else ()
        name = free_constraint_name(at.catalog, table, columns, _LABELS[given.kind]).name
    return Rollback(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name)};") if name is not None else Rollback(note=_unnamed("constraint"))


def _column(relation: Relation | None, name: str) -> Column | None:
    return relation.column(name) if relation is not None else None


def _default_back(alter: str, name: str, relation: Relation | None) -> Rollback:
    before = _column(relation, name)
    if before is None:
        return Rollback(note=f"the old default of {quoted(name)} is not known")
    was = f"SET DEFAULT {before.default.expression.sql}" if before.default is not None else "DROP DEFAULT"
    return Rollback(f"{alter} ALTER COLUMN {quoted(name)} {was};")


def _constraint_back(alter: str, name: str, relation: Relation | None, at: Context) -> Rollback:
    but = f"rows that violate {quoted(name)} may exist by then: add it as NOT VALID, repair the rows, validate it"
    found = at.catalog.constraint(relation.oid, name) if relation is not None else None
    if relation is None or not isinstance(found, Constraint):
        return Rollback(note=but)
    if found.kind is ConstraintKind.CHECK and found.check is not None:
        return Rollback(f"{alter} ADD CONSTRAINT {quoted(name)} CHECK ({found.check.expression.sql}) NOT VALID;", note=but)
    far = at.catalog.get(found.references) if found.references is not None else None
    if found.kind is ConstraintKind.FOREIGN_KEY and isinstance(far, Relation):
        here, there = _spelt(relation, found.columns), _spelt(far, found.referenced_columns)
        actions = "".join(
            f" ON {event} {action.upper()}"
            for event, action in (("DELETE", found.on_delete), ("UPDATE", found.on_update))
            if action != "no action"
        )
        words = f"FOREIGN KEY ({here}) REFERENCES {far.name} ({there}){actions} NOT VALID"
        return Rollback(f"{alter} ADD CONSTRAINT {quoted(name)} {words};", note=but)
    return Rollback(note=but if found.kind is not ConstraintKind.PRIMARY_KEY else "the key's index must be built again, CONCURRENTLY, first")


def _spelt(table: Relation, numbers: tuple[int, ...]) -> str:
    return ", ".join(quoted(column.name) for number in numbers if (column := table.column_numbered(number)) is not None)


def _dropped(op: sql.Drop, at: Context) -> Rollback | None:
    names = [name for name in op.names if not is_name_created_here(at, op.kind, name, created=True) and not is_created_here(at, name)]
    if not names:
        return None
    listed = ", ".join(map(str, names))
    match op.kind:
        case "table" | "foreign table":
            known = ", ".join(str(at.resolve(name)) for name in names)
            return Rollback(f"-- create {known} again, as the earlier migrations define it", lost_already=f"the rows of {known}")
        case "schema":
            return Rollback(lost_already=f"everything in the schema {listed}")
        case "index":
            return Rollback(note=f"{listed} must be built again (CREATE INDEX CONCURRENTLY): queries are slow until then")
        case "sequence":
            return Rollback(lost_already=f"the current value of {listed}")
    return Rollback(note=f"the {op.kind} {listed} must be created again, as an earlier migration defines it")


def _made(op: Operation, at: Context) -> Rollback | None:
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
            on = at.catalog.relation(table)
            if op.or_replace and on is not None and any(one.name.name == trigger for one in at.catalog.triggers(on.oid)):
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
