"""The calls and operators in a query, or in a change of rows, for whose arguments PostgreSQL has no function."""

import re
from collections.abc import Mapping

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import type_text
from migsafe.prediction.refusals.evident_calls import KnownFunctions, has_evident_calls
from migsafe.prediction.refusals.foreign_keys import are_incompatible
from migsafe.schema.casts import BUILT_IN, cast
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Function
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.schema.volatility import volatility_of
from migsafe.sql.operations import CreateFunction, Expression, Name, Query, TypeName

_LITERAL = TypeName(name="unknown")
_STRINGS = frozenset(("text", "character varying"))
_NOT_STRINGS = frozenset(
    (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid", "json", "jsonb"),
        *("date", "timestamp without time zone", "timestamp with time zone"),
    )
)
_COMPARED = lazy_pattern(r"\)\s*(?:=|<>|!=)|(?:=|<>|!=)[\s(]*(?:select\s+)?[\w.]+\s*\(|\bin\s*\(\s*select\b", re.IGNORECASE)
"""A comparison with what may be a call, or with the rows of a query."""
_NAMED_CALL = lazy_pattern(r"(\w+)\s*\(")
_POLYMORPHIC = ("any", '"any"', "record")
_CALLS = lazy_pattern(
    r"\b(?:lower|upper|sum|avg|extract|date_trunc|string_agg|max|min|bool_and|bool_or|round|[blr]?trim|(?:char(?:acter)?_)?length|md5|reverse|replace|jsonb?_(?:array_\w+|typeof|pretty))\s*\(",
    re.IGNORECASE,
)
_WRITTEN = {
    "length": lazy_pattern(r"\b((?:char(?:acter)?_)?length)\s*\(", re.IGNORECASE),
    **{name: lazy_pattern(rf"\b({name}|trim)\s*\(", re.IGNORECASE) for name in ("btrim", "ltrim", "rtrim")},
}
"""The names of one function, by the one that a refused call has."""
_OPERATORS = lazy_pattern(r"->|#>|@>|[+/]|(?<!-)-(?!-)|(?<![(.])\*(?!\s*(?:from\b|,|$))", re.IGNORECASE)
"""What may be one of the operators; not a comment, and not the `*` of count(*), of all columns, and of all those of a table."""


def refuse_calls(catalog: Catalog, query: Query, own: CreateFunction | None = None) -> Refusal | None:
    """Returns why PostgreSQL refuses a call or an operator. Where an unknown function may have the name, nothing is said. `own` is the function
    in whose body the query is: PostgreSQL has stored it before it resolves the body."""
    if not (catalog.complete or catalog.from_beginning):
        return None
    refusal = _refuse_comparison(catalog, query)
    if refusal is not None or catalog.has_other_functions:
        return refusal
    return _refuse_functions(catalog, query) or _refuse_operators(catalog, query) or _refuse_arguments(catalog, query, own)


def refuse_calls_in(catalog: Catalog, expression: Expression, columns: Mapping[str, TypeName], query: Query) -> Refusal | None:
    """Returns why PostgreSQL refuses a call or an operator in an expression over columns of these types. `query` has the expression as its
    output or its condition."""
    if not (catalog.complete or catalog.from_beginning) or not _may_be_refused(catalog, expression.sql):
        return None
    known = KnownFunctions(lambda name: _result(catalog, Name(name)), lambda name, types: _accepts(catalog, Name(name), types))
    return None if has_evident_calls(expression.sql, columns, known) else refuse_calls(catalog, query)


def _may_be_refused(catalog: Catalog, text: str) -> bool:
    """Whether an expression has something for which PostgreSQL may have no function."""
    return any(pattern.search(text) for pattern in (_COMPARED, _CALLS, _OPERATORS)) or _calls_own_functions(catalog, text)


def _calls_own_functions(catalog: Catalog, text: str) -> bool:
    return any(catalog.functions_named(match[1].lower()) for match in _NAMED_CALL.finditer(text))


def _accepts(catalog: Catalog, name: Name, types: list[TypeName | None]) -> bool:
    """Whether a function of the history may accept arguments of these types, or the history has none of this name."""
    if not catalog.functions_named(name.name):
        return True
    arguments = [each for each in types if each is not None]
    return len(arguments) == len(types) and any(_may_accept(catalog, function, arguments) for function in catalog.functions(name))


def _refuse_operators(catalog: Catalog, query: Query) -> Refusal | None:
    if not _OPERATORS.search(query.sql):
        return None
    for found in expressions.refused_operators(query, lambda name: table_columns(catalog, name)):
        left, right = type_text(catalog, found.left), type_text(catalog, found.right)
        is_number = found.sign in ("+", "*", "/")
        return Refusal(
            error=f"operator does not exist: {left} {found.sign} {right}",
            help="-- use || to add to a JSON value, or cast it: (… #>> '{}')::numeric" if is_number else "-- cast the left side: ::jsonb",
        )
    return None


