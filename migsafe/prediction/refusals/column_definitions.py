"""Columns, constraints and indexes that PostgreSQL refuses by their definition alone, whatever the database contains."""

from collections.abc import Iterator, Sequence

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, may_make_nothing, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Column, Constraint, ConstraintKind, TypeName

_SERIALS = frozenset(("smallserial", "serial", "bigserial"))
_WITHOUT_MODIFIERS = frozenset("text date uuid json jsonb bytea money xml inet cidr macaddr tsvector tsquery".split())
_WITHOUT_COLLATION = frozenset(
    (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "date", "uuid", "json", "jsonb", "bytea"),
        *("timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone", "interval", "money"),
        *("inet", "xml"),
    )
)
_PSEUDO_TYPES = frozenset("record anyelement anyarray anynonarray anyenum anyrange trigger event_trigger void cstring unknown".split())
_WITHOUT_ORDER = frozenset("json xml point box line lseg path polygon circle".split())
"""Built-in types without an operator class for btree."""
_STRINGS = {"character varying": "varchar", "character": "char"}
_LONGEST_STRING = 10_485_760
_MOST_DIGITS = 1000


@refuses(sql.CreateTable, sql.AddColumn)
def define_column(catalog: Catalog, op: sql.CreateTable | sql.AddColumn) -> Refusal | None:
    """The type of a column is one for columns, and its length, its default and its collation fit it; no clause contradicts another."""
    if isinstance(op, sql.AddColumn):
        table = op.target.name.name
        columns: Sequence[Column] = () if op.if_not_exists else (op.column,)
    else:
        table = op.table.name
        columns = () if may_make_nothing(catalog, op) else op.columns
    for column in columns:
        if column.type is not None and _contradicts_itself(catalog, column, column.type):
            return Refusal(error=f'conflicting NULL/NOT NULL declarations for column "{column.name}" of table "{table}"')
        if column.type is not None and column.repeats_default:
            return Refusal(error=f'multiple default values specified for column "{column.name}" of table "{table}"')
    for column in columns:
        if column.type is None or column.type.percent_type:
            continue
        error = _refuse_serial(column, column.type, table) or _refuse_type(column, column.type) or _refuse_modifiers(column.type)
        if error is not None:
            return Refusal(error=error)
    return None


def _contradicts_itself(catalog: Catalog, column: Column, data_type: TypeName) -> bool:
    """Whether a column is declared NULL, and also something that is NOT NULL: since PostgreSQL 18 a PRIMARY KEY too."""
    if not column.null:
        return False
    if column.not_null or column.identity is not None:
        return True
    if data_type.schema is None and data_type.name in _SERIALS:
        return not data_type.dimensions and column.default is None
    is_key = any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
    return is_key and catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS


def _refuse_serial(column: Column, data_type: TypeName, table: str) -> str | None:
    if data_type.schema is not None or data_type.name not in _SERIALS:
        return None
    if data_type.dimensions:
        return "array of serial is not implemented"
    if column.default is not None:
        return f'multiple default values specified for column "{column.name}" of table "{table}"'
    return None


def _refuse_type(column: Column, data_type: TypeName) -> str | None:
    if data_type.schema in (None, "pg_catalog") and data_type.name in _PSEUDO_TYPES and not data_type.dimensions:
        return f'column "{column.name}" has pseudo-type {data_type.name}'
    if column.collation is not None and is_built_in(data_type) and data_type.name in _WITHOUT_COLLATION and not data_type.dimensions:
        return f"collations are not supported by type {data_type.name}"
    return None


