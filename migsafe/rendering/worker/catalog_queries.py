"""Queries of PostgreSQL's own catalogues that ask whether something is there, as guards do in a few usual forms."""

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
    """The rows that a query gives which asks whether something is there; None where it asks for something else, or nobody knows."""
    text = " ".join(sql.split()).rstrip("; ")
    regclass = _REGCLASS.fullmatch(text)
    if regclass:
        there = _is_there(run, "has table", regclass["name"], regclass["in_schema"])
        if there is None:
            return None
        tested = regclass["tested"]
        return [(there == bool(regclass["negated"]),)] if tested else [(regclass["name"] if there else None,)]
    if _CURRENT.fullmatch(text):
        return [("public",)]
    valid = _VALID.fullmatch(text)
    if valid:
        there = _is_there(run, "has index", valid["name"] or valid["cast_name"], valid["in_schema"] or valid["cast_schema"])
        return None if there is None else [(True,)] if there else []
    there = _asked(run, text)
    if there is None:
        return None
    if _WRAPPED.match(text):
        return [(there,)]
    return [(1,)] if there else []


def _asked(run: Run, text: str) -> bool | None:
    for kind, form in _FORMS:
        found = form.fullmatch(text)
        if found:
            return _is_there(run, f"has {kind}", found["name"], found["first"] or found["schema"])
    column = _COLUMN.fullmatch(text)
    if column is None:
        return None
    answer = run.ask("columns", column["table"], column["first"] or column["schema"])
    there = any(one["name"] == column["name"] for one in answer.value or ())
    return there if there or answer.known else None


def _is_there(run: Run, what: str, name: str, schema: str | None) -> bool | None:
    answer = run.ask(what, name, schema)
    return bool(answer.value) if answer.known else None
