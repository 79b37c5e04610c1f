"""The result of an SQL function: its last statement returns what the function declares (check_sql_fn_retval in executor/functions.c)."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import known_type, type_text
from migsafe.prediction.refusals.types import is_cast_automatically
from migsafe.schema.catalog import Catalog
from migsafe.schema.query_columns import QueryColumn
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation, TypeName

_RETURNING = lazy_pattern(r"\breturning\b", re.IGNORECASE)
_FIRST_WORD = lazy_pattern(r"\s*(\w+)")
_WITHOUT_ROWS = frozenset(
    (
        *("insert", "update", "delete", "create", "alter", "drop", "truncate", "set", "grant", "revoke", "notify", "call", "refresh"),
        *("lock", "comment"),
    )
)


def refuse_result(catalog: Catalog, op: sql.CreateFunction, statements: Sequence[tuple[Operation, str]]) -> Refusal | None:
    """Returns why PostgreSQL refuses the result of a function. `statements` are those of its body, with their texts."""
    declared = _declared(op)
    if op.kind != "function" or declared is None or not statements:
        return None
    whole = op.returns if op.returns is not None and len(declared) < 2 else declared[0] if len(declared) == 1 else TypeName(name="record")
    error = f"return type mismatch in function declared to return {type_text(catalog, replace(whole, setof=False))}"
    operation, text = statements[-1]
    word = _FIRST_WORD.match(text)
    if word is not None and word[1].lower() in _WITHOUT_ROWS and not _RETURNING.search(text):
        return Refusal(
            error=error,
            detail="the last statement of its body returns no rows",
            help="-- end the body with SELECT or with RETURNING; or declare RETURNS void",
        )
    outputs = _outputs(catalog, operation)
    if outputs is None:
        return None
    if len(declared) == 1 and known_type(catalog, declared[0]) is None:
        return None  # a composite type, or an unknown one
    if len(outputs) != len(declared):
        return Refusal(error=error, detail=f"the last statement of its body returns {len(outputs)} columns, not {len(declared)}")
    for number, (output, target) in enumerate(zip(outputs, declared, strict=True), 1):
        source, wanted = known_type(catalog, output.type), known_type(catalog, target)
        if source is None or wanted is None or is_cast_automatically(catalog, source, wanted):
            continue
        place = f" in column {number}" if len(declared) > 1 else ""
        return Refusal(
            error=error,
            detail=f"the last statement of its body returns {type_text(catalog, source)}{place}, not {type_text(catalog, wanted)}",
            help="-- cast the result, or declare its type",
        )
    return None


def _declared(op: sql.CreateFunction) -> tuple[TypeName, ...] | None:
    """Returns the types of the columns of a function's result; None where any result is accepted, or they are not known."""
    outputs = tuple(argument.type for argument in op.arguments if argument.mode in ("out", "inout", "table"))
    if not outputs and op.returns is not None:
        if op.returns.name in ("void", "record", "trigger", "event_trigger") or op.returns.percent_type:
            return None
        outputs = (replace(op.returns, setof=False),)
    return outputs if outputs and not any(data_type.percent_type for data_type in outputs) else None


def _outputs(catalog: Catalog, operation: Operation) -> tuple[QueryColumn, ...] | None:
    if not isinstance(operation, sql.Select):
        return None
    return expressions.unnamed_query_columns(operation.query, lambda name: table_columns(catalog, name))