@refuses(sql.AlterColumnType)
def change_type(_: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """The length of a type is within its limits."""
    error = _refuse_modifiers(op.type) if not op.type.percent_type else None
    return Refusal(error=error) if error is not None else None


def _refuse_modifiers(data_type: TypeName) -> str | None:
    if not data_type.modifiers or not is_built_in(data_type):
        return None
    first = data_type.modifiers[0].strip()
    if data_type.name in _WITHOUT_MODIFIERS:
        return f'type modifier is not allowed for type "{data_type.name}"' if first.isdigit() else None
    if not first.isdigit():
        return None
    number = int(first)
    if data_type.name in _STRINGS:
        if number < 1:
            return f"length for type {_STRINGS[data_type.name]} must be at least 1"
        return f"length for type {_STRINGS[data_type.name]} cannot exceed {_LONGEST_STRING}" if number > _LONGEST_STRING else None
    if data_type.name == "numeric" and not 1 <= number <= _MOST_DIGITS:
        return f"NUMERIC precision {number} must be between 1 and {_MOST_DIGITS}"
    return None


_INDEXED = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE)


@refuses(sql.AddConstraint, sql.CreateTable)
def mark_constraint(catalog: Catalog, op: sql.AddConstraint | sql.CreateTable) -> Refusal | None:
    """Only CHECK, NOT NULL and foreign keys can be NOT VALID, only CHECK and foreign keys NOT ENFORCED, and CHECK cannot be deferred
    (processCASbits in gram.y)."""
    if isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op):
        return None
    for constraint in op.constraints if isinstance(op, sql.CreateTable) else (op.constraint,):
        refusal = _refuse_marks(constraint)
        if refusal is not None:
            return refusal
    return None


def _refuse_marks(constraint: Constraint) -> Refusal | None:
    if constraint.not_valid and constraint.kind in _INDEXED:
        return Refusal(
            error=f"{constraint.kind.value} constraints cannot be marked NOT VALID",
            help="-- create the index first, with CREATE UNIQUE INDEX CONCURRENTLY, and add the constraint USING INDEX"
            if constraint.kind is not ConstraintKind.EXCLUDE
            else "",
        )
    if not constraint.enforced and constraint.kind in (*_INDEXED, ConstraintKind.NOT_NULL):
        return Refusal(
            error=f"{constraint.kind.value} constraints cannot be marked NOT ENFORCED",
            help="-- leave the constraint out, or enforce it; only CHECK and foreign keys can be NOT ENFORCED",
        )
    if constraint.kind is ConstraintKind.CHECK and (constraint.deferrable or constraint.initially_deferred):
        return Refusal(error="CHECK constraints cannot be marked DEFERRABLE", help="-- use a constraint trigger")
    return None


@refuses(sql.CreateIndex)
def include_expression(_: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """INCLUDE has columns only."""
    if all(element.expression is None for element in op.include):
        return None
    return Refusal(error="expressions are not supported in included columns", help="-- include the columns of the expression")


@refuses(sql.CreateTable, sql.AddColumn, sql.AddConstraint)
def order_key(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.AddConstraint) -> Refusal | None:
    """The columns of a key have an order."""
    for constraint, types in _keys(catalog, op):
        for data_type in types:
            if data_type is not None and is_built_in(data_type) and data_type.name in _WITHOUT_ORDER and not data_type.dimensions:
                return Refusal(
                    error=f'data type {type_text(catalog, data_type)} has no default operator class for access method "btree"',
                    detail=f"the {constraint.kind.value} constraint needs an index",
                    help="-- use jsonb" if data_type.name == "json" else "",
                )
    return None


def _keys(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.AddConstraint) -> Iterator[tuple[Constraint, list[TypeName | None]]]:
    if isinstance(op, sql.CreateTable):
        if may_make_nothing(catalog, op):
            return
        own = {column.name: column.type for column in op.columns}
    elif isinstance(op, sql.AddColumn):
        own = {} if op.if_not_exists else {op.column.name: op.column.type}
    else:
        table = complete_table(catalog, op.target.name)
        own = {column.name: column.type for column in table.columns} if table is not None else {}
    for constraint in added_constraints(op):
        if constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY) and constraint.index is None:
            yield constraint, [own.get(name) for name in constraint.columns]
