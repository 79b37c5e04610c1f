"""Queries of PostgreSQL's catalogs that check whether an object exists, in the forms that guards usually have."""

import re
from typing import NamedTuple

from migsafe.rendering.worker.constraint_queries import constraint_rows
from migsafe.rendering.worker.enum_queries import enum_rows
from migsafe.rendering.worker.script_run import Run

_NAME = r"""'(?:"?(?P<in_schema>\w+)"?\.)?"?(?P<name>\w+)"?'"""
_WRAPPED = re.compile(r"select\s+exists\s*\(\s*(?P<inner>select\s.*)\)(?:\s+as\s+\w+)?", re.IGNORECASE)
_QUERY = re.compile(
    r"select\s+(?P<selected>[\w.*]+|count\s*\(\s*(?:\*|1)\s*\))(?:\s+as\s+\w+)?\s+from\s+(?P<table>[\w.]+)(?:\s+(?:as\s+)?(?!where\b)\w+)?"
    r"\s+where\s+(?P<conditions>.+?)(?:\s+limit\s+1)?",
    re.IGNORECASE,
)
_COLUMN_DETAIL = re.compile(
    r"select\s+(?:\w+\.)?(?P<selected>column_default|is_nullable)\s+from\s+information_schema\.columns(?:\s+(?:as\s+)?(?!where\b)\w+)?"
    r"\s+where\s+(?P<conditions>.+)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:\w+\.)?(?P<column>\w+)\s*(?:=\s*(?:'(?P<value>\w+)'(?:::\w+)?|current_schema(?:\(\))?|current_database\(\))"
    r"|in\s*\(\s*(?P<values>'\w+'(?:\s*,\s*'\w+')*)\s*\))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)


class _Catalog(NamedTuple):
    """A catalog: the columns with the name and the schema of an object, the question about it, the column with its table if the question is
    about something in a table, and columns whose conditions do not matter."""

    name: str
    schema: str
    question: str
    table: str = ""
    ignored: tuple[str, ...] = ()


_CATALOGS = {
    "information_schema.tables": _Catalog("table_name", "table_schema", "has table", ignored=("table_catalog",)),
    "pg_tables": _Catalog("tablename", "schemaname", "has table"),
    "information_schema.views": _Catalog("table_name", "table_schema", "has view", ignored=("table_catalog",)),
    "pg_views": _Catalog("viewname", "schemaname", "has view"),
    "pg_matviews": _Catalog("matviewname", "schemaname", "has materialized view"),
    "information_schema.sequences": _Catalog("sequence_name", "sequence_schema", "has sequence"),
    "pg_indexes": _Catalog("indexname", "schemaname", "has index", ignored=("tablename",)),
    "pg_type": _Catalog("typname", "nspname", "has type"),
    "information_schema.columns": _Catalog("column_name", "table_schema", "columns", "table_name", ("table_catalog",)),
    "information_schema.table_constraints": _Catalog("constraint_name", "table_schema", "constraints", "table_name", ("constraint_schema",)),
}
_RELKINDS = {"r": "has table", "i": "has index", "v": "has view", "m": "has materialized view", "S": "has sequence"}
_CONSTRAINTS = ("primary key", "unique constraints", "check constraints", "foreign keys")
_CURRENT = re.compile(r"select\s+current_schema(?:\(\))?", re.IGNORECASE)
_VALID = re.compile(
    rf"select\s+(?:\w+\.)?indisvalid\s+from\s+(?:pg_catalog\.)?pg_index(?:\s+(?:as\s+)?\w+)?\s+where\s+(?:\w+\.)?indexrelid\s*=\s*"
    rf"(?:to_regclass\(\s*{_NAME}\s*\)|{_NAME.replace('in_schema', 'cast_schema').replace('<name', '<cast_name')}::regclass)",
    re.IGNORECASE,
)
_REGCLASS = re.compile(rf"select\s+to_regclass\(\s*{_NAME}\s*\)(?:::\w+)?(?P<tested>\s+is\s+(?P<negated>not\s+)?null)?\s*;?\s*", re.IGNORECASE)

_SERIAL = re.compile(rf"select\s+pg_get_serial_sequence\(\s*{_NAME}\s*,\s*'(?P<column>\w+)'\s*\)(?:\s+as\s+\w+)?", re.IGNORECASE)


def answer_catalog_query(run: Run, sql: str) -> list[tuple[object, ...]] | None:
    """Returns the rows of a query that checks whether an object exists, or asks for a column's sequence; None for any other query, or if the
    answer is unknown."""
    text = " ".join(sql.split()).rstrip("; ")
    regclass = _REGCLASS.fullmatch(text)
    if regclass:
        exists = _has(run, "has table", regclass["name"], regclass["in_schema"])
        if exists is None:
            return None
        tested = regclass["tested"]
        return [(exists == bool(regclass["negated"]),)] if tested else [(regclass["name"] if exists else None,)]
    if _CURRENT.fullmatch(text):
        return [("public",)]
    serial = _SERIAL.fullmatch(text)
    if serial:
        answer = run.ask("serial sequence", serial["name"], serial["in_schema"], serial["column"])
        return [(answer.value,)] if answer.known else None
    valid = _VALID.fullmatch(text)
    if valid:
        exists = _has(run, "has index", valid["name"] or valid["cast_name"], valid["in_schema"] or valid["cast_schema"])
        return None if exists is None else [(True,)] if exists else []
    described = _COLUMN_DETAIL.fullmatch(text)
    if described:
        return _column_detail(run, described)
    wrapped = _WRAPPED.fullmatch(text)
    for answer_rows in (enum_rows, constraint_rows):
        rows = answer_rows(run, wrapped["inner"].strip() if wrapped else text)
        if rows is not None:
            return [(bool(rows),)] if wrapped else rows
    query = _QUERY.fullmatch(wrapped["inner"].strip() if wrapped else text)
    number = _number(run, query) if query is not None else None
    if query is None or number is None:
        return None
    if wrapped:
        return [(number > 0,)]
    if query["selected"].lower().startswith("count"):
        return [(number,)]
    return _rows(query, number)


def _column_detail(run: Run, query: re.Match[str]) -> list[tuple[object, ...]] | None:
    """Returns the row about the default or the nullability of a column."""
    allowed = _conditions(query)
    if allowed is None or not set(allowed) <= {"table_name", "column_name", "table_schema", "table_catalog"}:
        return None
    table, column, schemas = allowed.get("table_name", []), allowed.get("column_name", []), allowed.get("table_schema", [])
    if len(table) != 1 or len(column) != 1 or len(schemas) > 1:
        return None
    answer = run.ask("columns", table[0], schemas[0] if schemas else None)
    details = next((details for details in answer.value or () if details["name"] == column[0]), None)
    if details is None:
        return [] if answer.known else None
    return [(details["default"],)] if query["selected"].lower() == "column_default" else [("YES" if details["nullable"] else "NO",)]


def _rows(query: re.Match[str], number: int) -> list[tuple[object, ...]] | None:
    """Returns the rows of a query that selects the name of an object, or a constant; None if what it selects is unknown."""
    names = _names(query)
    selected = query["selected"].rpartition(".")[2].lower()
    if number == 0 or selected in ("1", "true", "*"):
        return [(True if selected == "true" else 1,)] * number
    name, values = names if names is not None else ("", [])
    return [(values[0],)] if selected == name and number == len(values) == 1 else None


def _conditions(query: re.Match[str]) -> dict[str, list[str]] | None:
    """Returns the values that the conditions of a query allow, by column; none for the current schema. None if there are other conditions."""
    allowed: dict[str, list[str]] = {}
    for text in _AND.split(query["conditions"]):
        condition = _CONDITION.fullmatch(text.strip())
        if condition is None or condition["column"].lower() in allowed:
            return None
        values = re.findall(r"\w+", condition["values"]) if condition["values"] else [condition["value"]] if condition["value"] else []
        allowed[condition["column"].lower()] = values
    return allowed


def _names(query: re.Match[str]) -> tuple[str, list[str]] | None:
    """Returns the column with the names that a query looks for, and the names."""
    allowed = _conditions(query)
    catalog = _CATALOGS.get(query["table"].lower().removeprefix("pg_catalog."))
    column = catalog.name if catalog is not None else "relname"
    return (column, allowed[column]) if allowed is not None and allowed.get(column) else None


def _number(run: Run, query: re.Match[str]) -> int | None:
    """Returns how many of the objects that a query looks for exist; None if that is unknown."""
    allowed, named = _conditions(query), _names(query)
    table = query["table"].lower().removeprefix("pg_catalog.")
    if allowed is None or named is None:
        return None
    catalog = _CATALOGS.get(table)
    if table == "pg_class":
        kinds = allowed.pop("relkind", [])
        if len(kinds) != 1 or kinds[0] not in _RELKINDS:
            return None
        catalog = _Catalog("relname", "", _RELKINDS[kinds[0]])
    if catalog is None or not set(allowed) <= {catalog.name, catalog.schema, catalog.table, *catalog.ignored} - {""}:
        return None
    schemas = allowed.get(catalog.schema, [])
    schema = schemas[0] if schemas else None
    if catalog.table and len(allowed.get(catalog.table, [])) != 1:
        return None
    exist = [_exists(run, catalog, name, schema, allowed[catalog.table][0] if catalog.table else "") for name in dict.fromkeys(named[1])]
    return sum(map(bool, exist)) if len(schemas) < 2 and None not in exist else None


def _exists(run: Run, catalog: _Catalog, name: str, schema: str | None, table: str) -> bool | None:
    if not table:
        return _has(run, catalog.question, name, schema)
    questions = _CONSTRAINTS if catalog.question == "constraints" else (catalog.question,)
    answers = [run.ask(question, table, schema) for question in questions]
    if any(details["name"] == name for answer in answers for details in answer.value or ()):
        return True
    return False if all(answer.known for answer in answers) else None


def _has(run: Run, question: str, name: str, schema: str | None) -> bool | None:
    answer = run.ask(question, name, schema)
    return bool(answer.value) if answer.known else None
