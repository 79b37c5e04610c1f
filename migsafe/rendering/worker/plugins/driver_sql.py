"""The `sql` module of psycopg2 (https://www.psycopg.org/docs/sql.html), and the functions of `extras` that send many rows
(https://www.psycopg.org/docs/extras.html#fast-execution-helpers)."""

from collections.abc import Iterable
from itertools import islice
from types import SimpleNamespace
from typing import Any

from migsafe.rendering.worker.composed_sql import NAMES
from migsafe.rendering.worker.plugins.plugin import Plugin
from migsafe.rendering.worker.sql_constants import as_literal

_PLACE = "%s"


def _execute_batch(cursor: Any, sql: Any, argslist: Iterable[object], page_size: int = 100) -> None:
    cursor.executemany(sql, argslist)


def _execute_values(
    cursor: Any, sql: str, argslist: Iterable[Any], template: str | None = None, page_size: int = 100, fetch: bool = False
) -> list[object] | None:
    before, _, after = str(sql).partition(_PLACE)
    rest = iter(argslist)
    fetched: list[object] = []
    while page := [_row(template, each) for each in islice(rest, page_size)]:
        cursor.execute(f"{before}{','.join(page)}{after}")
        fetched += cursor.fetchall() if fetch else []
    return fetched if fetch else None


def _row(template: str | None, values: Any) -> str:
    if template is None:
        return f"({', '.join(map(as_literal, values))})"
    is_named = hasattr(values, "items")
    return template % ({name: as_literal(value) for name, value in values.items()} if is_named else tuple(map(as_literal, values)))


_EXTRAS = {"execute_batch": _execute_batch, "execute_values": _execute_values}
PLUGIN = Plugin(packages=("psycopg2", "psycopg2cffi"), names={**NAMES, **_EXTRAS, "sql": SimpleNamespace(**NAMES)})
