"""The queries that sqlx checked, with the types of their parameters: `.sqlx/query-*.json`, and `sqlx-data.json` of earlier releases."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.workload.query import CallSite, UnreadQuery
from migsafe.workload.sources.found import Found, query_texts, read_query

FOLDER, OLD_FILE = ".sqlx", "sqlx-data.json"
_FILE = lazy_pattern(r"(?:.*/)?\.sqlx/query-[0-9a-f]+\.json")
_POSTGRESQL = "PostgreSQL"
_TYPES = {
    "Bool": "boolean",
    "Bytea": "bytea",
    "Char": '"char"',
    "Int8": "bigint",
    "Int2": "smallint",
    "Int4": "integer",
    "Float4": "real",
    "Float8": "double precision",
    "Bpchar": "character",
    "Varchar": "character varying",
    "Timestamp": "timestamp without time zone",
    "Timestamptz": "timestamp with time zone",
    "Time": "time without time zone",
    "Timetz": "time with time zone",
    "Varbit": "bit varying",
}
"""PostgreSQL's spelling of the types whose names in sqlx (`PgType`) differ from it in more than capitals."""

Places = Mapping[str, tuple[CallSite, ...]]
"""The macros that contain a query, by its text."""


def is_query_file(name: str) -> bool:
    """Whether a file contains one query that sqlx checked, by its name."""
    return _FILE.fullmatch(name) is not None


def query_file(name: str, text: str, places: Places) -> Iterator[Found]:
    """Yields the query of a file `.sqlx/query-*.json`, unless it is for another database."""
    try:
        document = json.loads(text)
    except ValueError:
        yield UnreadQuery(CallSite(name, 1), "the file is not valid JSON")
        return
    if isinstance(document, dict) and document.get("db_name", _POSTGRESQL) == _POSTGRESQL:
        line = text.count("\n", 0, max(text.find('"query"'), 0)) + 1  # people see the query there
        yield from _query(document, CallSite(name, line), places)


def old_file(name: str, text: str, places: Places) -> Iterator[Found]:
    """Yields the queries of a file `sqlx-data.json`, unless it is for another database."""
    try:
        document = json.loads(text)
    except ValueError:
        yield UnreadQuery(CallSite(name, 1), "the file is not valid JSON")
        return
    if not isinstance(document, dict) or document.get("db", _POSTGRESQL) != _POSTGRESQL:
        return
    line, at = 1, 0
    for key, entry in document.items():
        if isinstance(entry, dict) and "query" in entry:
            start = max(text.find(json.dumps(key), at), at)
            line += text.count("\n", at, start)
            at = start
            yield from _query(entry, CallSite(name, line), places)


def _query(entry: dict[str, Any], place: CallSite, places: Places) -> Iterator[Found]:
    text = entry.get("query")
    if not isinstance(text, str):
        yield UnreadQuery(place, "the entry has no text of a query")
        return
    if query_texts(text):
        yield read_query(text, places.get(text, (place,)), tuple(_types(entry)))


def _types(entry: dict[str, Any]) -> Iterator[str | None]:
    described = entry.get("describe")
    parameters = described.get("parameters") if isinstance(described, dict) else None
    types = parameters.get("Left") if isinstance(parameters, dict) else None
    for each in types if isinstance(types, list) else ():
        yield _type(each)


def _type(described: Any) -> str | None:
    """Returns a type as PostgreSQL spells it; None if sqlx does not know it."""
    if isinstance(described, str):
        if described in ("Unknown", "Void"):
            return None
        array = described.endswith("Array")
        name = described.removesuffix("Array")
        return _TYPES.get(name, name.lower()) + ("[]" if array else "")
    custom = described.get("Custom") if isinstance(described, dict) else None
    if not isinstance(custom, dict) or not isinstance(custom.get("name"), str):
        return None
    kind = custom.get("kind")
    if isinstance(kind, dict) and "Array" in kind:
        element = _type(kind["Array"])
        return f"{element}[]" if element is not None else None
    name = custom["name"]
    return name if "." in name or re.fullmatch(r"[a-z_][a-z0-9_]*(?:\[\])?", name) else '"{}"'.format(name.replace('"', '""'))
