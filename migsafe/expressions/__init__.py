"""Questions about expressions, conditions and queries, answered with sqlglot's trees.

sqlglot reads what is inside a statement: expressions, conditions, queries and data types. From its trees this package finds out what a CHECK
implies, whether a filter selects every row, which columns group a query, whether a constant becomes a value of an enum type, and whether a
second run of a statement changes rows again.

The splitter and the grammar of whole statements are migsafe's own (`migsafe.sql`). Of 30,786 statements of 48 public PostgreSQL histories,
all valid in PostgreSQL's own grammar, sqlglot 30.30 reads 89.9 % into a tree with the same meaning. 7.1 % become an opaque `Command`, 0.4 %
are rejected, and 2.6 % become a tree with another meaning, or one that gives invalid SQL. These are the statements that matter most in
migrations. DO, VALIDATE CONSTRAINT, ATTACH PARTITION and ALTER TYPE … ADD VALUE are always a `Command`; one unsupported action makes a whole
ALTER TABLE a `Command`; and `ALTER TABLE t RENAME a TO b` silently becomes a rename of the table.

The import of sqlglot takes about a fifth of a second, and most files need no tree. So this module imports nothing. It loads each public name
from its module at the first use:

    from migsafe import expressions

    if expressions.is_always_true(where, expressions.not_null_columns(relation)):
        ...

The modules that build or read trees import sqlglot at the top; no module outside this package imports it. `filters` and `enum_values` answer
what they can without a tree, and `queries.plain` reads usual queries and expressions.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migsafe.expressions.call_refusals import compared_calls, refused_calls, typed_calls
    from migsafe.expressions.changed_rows import columns_changed_again, constant_assigned, constants_assigned, repeated_positions
    from migsafe.expressions.comparisons import compared_constants
    from migsafe.expressions.conversions import conversion_back, fits_every_row
    from migsafe.expressions.enum_constants import contains_enum_value
    from migsafe.expressions.enum_values import EnumValue, needs_enum_value
    from migsafe.expressions.expression_types import type_of_default
    from migsafe.expressions.extremes import extreme_reads
    from migsafe.expressions.filters import KnownColumns, TargetColumns, Unrestricting, is_always_true, not_null_columns
    from migsafe.expressions.groups import all_output_columns, grouping_columns, has_written_outputs, output_columns
    from migsafe.expressions.insertions import inserted_values
    from migsafe.expressions.mutable_conversions import mutable_conversion
    from migsafe.expressions.null_rows import refuses_nulls
    from migsafe.expressions.operand_refusals import RefusedOperand, refused_operands
    from migsafe.expressions.operator_refusals import refused_operators
    from migsafe.expressions.orders import ordered_columns
    from migsafe.expressions.proofs import proves_bound, proves_check, proves_default_excludes, proves_not_null
    from migsafe.expressions.queries.parsing import condition_shape, operand_shape, query_shape, readable_query
    from migsafe.expressions.query_outputs import query_columns, unnamed_query_columns
    from migsafe.expressions.recomputed_values import converts_again
    from migsafe.expressions.refuted_checks import violates_check
    from migsafe.expressions.restrictions import (
        columns_equal_to_constants,
        columns_joined_to_values,
        inserts_all_but_nulls,
        reads_every_row,
        unrestricted,
    )
    from migsafe.expressions.retyped_operands import RefusedUse, refused_uses
    from migsafe.expressions.trees import parse_expression, parse_query, parse_type
    from migsafe.expressions.truth import is_true_of_every_row
    from migsafe.expressions.used_columns import column_uses
    from migsafe.expressions.value_removals import removed_values

__all__ = [
    "EnumValue",
    "KnownColumns",
    "RefusedOperand",
    "RefusedUse",
    "TargetColumns",
    "Unrestricting",
    "all_output_columns",
    "column_uses",
    "columns_changed_again",
    "columns_equal_to_constants",
    "columns_joined_to_values",
    "compared_calls",
    "compared_constants",
    "condition_shape",
    "constant_assigned",
    "constants_assigned",
    "contains_enum_value",
    "conversion_back",
    "converts_again",
    "extreme_reads",
    "fits_every_row",
    "grouping_columns",
    "has_written_outputs",
    "inserted_values",
    "inserts_all_but_nulls",
    "is_always_true",
    "is_true_of_every_row",
    "mutable_conversion",
    "needs_enum_value",
    "not_null_columns",
    "operand_shape",
    "ordered_columns",
    "output_columns",
    "parse_expression",
    "parse_query",
    "parse_type",
    "proves_bound",
    "proves_check",
    "proves_default_excludes",
    "proves_not_null",
    "query_columns",
    "query_shape",
    "readable_query",
    "reads_every_row",
    "refused_calls",
    "refused_operands",
    "refused_operators",
    "refused_uses",
    "refuses_nulls",
    "removed_values",
    "repeated_positions",
    "type_of_default",
    "typed_calls",
    "unnamed_query_columns",
    "unrestricted",
    "violates_check",
]

_MODULES = {
    "EnumValue": "enum_values",
    "KnownColumns": "filters",
    "RefusedOperand": "operand_refusals",
    "column_uses": "used_columns",
    "TargetColumns": "filters",
    "Unrestricting": "filters",
    "columns_changed_again": "changed_rows",
    "columns_equal_to_constants": "restrictions",
    "columns_joined_to_values": "restrictions",
    "constant_assigned": "changed_rows",
    "constants_assigned": "changed_rows",
    "compared_constants": "comparisons",
    "contains_enum_value": "enum_constants",
    "conversion_back": "conversions",
    "extreme_reads": "extremes",
    "fits_every_row": "conversions",
    "converts_again": "recomputed_values",
    "grouping_columns": "groups",
    "has_written_outputs": "groups",
    "inserted_values": "insertions",
    "is_always_true": "filters",
    "is_true_of_every_row": "truth",
    "mutable_conversion": "mutable_conversions",
    "needs_enum_value": "enum_values",
    "not_null_columns": "filters",
    "ordered_columns": "orders",
    "all_output_columns": "groups",
    "output_columns": "groups",
    "parse_expression": "trees",
    "parse_query": "trees",
    "parse_type": "trees",
    "proves_bound": "proofs",
    "proves_check": "proofs",
    "proves_default_excludes": "proofs",
    "proves_not_null": "proofs",
    "condition_shape": "queries.parsing",
    "operand_shape": "queries.parsing",
    "query_columns": "query_outputs",
    "unnamed_query_columns": "query_outputs",
    "query_shape": "queries.parsing",
    "inserts_all_but_nulls": "restrictions",
    "reads_every_row": "restrictions",
    "compared_calls": "call_refusals",
    "refused_calls": "call_refusals",
    "refused_operands": "operand_refusals",
    "typed_calls": "call_refusals",
    "refused_operators": "operator_refusals",
    "RefusedUse": "retyped_operands",
    "refused_uses": "retyped_operands",
    "readable_query": "queries.parsing",
    "refuses_nulls": "null_rows",
    "type_of_default": "expression_types",
    "removed_values": "value_removals",
    "repeated_positions": "changed_rows",
    "unrestricted": "restrictions",
    "violates_check": "refuted_checks",
}
"""The module of each public name. None has the name of one: importing a module makes it an attribute of this package."""


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module 'migsafe.expressions' has no attribute {name!r}")
    value: object = getattr(import_module(f"migsafe.expressions.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