def _refuse_functions(catalog: Catalog, query: Query) -> Refusal | None:
    if not _CALLS.search(query.sql):
        return None
    for call in expressions.refused_calls(query, lambda name: table_columns(catalog, name)):
        if not catalog.has_function_named(call.function):
            name, arguments = _written(call.function, query.sql), f"{_field(call.function)}{type_text(catalog, call.type)}{call.rest}"
            return Refusal(
                error=f"function {name}({arguments}) does not exist",
                help="-- cast the argument: ::numeric" if call.function == "round" else "-- cast the argument",
            )
    return None


def _written(function: str, sql: str) -> str:
    """Returns the name of a function as the query writes it; PostgreSQL's grammar turns trim() into btrim(), ltrim() or rtrim()."""
    found = _WRITTEN[function].search(sql) if function in _WRITTEN else None
    name = found[1].lower() if found is not None else function
    return f"pg_catalog.{function}" if name in ("trim", "extract") else name


def _field(function: str) -> str:
    """Returns the first argument of a function that takes the name of a field of a time."""
    return "unknown, " if function in ("extract", "date_trunc") else ""


_OF_SUPABASE = {"uid": "uuid", "role": "text", "email": "text", "jwt": "jsonb"}
"""The functions in the schema auth of a Supabase project, which no migration of the project creates."""


def _result(catalog: Catalog, name: Name) -> TypeName | None:
    """Returns the type of the result of a function, if it is built in and all functions of the name have it."""
    functions = catalog.functions(name)
    if not functions and name.schema == "auth" and name.name in _OF_SUPABASE:
        return TypeName(name=_OF_SUPABASE[name.name])
    results = {function.result for function in functions}
    result = results.pop() if len(results) == 1 else None
    is_known = result is not None and len(result) == 1 and result[0] in BUILT_IN and not catalog.has_other_functions
    return TypeName(name=result[0]) if result is not None and is_known else None


def _refuse_comparison(catalog: Catalog, query: Query) -> Refusal | None:
    if not _COMPARED.search(query.sql):
        return None
    for found in expressions.compared_calls(query, lambda name: table_columns(catalog, name), lambda name: _result(catalog, name)):
        if are_incompatible(catalog, found.left, found.right) and are_incompatible(catalog, found.right, found.left):
            left, right = type_text(catalog, found.left), type_text(catalog, found.right)
            return Refusal(
                error=f"operator does not exist: {left} {found.sign} {right}", help="-- cast one of the two sides to the type of the other"
            )
    return None


def _refuse_arguments(catalog: Catalog, query: Query, own: CreateFunction | None) -> Refusal | None:
    """Returns why PostgreSQL refuses the call of a function of the history."""
    own_name = own.function.name if own is not None else ""
    if not _calls_own_functions(catalog, query.sql) and (not own_name or own_name not in query.sql):
        return None
    for call in expressions.typed_calls(query, lambda name: table_columns(catalog, name), lambda name: _result(catalog, name)):
        functions = catalog.functions(call.function)
        called = own if own is not None and _is_named(catalog, own, call.function) else None
        if not (functions or called) or len(functions) < len(catalog.functions_named(call.function.name)):
            continue
        if volatility_of(Name(call.function.name), catalog.pg_version) is not None or any(argument is None for argument in call.arguments):
            continue
        arguments = [argument for argument in call.arguments if argument is not None]
        if called is not None and _may_take(called, len(arguments)):
            continue
        if not any(_may_accept(catalog, function, arguments) for function in functions):
            texts = ", ".join(type_text(catalog, argument) for argument in arguments)
            name = Name(call.function.name, call.function.schema)
            return Refusal(error=f"function {name}({texts}) does not exist", help="-- cast the arguments to the types of the parameters")
    return None


def _is_named(catalog: Catalog, own: CreateFunction, called: Name) -> bool:
    return own.function.name == called.name and catalog.in_first_schema(own.function) == catalog.in_first_schema(called)


def _may_take(own: CreateFunction, number: int) -> bool:
    """Whether a function that is being created may be called with this number of arguments."""
    taken = [argument for argument in own.arguments if argument.mode in ("in", "inout", "variadic")]
    if any(argument.mode == "variadic" for argument in taken):
        return True
    return len([argument for argument in taken if argument.default is None]) <= number <= len(taken)


def _may_accept(catalog: Catalog, function: Function, arguments: list[TypeName]) -> bool:
    """Whether a function may accept arguments of these types. One whose last parameter is an array may be VARIADIC."""
    if len(function.parameters) != len(function.arguments):
        return True
    if not len(function.arguments) - function.defaults <= len(arguments) <= len(function.arguments):
        return any(parameter.endswith("]") or parameter.startswith(_POLYMORPHIC) for parameter in function.arguments[-1:])
    return not any(_is_wrong(catalog, argument, parameter) for argument, parameter in zip(arguments, function.arguments, strict=False))


def _is_wrong(catalog: Catalog, argument: TypeName, parameter: str) -> bool:
    """Whether PostgreSQL certainly converts no argument of this type to the type of a parameter."""
    if parameter not in BUILT_IN or argument.name not in BUILT_IN or argument.schema is not None or argument.dimensions:
        return False
    if argument.name == parameter or argument == _LITERAL:
        return False
    if parameter in _STRINGS:
        return argument.name in _NOT_STRINGS
    return cast(argument.name, parameter, explicit=False, pg_version=catalog.pg_version) is None
