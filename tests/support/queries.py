"""Queries in tests and in the examples of rules: a text that ends with `-- queries: FILE`, and the queries of that file.

`-- new queries: FILE` are those of a release that is compared with one that sends none of them, `-- running queries: FILE` those that only the
running release sends. A line `-- recorded: 12 times in one request` below a query's name says how often it was seen.
"""

import re
from hashlib import sha256
from typing import NamedTuple

from migsafe.workload import CallSite, Query, Workload

HEADING = re.compile(r"^-- (new |running |)queries: (\S+)\n", re.MULTILINE)
_QUERY = re.compile(r"^-- name: (\w+)[^\n]*\n(?:-- recorded: (\d+) times?[^\n]*\n)?(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


class TextWithQueries(NamedTuple):
    """The SQL of a text, and the queries at its end."""

    sql: str
    queries: tuple[Query, ...]
    workload: Workload


def has_queries(text: str) -> bool:
    """Whether a text ends with queries."""
    return HEADING.search(text) is not None


def split_queries(text: str, *, complete: bool = False) -> TextWithQueries:
    """Returns the SQL of a text, and the workload at its end."""
    sql, *parts = HEADING.split(text)
    current: list[Query] = []
    running: list[Query] = []
    compared = False
    for kind, path, content in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        compared = compared or bool(kind)
        for match in _QUERY.finditer(content):
            line = content[: match.start()].count("\n") + 1
            query = read_query(match[3], CallSite(path, line, match[1], int(match[2] or 0), int(match[2] or 0)))
            if kind != "running ":
                current.append(query)
            if kind != "new ":
                running.append(query)
    return TextWithQueries(
        sql, (*current, *running), Workload(queries=tuple(current), running=tuple(running), compared=compared, complete=complete)
    )


def read_query(text: str, place: CallSite) -> Query:
    """Returns a query with this text."""
    shown = text.strip().removesuffix(";")
    return Query(text=shown, fingerprint=sha256(" ".join(shown.split()).encode()).hexdigest()[:16], places=(place,))


_READS_ALL = """DO $$
DECLARE line text; plan text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN EXECUTE query_{number}(NULL)' LOOP plan := plan || line; END LOOP;
    IF plan LIKE '%Seq Scan%' THEN RAISE EXCEPTION 'no index serves the query'; END IF;
END $$;
"""


def on_server(text: str, rule: str, help: str = "") -> str:
    """Returns the SQL of an example, then `help`, then its queries as a server shows a rule's hazard: it refuses to prepare a query, fails to
    run an INSERT, or reads the whole table although sequential scans are off."""
    if not has_queries(text):
        return text
    example = split_queries(text)
    lines = [example.sql, help, "DEALLOCATE ALL;", "SET enable_seqscan = off;", "SET plan_cache_mode = force_generic_plan;"]
    for number, query in enumerate(example.workload.queries):
        lines.append(f"PREPARE query_{number} AS {query.text};")
        if rule == "insert-breaks":
            lines.append(f"EXECUTE query_{number}(1000001, 'x');")
        elif "index" in rule:
            lines.append(_READS_ALL.format(number=number))
    lines += ["RESET enable_seqscan;", "RESET plan_cache_mode;"]
    return "\n".join(lines)
