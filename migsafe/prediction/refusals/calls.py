"""The calls and operators in a query, or in a change of rows, for whose arguments PostgreSQL has no function."""

import re

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import type_text
from migsafe.schema.catalog import Catalog
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Query

_CALLS = lazy_pattern(r"\b(?:lower|upper|sum|avg|bool_and|bool_or|round|jsonb?_(?:array_\w+|typeof|pretty))\s*\(", re.IGNORECASE)


_OPERATORS = lazy_pattern(r"->|#>|[-+*/]|@>")


def refuse_calls(catalog: Catalog, query: Query) -> Refusal | None:
    """Returns why PostgreSQL refuses a call or an operator. Where an unknown function may have the name, nothing is said."""
    knows_functions = not catalog.has_other_functions and (catalog.complete or catalog.from_beginning)
    if not knows_functions:
        return None
    return _refuse_functions(catalog, query) or _refuse_operators(catalog, query)


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
            return Refusal(
                error=f"function {call.function}({type_text(catalog, call.type)}{call.rest}) does not exist",
                help="-- cast the argument: ::numeric" if call.function == "round" else "-- cast the argument",
            )
    return None
