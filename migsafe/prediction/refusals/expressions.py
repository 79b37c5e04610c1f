"""What defaults, constraints, indexes and generated columns may not contain: sub-queries, other columns, functions that are not immutable."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from migsafe import expressions
from migsafe.expressions.queries.plain.expressions import read_expression
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import may_make_nothing
from migsafe.prediction.refusals.foreign_functions import refuse_foreign
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.columns import stored_type
from migsafe.schema.formulas import has_subquery, is_column_reference
from migsafe.schema.refusal import Refusal
from migsafe.schema.volatility import is_never_immutable
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Expression, Name, TypeName

_NOT_IMMUTABLE = {
    "index expression": "functions in index expression must be marked IMMUTABLE",
    "index predicate": "functions in index predicate must be marked IMMUTABLE",
    "column generation expression": "generation expression is not immutable",
    "partition key expression": "functions in partition key expression must be marked IMMUTABLE",
}
"""The errors of the expressions that PostgreSQL stores the results of."""

_MAY_CONVERT = lazy_pattern(r"::|\|\||cast|convert|trunc|extract|date|tsvector|tsquery|current_|localtime|now|time_str|\bage\b", re.IGNORECASE)
"""The operators and parts of function names without which `expressions.mutable_conversion` finds nothing. Other expressions need no tree."""


class Place(NamedTuple):
    """An expression in a definition: `kind` is what PostgreSQL's messages call it."""

    kind: str
    expression: Expression


@refuses(sql.CreateTable, sql.AddColumn, sql.SetDefault, sql.AddConstraint, sql.CreateIndex, sql.AlterColumnType)
def use_expression(
    catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.SetDefault | sql.AddConstraint | sql.CreateIndex | sql.AlterColumnType
) -> Refusal | None:
    """An expression has the form that its place allows."""
    if isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op):
        return None
    # CREATE INDEX IF NOT EXISTS checks its expressions before the name.
    if isinstance(op, sql.AddColumn) and op.if_not_exists:
        return None
    for kind, expression in places(op):
        foreign = refuse_foreign(catalog, expression.calls) if expression.calls else None
        if foreign is not None:
            return foreign
        if has_subquery(expression.sql):
            return Refusal(error=f"cannot use subquery in {kind}", help=_instead_of_query(kind))
        if kind == "DEFAULT expression" and is_column_reference(expression.sql):
            return Refusal(error="cannot use column reference in DEFAULT expression", help="-- write a text in single quotes: DEFAULT '…'")
        if kind in _NOT_IMMUTABLE:
            reason = _mutable_part(catalog, expression, _column_types(catalog, op))
            if reason is not None:
                return Refusal(error=_NOT_IMMUTABLE[kind], detail=reason, help=_immutable_form(reason))
    return None


def _instead_of_query(kind: str) -> str:
    return "-- call a function that runs the query, or check the rows in a trigger" if kind == "check constraint" else ""


def _immutable_form(reason: str) -> str:
    if "time zone" in reason:
        return "-- name the time zone: (column AT TIME ZONE 'UTC') is immutable, and its result can be cast or given to date_trunc"
    if reason.startswith(("concat", "array_to_string")):
        return "-- use coalesce() and || between texts; or a function of your own that is declared IMMUTABLE, and is so"
    return ""


def places(op: sql.Operation) -> Iterator[Place]:
    """Yields the expressions in the definitions of an operation."""
    match op:
        case sql.CreateTable():
            for column in op.columns:
                yield from _places_of_column(column)
            for constraint in op.constraints:
                yield from _places_of_constraint(constraint)
            for key in op.partition_by.elements if op.partition_by is not None else ():
                if key.expression is not None:
                    yield Place("partition key expression", key.expression)
        case sql.AddColumn():
            yield from _places_of_column(op.column)
        case sql.SetDefault():
            yield Place("DEFAULT expression", op.default)
        case sql.AddConstraint():
            yield from _places_of_constraint(op.constraint)
        case sql.AlterColumnType() if op.using is not None:
            yield Place("transform expression", op.using)
        case sql.CreateIndex():
            yield from (Place("index expression", element.expression) for element in op.elements if element.expression is not None)
            if op.where is not None:
                yield Place("index predicate", op.where)


def _places_of_column(column: sql.Column) -> Iterator[Place]:
    if column.default is not None:
        yield Place("DEFAULT expression", column.default)
    if column.generated is not None:
        yield Place("column generation expression", column.generated.expression)
    for constraint in column.constraints:
        yield from _places_of_constraint(constraint)


def _places_of_constraint(constraint: sql.Constraint) -> Iterator[Place]:
    if constraint.check is not None and constraint.kind is ConstraintKind.CHECK:
        yield Place("check constraint", constraint.check)
    if constraint.kind is ConstraintKind.EXCLUDE:
        yield from (Place("index expression", element.expression) for element in constraint.elements if element.expression is not None)
        if constraint.where is not None:
            yield Place("index predicate", constraint.where)


def _column_types(catalog: Catalog, op: sql.Operation) -> Mapping[str, TypeName]:
    """Returns the types of the columns that an expression may use, as far as they are known."""
    types: dict[str, TypeName | None] = {}
    if isinstance(op, sql.CreateIndex | sql.AlterRelation):
        table = catalog.relation(op.table if isinstance(op, sql.CreateIndex) else op.target.name)
        types.update({column.name: column.type for column in table.columns} if table is not None else {})
    if isinstance(op, sql.CreateTable):
        types.update({column.name: stored_type(catalog, column.type) for column in op.columns})
    return {name: data_type for name, data_type in types.items() if data_type is not None}


_CHANGED_BY_SETTINGS = frozenset(("timestamp with time zone", "timestamp without time zone", "date", "interval", "money"))
_DEPENDING = frozenset(("now", "age", "to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery"))


def _is_evidently_immutable(catalog: Catalog, expression: Expression, types: Mapping[str, TypeName]) -> bool:
    """Whether no conversion in an expression depends on a setting: it has no column and no cast of a type that a setting changes, and calls
    none of the functions that depend on one. Such an expression needs no tree."""
    found = read_expression(expression.sql)
    if found is None:
        return False
    term, names = found
    if _CHANGED_BY_SETTINGS.intersection(names.types) or any(
        part.kind in ("call", "known") and part.data in _DEPENDING for part in term.walk()
    ):
        return False
    columns = [types[ref.name] for ref in names.refs if ref.name in types]
    return all(each.dimensions or (each.name not in _CHANGED_BY_SETTINGS and catalog.type_of(each) is None) for each in columns)


def _mutable_part(catalog: Catalog, expression: Expression, types: Mapping[str, TypeName]) -> str | None:
    """Returns why an expression is certainly not immutable, as a clause."""
    for call in expression.calls:
        if not catalog.has_function_named(call.name):
            if call.name not in catalog.altered_functions and is_never_immutable(call, catalog.pg_version):
                return f"{call.name}() is not immutable"
            continue
        functions = catalog.functions(call)
        # PostgreSQL judges the body of a function that it can replace by its expression.
        if len(functions) == 1 and not functions[0].inlined and certainly_exists(catalog, functions[0]):
            function = functions[0]
            if function.volatility != "immutable":
                return f"the function {Name(function.name.name)} is {function.volatility.upper()}"
    if _MAY_CONVERT.search(expression.sql) is None or _is_evidently_immutable(catalog, expression, types):
        return None
    enums = frozenset(name for name, data_type in types.items() if not data_type.dimensions and catalog.type_of(data_type) is not None)
    return expressions.mutable_conversion(
        expression, {name: each for name, each in types.items() if name not in enums}, enums, catalog.pg_version
    )
