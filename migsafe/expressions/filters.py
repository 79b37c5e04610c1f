"""Filters that select every row, and why others leave out none."""

import re
from collections.abc import Callable, Collection
from enum import Enum

from msgspec import Struct

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Relation
from migsafe.sql.operations import Expression

KnownColumns = Callable[[str], bool]
"""Whether a property is known of the column with this name."""


class Unrestricting(Enum):
    """Why a conjunct leaves out no rows, or only those that are filled already."""

    TRUE = "is true of every row"
    JOIN = "only joins other tables"
    OTHERS = "only leaves out rows that another table has"
    UNFILLED = "only finds the rows that are not filled yet"


class TargetColumns(Struct, frozen=True, kw_only=True):
    """What is known of the columns of the table whose rows a statement changes. `constant` are columns that have one value in every row,
    because the migration added them; `filled` are those that an earlier statement of the migration has filled."""

    not_null: KnownColumns
    null: KnownColumns
    constant: KnownColumns
    filled: KnownColumns


_KEYWORDS = frozenset(("true", "false", "and", "or", "not", "is", "null"))
_CONSTANT_PARTS = lazy_pattern(r"\b(?:true|false|null)\b|['\d.]\s*[=<>!]", re.IGNORECASE)
"""Truth values, NULL, and constants on the left of a comparison."""


def not_null_columns(relation: Relation | None) -> KnownColumns:
    """Return a function that says whether a column of the relation is known to be NOT NULL."""

    def is_not_null(name: str) -> bool:
        column = relation.column(name) if relation is not None else None
        return column is not None and column.not_null is True

    return is_not_null


def is_always_true(where: Expression, is_not_null: KnownColumns, is_null: KnownColumns = lambda _: False) -> bool:
    """Whether a condition is true of every row. `is_not_null` and `is_null` say which columns are known to hold no NULL, or only NULL."""
    columns = set(identifiers(where.sql)) - _KEYWORDS
    # Most filters name a column with unknown values, or compare each column with a constant. They need no tree.
    if where.calls or where.reads or not all(is_not_null(column) or is_null(column) for column in columns):
        return False
    if not _CONSTANT_PARTS.search(where.sql) and not _repeats(where.sql, columns):
        return False
    return expressions.is_true_of_every_row(where, is_not_null, is_null)


def _repeats(condition: str, columns: Collection[str]) -> bool:
    """Whether a condition may name a column twice, and so may compare it with itself."""
    text = condition.lower()
    return any(text.count(column.lower()) > 1 for column in columns)
