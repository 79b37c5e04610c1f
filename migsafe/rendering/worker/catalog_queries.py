"""Queries of PostgreSQL's catalogs that check whether an object exists, in the forms that guards usually have."""

import re

from migsafe.rendering.worker.script_run import Run

_NAME = r"""'(?:"?(?P<in_schema>\w+)"?\.)?"?(?P<name>\w+)"?'"""
_SCHEMA = r"(?:\s+and\s+{}\s*=\s*(?:'(?P<schema>\w+)'|current_schema\(\)))?"
_WRAPPED = re.compile(r"select\s+exists\b", re.IGNORECASE)
_SELECTED = r"(?:select\s+exists\s*\(\s*)?select\s+(?:1|true|\*|\w+)\s+from\s+"
_END = r"\s*\)?\s*;?\s*"


def _exists(table: str, column: str, schema: str) -> re.Pattern[str]:
    before = f"(?:{schema}\\s*=\\s*'(?P<first>\\w+)'\\s+and\\s+)?"
    named = f"{column}\\s*=\\s*'(?P<name>\\w+)'"
    return re.compile(f"{_SELECTED}{table}\\s+where\\s+{before}{named}{_SCHEMA.format(schema)}{_END}", re.IGNORECASE)


_FORMS = (
    ("table", _exists(r"information_schema\.tables", "table_name", "table_schema")),
    ("table", _exists(r"(?:pg_catalog\.)?pg_tables", "tablename", "schemaname")),
    ("index", _exists(r"(?:pg_catalog\.)?pg_indexes", "indexname", "schemaname")),
    ("type", _exists(r"(?:pg_catalog\.)?pg_type", "typname", "nspname")),
)
_COLUMN = re.compile(
    _SELECTED
    + r"information_schema\.columns\s+where\s+(?:table_schema\s*=\s*'(?P<first>\w+)'\s+and\s+)?table_name\s*=\s*'(?P<table>\w+)'"
    + r"\s+and\s+column_name\s*=\s*'(?P<name>\w+)'"
    + _SCHEMA.format("table_schema")
    + _END,
    re.IGNORECASE,
)
_CURRENT = re.compile(r"select\s+current_schema(?:\(\))?", re.IGNORECASE)
_VALID = re.compile(
    rf"select\s+(?:\w+\.)?indisvalid\s+from\s+pg_index(?:\s+(?:as\s+)?\w+)?\s+where\s+(?:\w+\.)?indexrelid\s*=\s*"
    rf"(?:to_regclass\(\s*{_NAME}\s*\)|{_NAME.replace('in_schema', 'cast_schema').replace('<name', '<cast_name')}::regclass)",
    re.IGNORECASE,
)
_REGCLASS = re.compile(rf"select\s+to_regclass\(\s*{_NAME}\s*\)(?:::\w+)?(?P<tested>\s+is\s+(?P<negated>not\s+)?null)?\s*;?\s*", re.IGNORECASE)


def answer_catalog_query(run: Run, sql: str) -> list[tuple[object, ...]] | None:
    """Returns the rows of a query that checks whether an object exists; None for any other query, or if the answer is unknown."""
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
    valid = _VALID.fullmatch(text)
    if valid:
        exists = _has(run, "has index", valid["name"] or valid["cast_name"], valid["in_schema"] or valid["cast_schema"])
        return None if exists is None else [(True,)] if exists else []
    exists = _object_exists(run, text)
    if exists is None:
        return None
    if _WRAPPED.match(text):
        return [(exists,)]
    return [(1,)] if exists else []


def _object_exists(run: Run, text: str) -> bool | None:
    for kind, form in _FORMS:
        match = form.fullmatch(text)
        if match:
            return _has(run, f"has {kind}", match["name"], match["first"] or match["schema"])
    column = _COLUMN.fullmatch(text)
    if column is None:
        return None
    answer = run.ask("columns", column["table"], column["first"] or column["schema"])
    exists = any(known["name"] == column["name"] for known in answer.value or ())
    return exists if exists or answer.known else None


def _has(run: Run, question: str, name: str, schema: str | None) -> bool | None:
    answer = run.ask(question, name, schema)
    return bool(answer.value) if answer.known else None
