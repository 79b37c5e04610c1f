"""The operators of exclusion constraints (ComputeIndexAttrs in src/backend/commands/indexcmds.c)."""

from collections.abc import Iterator

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.extensions import BTREE_EXTENSIONS, PLAIN_TYPES, extension_named
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, ConstraintKind, IndexElement, TypeName

_WITHOUT_EXCLUSION = frozenset(("gin", "brin"))
"""The methods whose indexes cannot be asked for single rows (amgettuple)."""
_RANGES = frozenset(("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"))
_RANGE_OPERATORS = frozenset(("=", "&&", "-|-"))
"""The operators of range_ops, for gist, that are commutative."""
_ORDERS = frozenset(("<", ">", "<=", ">="))
_ONE_SIDED = frozenset(("@>", "<@", "<<", ">>", "&<", "&>"))
_ARGUMENTS = {"character varying": "text"}
"""The types whose operators are those of another one."""
_ADDRESSES = frozenset(("inet", "cidr"))
_FAMILIES = {
    **dict.fromkeys(("smallint", "integer", "bigint"), "integer_ops"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "datetime_ops"),
    **dict.fromkeys(("text", "character varying"), "text_ops"),
    "uuid": "uuid_ops",
    "numeric": "numeric_ops",
    "boolean": "bool_ops",
}
"""The operator families of btree, by the type of the column."""


@refuses(sql.AddConstraint, sql.CreateTable)
def exclude(catalog: Catalog, op: sql.AddConstraint | sql.CreateTable) -> Refusal | None:
    """The method of an exclusion constraint finds single rows, and its operators are commutative members of the column's operator class."""
    for constraint in added_constraints(op):
        if constraint.kind is not ConstraintKind.EXCLUDE:
            continue
        method = constraint.method or "btree"
        if method in _WITHOUT_EXCLUSION:
            return Refusal(
                error=f'access method "{method}" does not support exclusion constraints',
                help="-- use gist, or btree if every operator is =",
            )
        for element, data_type in _typed_elements(catalog, op, constraint):
            refusal = _refuse_operator(catalog, method, element, data_type)
            if refusal is not None:
                return refusal
    return None


def _typed_elements(
    catalog: Catalog, op: sql.AddConstraint | sql.CreateTable, constraint: Constraint
) -> Iterator[tuple[IndexElement, TypeName]]:
    """Returns the elements that are columns of a built-in type, with that type, and have its default operator class."""
    if isinstance(op, sql.CreateTable):
        types = {column.name: column.type for column in op.columns}
    else:
        table = complete_table(catalog, op.target.name)
        types = {column.name: column.type for column in table.columns} if table is not None else {}
    for element in constraint.elements:
        data_type = types.get(element.column or "")
        if data_type is not None and element.opclass is None and is_built_in(data_type) and not data_type.dimensions:
            yield element, data_type


def _refuse_operator(catalog: Catalog, method: str, element: IndexElement, data_type: TypeName) -> Refusal | None:
    operator, written = element.operator or "", type_text(catalog, data_type)
    if data_type.name in _RANGES:
        return _refuse_range(method, element, operator)
    if data_type.name in _ADDRESSES and method == "gist" and operator == "&&" and catalog.pg_version < versions.INET_OPS_BY_DEFAULT:
        return _refuse_address(catalog, element, data_type.name)
    if data_type.name not in PLAIN_TYPES:
        return None
    has_class = method != "gist" or extension_named(catalog, "btree_gist") is not None
    if operator == "&&" and has_class:
        return Refusal(
            error=f"operator does not exist: {written} && {written}", help=f"-- {element.column} WITH =; && is an operator of ranges and arrays"
        )
    if operator == "&&":
        return Refusal(
            error=f'data type {written} has no default operator class for access method "{method}"',
            help=f"-- CREATE EXTENSION btree_gist; and {element.column} WITH =, because && is an operator of ranges and arrays",
        )
    family, argument = _FAMILIES.get(data_type.name), _ARGUMENTS.get(data_type.name, data_type.name)
    if family is None or method not in ("btree", "gist") or not has_class:
        return None
    if operator in _ORDERS:
        return Refusal(
            error=f"operator {operator}({argument},{argument}) is not commutative", help="-- only commutative operators can exclude rows"
        )
    if operator == "<>" and method == "btree":
        return Refusal(
            error=f'operator <>({argument},{argument}) is not a member of operator family "{family}"',
            help=f"-- CREATE EXTENSION {_extension('gist')}; and USING gist: its operator classes have <>",
        )
    return None


def _refuse_range(method: str, element: IndexElement, operator: str) -> Refusal | None:
    start = f"operator {operator}(anyrange,anyrange)"
    if operator in (_ORDERS | _ONE_SIDED):
        return Refusal(error=f"{start} is not commutative", help=f"-- {element.column} WITH &&, if ranges must not overlap")
    if method == "gist" and operator not in _RANGE_OPERATORS and operator == "<>":
        return Refusal(error=f'{start} is not a member of operator family "range_ops"', help="-- only =, && and -|- can exclude ranges")
    if method in ("btree", "hash") and operator in ("&&", "-|-"):
        return Refusal(error=f'{start} is not a member of operator family "range_ops"', help="-- USING gist")
    return None


def _refuse_address(catalog: Catalog, element: IndexElement, data_type: str) -> Refusal:
    """The operator class that has && of addresses is not the default one, with btree_gist and without it."""
    error = f'data type {data_type} has no default operator class for access method "gist"'
    if extension_named(catalog, "btree_gist") is not None:
        error = f'operator &&(inet,inet) is not a member of operator family "gist_{data_type}_ops"'
    return Refusal(error=error, help=f"-- name the operator class: {element.column} inet_ops WITH &&")


def _extension(method: str) -> str:
    return next(extension for extension, its_method in BTREE_EXTENSIONS.items() if its_method == method)
