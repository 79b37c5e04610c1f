"""Rows of constants for which a partitioned table has no partition (ExecFindPartition in execPartition.c)."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Column, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Bound

_INTEGERS = frozenset(("smallint", "integer", "bigint"))
_TEXTS = frozenset(("text", "character varying"))
_DATES = frozenset(("date", "timestamp without time zone", "timestamp with time zone"))
_WHOLE = lazy_pattern(r"'?(-?\d{1,18})'?")
_DAY = lazy_pattern(r"(?:date\s+|timestamp\s+|timestamptz\s+)?'(\d{4}-\d\d-\d\d)(?:[ T][\d:.]+)?'", re.IGNORECASE)
_TEXT = lazy_pattern(r"'((?:[^']|'')*)'")
_ZONES = timedelta(days=2)
"""How far the day of a point in time can be from the day in its text."""
_Value = int | str | date


def refuse_unplaced(catalog: Catalog, table: Relation, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Refusal | None:
    """Returns why no partition takes a row. Only the migration that creates the table knows all of its partitions."""
    key = table.partition_key
    column = table.column(key.elements[0].column) if key is not None and key.elements[0].column is not None else None
    if key is None or column is None or column.name not in names or not catalog.is_created_now(table):
        return None
    bounds = [child.bound for child in catalog.children(table.oid)]
    if any(bound is None or bound.kind in ("default", "hash") for bound in bounds) or len(key.elements) > 1 or key.elements[0].collation:
        return None
    position = names.index(column.name)
    for row in rows:
        value = row[position] if position < len(row) else ""
        if key.strategy != "hash" and all(bound is not None and _excludes(bound, column, value) for bound in bounds):
            return Refusal(
                error=f'no partition of relation "{table.name.name}" found for row',
                detail=f"{column.name} is {value}",
                help="-- first create a partition for this value, or a default partition",
            )
    return None


def _excludes(bound: Bound, column: Column, text: str) -> bool:
    """Whether a partition certainly does not take a value."""
    if text.lower() == "null":
        return bound.kind == "range" or all(value.lower() != "null" for value in bound.start)
    value = _read(column, text)
    if value is None:
        return False
    if bound.kind == "in":
        listed = [_read(column, each) for each in bound.start if each.lower() != "null"]
        return not isinstance(value, date) and None not in listed and value not in listed
    return _is_before(value, bound.start[0], column) or _is_after(value, bound.end[0], column)


def _is_before(value: _Value, text: str, column: Column) -> bool:
    start = _read(column, text)
    if isinstance(value, int) and isinstance(start, int):
        return value < start
    return isinstance(value, date) and isinstance(start, date) and value < start - _tolerance(column)


def _is_after(value: _Value, text: str, column: Column) -> bool:
    end = _read(column, text)
    if isinstance(value, int) and isinstance(end, int):
        return value >= end
    return isinstance(value, date) and isinstance(end, date) and _day_after(value, column) > end + _tolerance(column)


def _tolerance(column: Column) -> timedelta:
    return _ZONES if column.type is None or column.type.name != "date" else timedelta()


def _day_after(value: date, column: Column) -> date:
    """Returns the day after one for dates, so that the end of a range, which is not part of it, is excluded."""
    return value + timedelta(days=1) if column.type is not None and column.type.name == "date" else value


def _read(column: Column, text: str) -> _Value | None:
    """Returns a constant as a number, a day or a text; None for another value."""
    if column.type is None or column.type.dimensions or column.type.schema is not None:
        return None
    text = text.strip()
    if column.type.name in _INTEGERS:
        match = _WHOLE.fullmatch(text)
        return int(match[1]) if match is not None else None
    if column.type.name in _DATES:
        match = _DAY.fullmatch(text)
        try:
            return date.fromisoformat(match[1]) if match is not None else None
        except ValueError:
            return None
    match = _TEXT.fullmatch(text) if column.type.name in _TEXTS else None
    return match[1] if match is not None else None
