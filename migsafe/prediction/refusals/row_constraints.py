"""The rows that the history has inserted, against constraints and types that come later."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.checks import violates
from migsafe.prediction.refusals.definitions import added_constraints, changed_type, complete_table
from migsafe.prediction.refusals.known_rows import KnownRow, all_rows, comparable, known_rows, whose
from migsafe.prediction.refusals.registry import refuses
from migsafe.prediction.row_changes import KEEPS_ROWS
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.columns import default_of, default_value, stored_type
from migsafe.schema.constants import refused_constant
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Column, Constraint, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Expression

_EQUALITY = lazy_pattern(r'\s*"?(\w+)"?\s*=\s*(\'[^\']*+(?:\'\'[^\']*+)*+\'|-?\d+)\s*')
_TEXTS = ("text", "character varying")
_KEYS = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY)


@refuses(sql.AddConstraint, sql.AddColumn)
def constrain_known_rows(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn) -> Refusal | None:
    """The rows of a table satisfy a new CHECK, and reference rows that exist."""
    table = complete_table(catalog, op.target.name)
    if table is None or not catalog.inserted_rows.batches(table.oid):
        return None
    added = _added_column(catalog, table, op) if isinstance(op, sql.AddColumn) else None
    if isinstance(op, sql.AddColumn) and added is None:
        return None
    rows: list[KnownRow] | None = None
    for constraint in added_constraints(op):
        is_check = constraint.kind is ConstraintKind.CHECK and constraint.check is not None
        if constraint.not_valid or not constraint.enforced or not (is_check or constraint.references is not None or added is not None):
            continue
        rows = known_rows(catalog, table) if rows is None else rows
        value = default_value(catalog, added) if added is not None else ""
        with_added = [{**row, added.name: value} for row in rows] if added is not None and value else rows
        refusal = _refuse_rows(catalog, table, added, constraint, with_added)
        if refusal is not None:
            return refusal
    return None


def _added_column(catalog: Catalog, table: Relation, op: sql.AddColumn) -> Column | None:
    column = op.column
    if op.if_not_exists or table.column(column.name) is not None or column.identity is not None or column.generated is not None:
        return None
    data_type = stored_type(catalog, column.type)
    if data_type is None or data_type != column.type:
        return None  # a serial, or a type of the project
    default = default_of(catalog, column.default, data_type) if column.default is not None else None
    return Column(0, column.name, data_type, default=default)


def _refuse_rows(
    catalog: Catalog, table: Relation, added: Column | None, constraint: sql.Constraint, rows: Sequence[KnownRow]
) -> Refusal | None:
    columns = table.columns if added is None else (*table.columns, added)
    if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
        used = [column.name for column in columns if re.search(rf"\b{re.escape(column.name)}\b", constraint.check.sql)]
        name = constraint.name or free_constraint_name(catalog, table.name, used if len(used) == 1 else (), "check").name
        return _refuse_check(catalog, table, columns, name, constraint.check, rows)
    if added is not None and constraint.kind in _KEYS and len(rows) > 1 and rows[0].get(added.name, "null") != "null":
        is_primary = constraint.kind is ConstraintKind.PRIMARY_KEY
        name = (
            constraint.name
            or free_constraint_name(catalog, table.name, () if is_primary else (added.name,), "pkey" if is_primary else "key").name
        )
        return Refusal(
            error=f'could not create unique index "{name}"',
            detail=f"{whose(catalog, table)} inserts several rows, and all get {added.name} = {rows[0][added.name]}",
            help="-- first add the column without the constraint, and give each row its own value",
        )
    if constraint.references is not None:
        referenced = complete_table(catalog, constraint.references.table)
        names = constraint.references.columns or (_key(catalog, referenced) if referenced is not None else ())
        name = constraint.name or free_constraint_name(catalog, table.name, constraint.columns, "fkey").name
        if referenced is not None and referenced.oid != table.oid:
            return _refuse_reference(catalog, table, name, constraint.columns, (referenced, names), rows)
    return None


def _refuse_check(
    catalog: Catalog, table: Relation, columns: Sequence[Column], name: str, check: Expression, rows: Sequence[KnownRow]
) -> Refusal | None:
    row = violates(catalog, columns, check, rows)
    if row is None:
        return None
    return Refusal(
        error=f'check constraint "{name}" of relation "{table.name.name}" is violated by some row',
        detail=f"{whose(catalog, table)} inserts one with {_shown(row, check.sql)}",
        help="-- first change or delete the rows that violate it",
    )


def _shown(row: KnownRow, sql: str) -> str:
    return ", ".join(f"{name} = {value}" for name, value in row.items() if re.search(rf"\b{re.escape(name)}\b", sql)) or "other values"


@refuses(sql.ValidateConstraint)
def validate_known_rows(catalog: Catalog, op: sql.ValidateConstraint) -> Refusal | None:
    """The rows of a table satisfy a CHECK that is validated."""
    table = complete_table(catalog, op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if table is not None else None
    if table is None or constraint is None or constraint.check is None or constraint.valid or not certainly_exists(catalog, constraint):
        return None
    # The expression has the names that the columns had when it was written.
    named = dict(constraint.check.column_uses)
    columns = [replace(column, name=named[column.number]) for column in table.columns if column.number in named]
    current = {column.name: named[column.number] for column in table.columns if column.number in named}
    rows = [{current[name]: value for name, value in row.items() if name in current} for row in known_rows(catalog, table)]
    return _refuse_check(catalog, table, columns, op.constraint, constraint.check.expression, rows)


def _key(catalog: Catalog, table: Relation) -> tuple[str, ...]:
    key = catalog.primary_key(table.oid)
    columns = [table.column_numbered(number) for number in key.columns] if key is not None else []
    return tuple(column.name for column in columns if column is not None)


def _refuse_reference(
    catalog: Catalog, table: Relation, name: str, columns: Sequence[str], target: tuple[Relation, Sequence[str]], rows: Sequence[KnownRow]
) -> Refusal | None:
    """Returns why a foreign key refuses rows: the migration has created the referenced table, and put other rows into it, or none."""
    referenced, names = target
    if len(columns) != 1 or len(names) != 1 or not rows:
        return None
    there, column = all_rows(catalog, referenced), referenced.column(names[0])
    pattern = comparable(column) if column is not None else None
    keys = [row.get(names[0], "") for row in there] if there is not None else []
    if there is None or pattern is None or not all(pattern.fullmatch(key) for key in keys):
        return None
    for row in rows:
        value = row.get(columns[0], "")
        if value in keys or not pattern.fullmatch(value):
            continue
        return Refusal(
            error=f'insert or update on table "{table.name.name}" violates foreign key constraint "{name}"',
            detail=f"{columns[0]} is {value}, and {referenced.name} has {'no such row' if keys else 'no rows'}",
            help=f"-- first insert the row that it references into {referenced.name}",
        )
    return None


def refuse_references(catalog: Catalog, table: Relation, rows: Sequence[KnownRow]) -> Refusal | None:
    """Returns why the foreign keys of a table refuse new rows."""
    for key in catalog.constraints(table.oid) if catalog.inserted_rows.are_checked(catalog.migration) else ():
        if key.kind is not ConstraintKind.FOREIGN_KEY or key.deferrable or not key.enforced or table.checks_disabled:
            continue
        referenced = catalog.get(key.references) if key.references is not None else None
        if not isinstance(referenced, Relation) or referenced.oid == table.oid or not certainly_exists(catalog, key):
            continue
        columns = [column.name for number in key.columns if (column := table.column_numbered(number)) is not None]
        names = [column.name for number in key.referenced_columns if (column := referenced.column_numbered(number)) is not None]
        refusal = _refuse_reference(catalog, table, key.name.name, columns, (referenced, names or _key(catalog, referenced)), rows)
        if refusal is not None:
            return refusal
    return None


@refuses(sql.Delete)
def delete_referenced(catalog: Catalog, op: sql.Delete) -> Refusal | None:
    """No row references a row that is deleted."""
    table = complete_table(catalog, op.table)
    equality = _EQUALITY.fullmatch(op.where.sql) if op.where is not None else None
    if table is None or op.reads or op.current_of is not None or not catalog.inserted_rows.are_checked(catalog.migration):
        return None
    if op.where is not None and equality is None:
        return None
    for key in catalog.foreign_keys_to(table.oid):
        referencing = _certain_reference(catalog, key)
        if referencing is None or referencing.oid == table.oid or table.checks_disabled:
            continue
        column, target = referencing.column_numbered(key.columns[0]), table.column_numbered(key.referenced_columns[0])
        if column is None or target is None or (equality is not None and equality[1].lower() != target.name):
            continue
        values = (row.get(column.name, "") for row in known_rows(catalog, referencing))
        found = next((value for value in values if value not in ("", "null") and (equality is None or value == equality[2])), None)
        if found is not None:
            return Refusal(
                error=f'update or delete on table "{table.name.name}" violates foreign key constraint "{key.name.name}" on table '
                f'"{referencing.name.name}"',
                detail=f"{whose(catalog, referencing)} inserts a row into {referencing.name} with {column.name} = {found}",
                help=f"-- first delete the rows of {referencing.name} that reference it",
            )
    return None


def _certain_reference(catalog: Catalog, key: Constraint) -> Relation | None:
    """Returns the table of a foreign key over one column that is checked at once, and that keeps referenced rows."""
    is_single = len(key.columns) == len(key.referenced_columns) == 1
    is_checked = is_single and key.on_delete in KEEPS_ROWS and not key.deferrable and key.enforced
    table = catalog.get(key.table) if is_checked and certainly_exists(catalog, key) else None
    return table if isinstance(table, Relation) and not table.checks_disabled else None


@refuses(sql.AlterColumnType)
def convert_known_rows(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """The texts in a column are values of its new type."""
    changed = changed_type(catalog, op)
    if changed is None or not catalog.inserted_rows.batches(changed[0].oid):
        return None
    table, column, source, target = changed
    if source.name not in _TEXTS or source.schema is not None or source.dimensions or target.dimensions:
        return None
    is_cast = op.using is not None
    if op.using is not None and not _is_cast(op.using.sql, column.name, str(op.type)):
        return None
    for row in known_rows(catalog, table):
        value = row.get(column.name, "")
        if not value.startswith("'"):
            continue
        error = refused_constant(catalog, column.name, target, value, stored=not is_cast)
        if error is not None:
            return Refusal(
                error=error,
                detail=f"{whose(catalog, table)} inserts a row with {column.name} = {value}",
                help="-- first change the values that the new type does not have",
            )
    return None


def _is_cast(using: str, column: str, target: str) -> bool:
    """Whether USING only casts the column, directly or as a text."""
    text = re.sub(r'[\s"()]', "", using).lower()
    parts = text.split("::")
    written = re.sub(r'[\s"]', "", target).lower()
    return (
        parts[0].rpartition(".")[2] == column.lower()
        and len(parts) >= 2
        and all(part in ("text", "varchar") for part in parts[1:-1])
        and (parts[-1].rpartition(".")[2] == written.rpartition(".")[2] or parts[-1] in _SPELLINGS)
    )


_SPELLINGS = frozenset(
    (
        *("int", "int4", "integer", "int8", "bigint", "smallint", "numeric", "decimal", "boolean", "bool", "uuid", "date", "json", "jsonb"),
        *("timestamp", "timestamptz", "timestampwithtimezone", "timestampwithouttimezone"),
    )
)
"""The names of types, as casts write them."""
