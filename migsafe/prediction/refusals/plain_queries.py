"""Queries that PostgreSQL evidently accepts: those that compare and set columns of one table with constants or columns of their type, or read
a value of a JSON column.

Most queries of migrations are of this form, and need no tree to be judged: importing sqlglot takes longer than judging a small file.
"""

import re
from collections.abc import Iterable

from migsafe.patterns import lazy_pattern
from migsafe.schema.objects import Column, Relation
from migsafe.sql.keywords import RESERVED

_NAME = r'(?:\w+|"[^"]+")'
_NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
_TEXTS = frozenset(("text", "character varying"))
_VALUE = r"(?P<number>\d+)|(?P<text>'[^']*+(?:''[^']*+)*+')|(?P<boolean>true|false)|(?P<null>null)"
_STRING = r"'[^']*+(?:''[^']*+)*+'"
_COMPARISON = lazy_pattern(
    rf"(?P<column>{_NAME})(?:\s*(?:(?P<is>is\s+(?:not\s+)?null)|(?:=|<>|!=|<=|>=|<|>)\s*(?:{_VALUE}))(?=\s|$|\))"
    rf"|\s+(?:not\s+)?in\s*\(\s*(?P<strings>{_STRING}(?:\s*,\s*{_STRING})*+)\s*\))",
    re.IGNORECASE,
)
_ASSIGNMENT = lazy_pattern(rf"(?P<column>{_NAME})\s*=\s*(?:{_VALUE}|(?P<other>{_NAME}))(?=\s|$)", re.IGNORECASE)
_TABLE = rf"(?:only\s+)?(?:{_NAME}\.)?{_NAME}"
_JSON_VALUE = rf"(?P<json>{_NAME})\s*(?:->>?\s*'[^']*'|#>>?\s*'\{{[\w, ]*\}}')"
_LIST = rf"(?P<list>1|\*|{_NAME}(?:\s*,\s*{_NAME})*)"
_STATEMENT = lazy_pattern(
    rf"\s*(?:delete\s+from\s+{_TABLE}|update\s+{_TABLE}\s+set\s+(?P<set>.+?)|select\s+(?:{_JSON_VALUE}|{_LIST})\s+from\s+{_TABLE})"
    r"(?:\s+where\s+(?P<where>.+?))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_AND = lazy_pattern(r"\s+(?:and|or)\s+", re.IGNORECASE)


def is_evidently_valid(text: str, table: Relation) -> bool:
    """Whether a statement over one table only compares and sets its columns, with constants or columns of their type, or reads a value of a
    JSON column. False if that is not evident."""
    match = _STATEMENT.fullmatch(text)
    if match is None:
        return False
    if match["json"] is not None and not _is_json(_column(table, match["json"])):
        return False
    names = () if match["list"] in (None, "1", "*") else tuple(name.strip() for name in match["list"].split(","))
    conditions = _AND.split(match["where"]) if match["where"] is not None else ()
    assignments = re.split(r"\s*,\s*", match["set"]) if match["set"] is not None else ()
    return (
        all(_column(table, name) is not None for name in names)
        and _all_fit(_ASSIGNMENT, assignments, table)
        and _all_fit(_COMPARISON, conditions, table)
    )


def _all_fit(pattern: re.Pattern[str], parts: Iterable[str], table: Relation) -> bool:
    return all((match := pattern.fullmatch(part)) is not None and _fits(match, _column(table, match["column"]), table) for part in parts)


def _column(table: Relation, name: str) -> Column | None:
    return table.column(name[1:-1] if name.startswith('"') else name.lower())


def _is_json(column: Column | None) -> bool:
    type_ = column.type if column is not None else None
    return type_ is not None and type_.name in ("json", "jsonb") and type_.schema is None and not type_.dimensions


def _fits(match: re.Match[str], column: Column | None, table: Relation) -> bool:
    if column is None or column.generated is not None or column.identity is not None:
        return False
    found = match.groupdict()
    if found.get("is") or found["null"]:
        return True
    type_ = column.type
    if type_ is None or type_.dimensions or type_.schema is not None:
        return False
    if found.get("other"):
        other = _column(table, found["other"])
        return found["other"].lower() not in RESERVED and other is not None and other.type == type_
    if found["number"]:
        return type_.name in _NUMBERS and not type_.modifiers and len(found["number"]) < 5
    if found["text"] or found.get("strings"):
        return type_.name in _TEXTS and not type_.modifiers
    return type_.name == "boolean"
