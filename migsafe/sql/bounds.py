"""The bounds of partitions as SQL: as FOR VALUES, and as the condition that is true of a partition's rows."""

from collections.abc import Sequence

from migsafe.sql.operations import Bound, PartitionKey
from migsafe.sql.operations.values import quoted

_UNBOUNDED = ("minvalue", "maxvalue")


def bound_clause(bound: Bound) -> str:
    """Return `FOR VALUES …`, or DEFAULT."""
    match bound.kind:
        case "in":
            return f"FOR VALUES IN ({', '.join(bound.start)})"
        case "range":
            return f"FOR VALUES FROM ({_values(bound.start)}) TO ({_values(bound.end)})"
        case "hash":
            return f"FOR VALUES WITH ({', '.join(bound.start).upper()})"
    return "DEFAULT"


def _values(values: Sequence[str]) -> str:
    return ", ".join(value.upper() if value in _UNBOUNDED else value for value in values)


def key_expressions(key: PartitionKey) -> tuple[str, ...]:
    """Return the columns and expressions of a partition key as a condition spells them."""
    return tuple(
        quoted(element.column) if element.column is not None else f"({element.expression.sql})" if element.expression is not None else ""
        for element in key.elements
    )


def bound_condition(keys: Sequence[str], bound: Bound) -> str | None:
    """Return the condition that is true of each row of a partition; None for a hash partition and a default partition.

    It has the form in which PostgreSQL compares a CHECK with the bound (get_qual_for_range and get_qual_for_list in
    src/backend/partitioning/partbounds.c).
    """
    if bound.kind == "in":
        return _list_condition(keys[0], bound.start)
    if bound.kind != "range" or len(keys) != len(bound.start):
        return None
    equal = 0
    while equal < len(keys) and bound.start[equal] == bound.end[equal] and bound.start[equal] not in _UNBOUNDED:
        equal += 1
    parts = [f"{key} IS NOT NULL" for key in keys]
    parts += [f"{key} = {value}" for key, value in zip(keys[:equal], bound.start, strict=False)]
    parts += [end for values, low in ((bound.start, True), (bound.end, False)) if (end := _end(keys[equal:], values[equal:], low=low))]
    return " AND ".join(parts)


def _list_condition(key: str, values: Sequence[str]) -> str:
    known = [value for value in values if value.lower() != "null"]
    if not known:
        return f"{key} IS NULL"
    is_listed = f"{key} IN ({', '.join(known)})"
    return f"{key} IS NULL OR {is_listed}" if len(known) < len(values) else f"{key} IS NOT NULL AND {is_listed}"


def _end(keys: Sequence[str], values: Sequence[str], *, low: bool) -> str:
    """Return the condition of one end of a range: inside it in the first column, or equal in that column and inside in the next."""
    alternatives: list[str] = []
    equal: list[str] = []
    for position, (key, value) in enumerate(zip(keys, values, strict=True)):
        if value in _UNBOUNDED:
            break
        following = values[position + 1] if position + 1 < len(values) else None
        or_equal = following in (None, "minvalue") if low else following == "maxvalue"
        alternatives.append(" AND ".join((*equal, f"{key} {'>' if low else '<'}{'=' if or_equal else ''} {value}")))
        equal.append(f"{key} = {value}")
    return alternatives[0] if len(alternatives) == 1 else f"({' OR '.join(alternatives)})" if alternatives else ""
