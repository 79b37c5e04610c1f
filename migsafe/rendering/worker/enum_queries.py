"""Queries for the labels of an enum type, in the forms that guards of ALTER TYPE … ADD VALUE usually have."""

import re
from typing import NamedTuple

from migsafe.rendering.worker.script_run import Run

_OWNER = r"(?:\w+\.)?"
_TYPE = r"(?:pg_catalog\.)?pg_type"
_BY_OID = re.compile(
    rf"{_OWNER}enumtypid\s*(?:=|\bin\b)\s*\(\s*select\s+{_OWNER}oid\s+from\s+{_TYPE}(?:\s+(?:as\s+)?(?!where\b)\w+)?"
    rf"\s+where\s+(?P<conditions>[^()]+?)(?:\s+limit\s+1)?\s*\)",
    re.IGNORECASE,
)
_BY_CAST = re.compile(
    rf"""{_OWNER}enumtypid\s*=\s*\(?\s*'(?:"?(?P<schema>\w+)"?\.)?"?(?P<name>\w+)"?'::regtype(?:::oid)?\s*\)?""",
    re.IGNORECASE,
)
_JOINED = r"(?:\s+(?:as\s+)?(?!where\b|join\b|inner\b|on\b)\w+)?"
_QUERY = re.compile(
    rf"select\s+(?P<distinct>distinct\s+)?(?P<selected>{_OWNER}(?:\w+|\*)|count\s*\(\s*(?:\*|1)\s*\))(?:::\w+)?(?:\s+as\s+\w+)?"
    rf"\s+from\s+(?P<tables>(?:pg_catalog\.)?(?:pg_enum|pg_type){_JOINED}"
    rf"(?:\s*(?:,|(?:inner\s+)?join)\s+(?:pg_catalog\.)?(?:pg_enum|pg_type|pg_namespace){_JOINED}(?:\s+on\s+\(?\s*[\w.]+\s*=\s*[\w.]+\s*\)?)?)*)"
    rf"\s+where\s+(?P<conditions>.+?)(?P<order>\s+order\s+by\s+{_OWNER}enumsortorder)?(?:\s+limit\s+1)?",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    rf"{_OWNER}(?P<column>enumlabel|typname|nspname|typtype)\s*(?:=\s*'(?P<value>[^']*)'(?:::\w+)?|in\s*\(\s*(?P<values>'[^']*'(?:\s*,\s*'[^']*')*)\s*\)"
    rf"|=\s*(?P<current>current_schema(?:\(\))?))",
    re.IGNORECASE,
)
_JOIN = re.compile(r"(?:\w+\.)?(?:oid|enumtypid|typnamespace)\s*=\s*(?:\w+\.)?(?:oid|enumtypid|typnamespace)", re.IGNORECASE)
_RANGE = re.compile(
    r"""select\s+unnest\(\s*enum_range\(\s*null::(?:"?(?P<schema>\w+)"?\.)?"?(?P<name>\w+)"?\s*\)\s*\)(?:::\w+)?(?:\s+as\s+\w+)?""",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)


class _Labels(NamedTuple):
    """The labels that a query selects; without an order, the order of their rows is not known."""

    labels: list[str]
    is_ordered: bool


def enum_rows(run: Run, text: str) -> list[tuple[object, ...]] | None:
    """Returns the rows of a query, in one line, for labels of an enum type; None for any other query, or if the answer is unknown."""
    whole = _RANGE.fullmatch(text)
    if whole:
        labels = _labels(run, whole["name"], whole["schema"])
        return [(label,) for label in labels] if labels else None
    query = _QUERY.fullmatch(_BY_CAST.sub(_named, _BY_OID.sub(lambda match: match["conditions"], text)))
    if query is None or "pg_enum" not in query["tables"].lower():
        return None
    found = _found(run, query)
    if found is None:
        return None
    selected = query["selected"].rpartition(".")[2].lower()
    if selected.startswith("count"):
        return [(len(found.labels),)]
    if selected == "enumlabel" and (found.is_ordered or len(found.labels) < 2):
        return [(label,) for label in found.labels]
    if not found.labels or (selected in ("1", "true", "*", "oid", "enumtypid") and len(found.labels) == 1):
        return [(True if selected == "true" else 1,)] * len(found.labels)
    return None


def _named(match: re.Match[str]) -> str:
    schema = f" and nspname = '{match['schema']}'" if match["schema"] else ""
    return f"typname = '{match['name']}'{schema}"


def _found(run: Run, query: re.Match[str]) -> _Labels | None:
    """Returns the labels that a query of pg_enum finds; None if that is unknown."""
    allowed: dict[str, list[str]] = {}
    for text in _AND.split(query["conditions"]):
        condition = _CONDITION.fullmatch(text.strip())
        if condition is None:
            if _JOIN.fullmatch(text.strip()):
                continue
            return None
        column = condition["column"].lower()
        if column in allowed:
            return None
        values = re.findall(r"'([^']*)'", condition["values"]) if condition["values"] else [condition["value"]]
        allowed[column] = [] if condition["current"] else values
    names, schemas = allowed.get("typname", []), allowed.get("nspname", [])
    if len(names) != 1 or len(schemas) > 1 or allowed.get("typtype", ["e"]) != ["e"]:
        return None
    labels = _labels(run, names[0], schemas[0] if schemas else None)
    if labels is None:
        return None
    wanted = allowed.get("enumlabel")
    return _Labels([label for label in labels if wanted is None or label in wanted], bool(query["order"]))


def _labels(run: Run, name: str, schema: str | None) -> list[str] | None:
    """Returns the labels of an enum type, in order; none if the type does not exist. None if they are unknown."""
    answer = run.ask("enum labels", name, schema)
    return list(answer.value or []) if answer.known else None
