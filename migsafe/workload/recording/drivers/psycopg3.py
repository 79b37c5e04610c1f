"""Statements of psycopg 3, sync and async."""

import sys
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.recorder import Recorder

NAME = "psycopg"
MODULE = "psycopg"

_METHODS = {
    "Cursor": ("execute", "executemany", "stream"),
    "AsyncCursor": ("execute", "executemany", "stream"),
    "ServerCursor": ("execute",),
    "AsyncServerCursor": ("execute",),
}


def listen(psycopg: Any, patches: Patches, recorder: Recorder) -> None:
    """Reports the statements of all cursors. Connections call cursors."""

    def wrapped(original: Any) -> Any:
        def send(self: Any, query: Any, *args: Any, **options: Any) -> Any:
            text = query if isinstance(query, (str, bytes)) else _text(query, self)
            recorder.statement(text, "pyformat", sys._getframe(1))
            return original(self, query, *args, **options)

        return send

    for class_name, methods in _METHODS.items():
        for method in methods:
            patches.replace(getattr(psycopg, class_name), method, wrapped)


def _text(query: Any, cursor: Any) -> str:
    """Returns the text of a composed query (`psycopg.sql`) or a template string; empty if it cannot be composed, which psycopg will report."""
    try:
        if hasattr(query, "as_string"):
            return str(query.as_string(cursor))
        return "".join(part if isinstance(part, str) else _template_part(part, cursor) for part in query)
    except Exception:  # what it raises for bad values is reported when psycopg itself composes it
        return ""


def _template_part(part: Any, cursor: Any) -> str:
    """Returns what an interpolation of a template string becomes: a parameter, or SQL if its format asks for it (psycopg 3.3)."""
    match part.format_spec:
        case "i":
            quoted = str(part.value).replace('"', '""')
            return f'"{quoted}"'
        case "q":
            return _text(part.value, cursor)
        case "l":
            return "NULL"
        case _:
            return "%s"
