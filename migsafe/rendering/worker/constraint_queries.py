"""Queries of pg_constraint for the constraints of a table, which scripts drop by the name that they find."""

import re

from migsafe.rendering.worker.script_run import Run

_OWNER = r"(?:\w+\.)?"
_ALIAS = r"(?:\s+(?:as\s+)?(?!where\b|join\b|inner\b|on\b)\w+)?"
_QUERY = re.compile(
    rf"select\s+{_OWNER}(?P<selected>conname|1)(?:::\w+)?(?:\s+as\s+\w+)?\s+from\s+(?:pg_catalog\.)?pg_constraint{_ALIAS}"
    rf"(?P<joins>(?:\s+(?:inner\s+)?join\s+(?:pg_catalog\.)?(?:pg_class|pg_namespace){_ALIAS}\s+on\s+\(?\s*[\w.]+\s*=\s*[\w.]+\s*\)?)*)"
    rf"\s+where\s+(?P<conditions>.+?)(?:\s+limit\s+1)?",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    rf"{_OWNER}(?P<column>contype|relname|nspname|conname)\s*=\s*(?:'(?P<value>\w+)'(?:::\w+)?|current_schema(?:\(\))?)"
    rf"""|{_OWNER}conrelid\s*=\s*'(?:"?(?P<schema>\w+)"?\.)?"?(?P<table>\w+)"?'::regclass(?:::oid)?""",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_KINDS = {"p": "primary key", "u": "unique constraints", "c": "check constraints", "f": "foreign keys"}


def constraint_rows(run: Run, text: str) -> list[tuple[object, ...]] | None:
    """Returns the rows of a query, in one line, for a constraint of one kind and one table; None for any other query, or if the answer is
    unknown or has several rows, whose order is not known."""
    query = _QUERY.fullmatch(text)
    if query is None:
        return None
    allowed: dict[str, str | None] = {}
    for part in _AND.split(query["conditions"]):
        condition = _CONDITION.fullmatch(part.strip())
        if condition is None or (condition["table"] and "relname" in allowed) or (condition["column"] or "relname").lower() in allowed:
            return None
        if condition["table"]:
            allowed.update(relname=condition["table"], **({"nspname": condition["schema"]} if condition["schema"] else {}))
        else:
            allowed[condition["column"].lower()] = condition["value"]
    table, kind = allowed.get("relname"), _KINDS.get(allowed.get("contype") or "")
    if table is None or kind is None:
        return None
    answer = run.ask(kind, table, allowed.get("nspname"))
    names = [details["name"] for details in answer.value or () if allowed.get("conname") in (None, details["name"])]
    if not answer.known or len(names) > 1:
        return None
    return [(name if query["selected"].lower() == "conname" else 1,) for name in names]
