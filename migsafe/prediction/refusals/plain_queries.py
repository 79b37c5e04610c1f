"""Queries that PostgreSQL evidently accepts: those that compare and set columns of one table with constants of their type.

Most queries of migrations are of this form, and need no tree to be judged: importing sqlglot takes longer than judging a small file.
"""

import re
from collections.abc import Iterable

from migsafe.schema.objects import Column, Relation

_NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
_TEXTS = frozenset(("text", "character varying"))
_VALUE = r"(?P<number>\d+)|(?P<text>'[^']*+(?:''[^']*+)*+')|(?P<boolean>true|false)|(?P<null>null)"
_COMPARISON = re.compile(rf"(?P<column>\w+)\s*(?:(?P<is>is\s+(?:not\s+)?null)|(?:=|<>|!=|<=|>=|<|>)\s*(?:{_VALUE}))(?=\s|$|\))", re.IGNORECASE)
_ASSIGNMENT = re.compile(rf"(?P<column>\w+)\s*=\s*(?:{_VALUE})(?=\s|$)", re.IGNORECASE)
_TABLE = r"(?:only\s+)?(?:[\w]+\.)?\w+"
_STATEMENT = re.compile(
    rf"\s*(?:delete\s+from\s+{_TABLE}|update\s+{_TABLE}\s+set\s+(?P<set>.+?)|select\s+(?P<list>1|\*|\w+(?:\s*,\s*\w+)*)\s+from\s+{_TABLE})"
    r"(?:\s+where\s+(?P<where>.+?))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_AND = re.compile(r"\s+(?:and|or)\s+", re.IGNORECASE)


def is_evidently_valid(text: str, table: Relation) -> bool:
    """Whether a statement over one table only compares and sets its columns, with constants of their type. False if that is not evident."""
    match = _STATEMENT.fullmatch(text)
    if match is None:
        return False
    names = () if match["list"] in (None, "1", "*") else tuple(name.strip() for name in match["list"].split(","))
    conditions = _AND.split(match["where"]) if match["where"] is not None else ()
    assignments = re.split(r"\s*,\s*", match["set"]) if match["set"] is not None else ()
    return (
        all(table.column(name.lower()) is not None for name in names)
        and _all_fit(_ASSIGNMENT, assignments, table)
        and _all_fit(_COMPARISON, conditions, table)
    )


def compares_with_constants(condition: str) -> bool:
    """Whether a condition only compares columns with constants."""
    return all(_COMPARISON.fullmatch(part) for part in _AND.split(condition))


def _all_fit(pattern: re.Pattern[str], parts: Iterable[str], table: Relation) -> bool:
    return all((match := pattern.fullmatch(part)) is not None and _fits(match, table.column(match["column"].lower())) for part in parts)


def _fits(match: re.Match[str], column: Column | None) -> bool:
    if column is None or column.generated is not None or column.identity is not None:
        return False
    found = match.groupdict()
    if found.get("is") or found["null"]:
        return True
    type_ = column.type
    if type_ is None or type_.dimensions or type_.schema is not None:
        return False
    if found["number"]:
        return type_.name in _NUMBERS and not type_.modifiers and len(found["number"]) < 5
    if found["text"]:
        return type_.name in _TEXTS and not type_.modifiers
    return type_.name == "boolean"
