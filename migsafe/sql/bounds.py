"""Partitions' bounds written as SQL again: as FOR VALUES, and as the condition that the rows of a partition fulfil."""

from collections.abc import Sequence

from migsafe.sql.operations import Bound, PartitionKey
from migsafe.sql.operations.values import quoted

_UNBOUNDED = ("minvalue", "maxvalue")


def bound_clause(bound: Bound) -> str:
    """`FOR VALUES …`, or DEFAULT."""
    match bound.kind:
        case "in":
            return f"FOR VALUES IN ({', '.join(bound.start)})"
        case "range":
            return f"FOR VALUES FROM ({_values(bound.start)}) TO ({_values(bound.end)})"
        case "hash":
            return f"FOR VALUES WITH ({', '.join(bound.start).upper()})"
    return "DEFAULT"


def _values(given: Sequence[str]) -> str:
    return ", ".join(one.upper() if one in _UNBOUNDED else one for one in given)


def key_expressions(key: PartitionKey) -> tuple[str, ...]:
    """What a table is partitioned by, each column or expression as a condition spells it."""
    return tuple(
        quoted(one.column) if one.column is not None else f"({one.expression.sql})" if one.expression is not None else ""
        for one in key.elements
    )


def bound_condition(keys: Sequence[str], bound: Bound) -> str | None:
    """What is true of each row of a partition, in the form in which PostgreSQL compares it with the bound (get_qual_for_range and
    get_qual_for_list in its src/backend/partitioning/partbounds.c). None for a hash partition and a default one."""
    if bound.kind == "in":
        return _listed(keys[0], bound.start)
    if bound.kind != "range" or len(keys) != len(bound.start):
        return None
    same = 0
    while same < len(keys) and bound.start[same] == bound.end[same] and bound.start[same] not in _UNBOUNDED:
        same += 1
    parts = [f"{key} IS NOT NULL" for key in keys]
    parts += [f"{key} = {value}" for key, value in zip(keys[:same], bound.start, strict=False)]
    parts += [end for values, low in ((bound.start, True), (bound.end, False)) if (end := _end(keys[same:], values[same:], low=low))]
    return " AND ".join(parts)


def _listed(key: str, values: Sequence[str]) -> str:
    known = [value for value in values if value.lower() != "null"]
    if not known:
        return f"{key} IS NULL"
    listed = f"{key} IN ({', '.join(known)})"
    return f"{key} IS NULL OR {listed}" if len(known) < len(values) else f"{key} IS NOT NULL AND {listed}"


def _end(keys: Sequence[str], values: Sequence[str], *, low: bool) -> str:
    """One end of a range: past it in the first column, or equal there and past it in the next, and so on."""
    arms: list[str] = []
    equal: list[str] = []
    for at, (key, value) in enumerate(zip(keys, values, strict=True)):
        if value in _UNBOUNDED:
            break
        following = values[at + 1] if at + 1 < len(values) else None
        or_equal = following in (None, "minvalue") if low else following == "maxvalue"
        arms.append(" AND ".join((*equal, f"{key} {'>' if low else '<'}{'=' if or_equal else ''} {value}")))
        equal.append(f"{key} = {value}")
    return arms[0] if len(arms) == 1 else f"({' OR '.join(arms)})" if arms else ""
