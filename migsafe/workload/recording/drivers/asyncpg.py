"""Statements of asyncpg."""

import sys
from inspect import iscoroutinefunction
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.recorder import Recorder

NAME = "asyncpg"
MODULE = "asyncpg"

_OF_CONNECTION = ("execute", "executemany", "fetch", "fetchval", "fetchrow", "fetchmany", "cursor")
_OF_STATEMENT = ("fetch", "fetchval", "fetchrow", "fetchmany", "executemany", "cursor")
_LATER = frozenset({"fetchmany", "executemany"})
"""Methods that not every version has, by class: they are listened to where they exist."""


def listen(asyncpg: Any, patches: Patches, recorder: Recorder) -> None:
    """Reports the statements of connections, also of those of a pool, and of prepared statements."""
    of_driver = asyncpg.__file__.removesuffix("__init__.py")

    def is_own(frame: Any) -> bool:
        """Whether asyncpg sends a statement for itself: to reset a connection, to begin a transaction. A pool only passes calls on."""
        code = frame.f_code
        return bool(code.co_filename.startswith(of_driver) and code.co_name not in ("call_con_method", "_check"))

    def of_connection(original: Any) -> Any:
        def send(self: Any, query: Any, *args: Any, **options: Any) -> Any:
            if not is_own(frame := sys._getframe(1)):
                recorder.statement(query, "numeric", frame)
            return original(self, query, *args, **options)

        return _like(send, original)

    def of_statement(original: Any) -> Any:
        def send(self: Any, *args: Any, **options: Any) -> Any:
            recorder.statement(self._query, "numeric", sys._getframe(1))
            return original(self, *args, **options)

        return _like(send, original)

    classes = (
        (asyncpg.connection.Connection, _OF_CONNECTION, of_connection),
        (asyncpg.prepared_stmt.PreparedStatement, _OF_STATEMENT, of_statement),
    )
    for owner, methods, wrapped in classes:
        for method in methods:
            if method not in _LATER or hasattr(owner, method):
                patches.replace(owner, method, wrapped)


def _like(function: Any, original: Any) -> Any:
    """Returns a function that is known to return a coroutine if the original does."""
    if iscoroutinefunction(original) and sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction  # noqa: PLC0415  # new in Python 3.12

        return markcoroutinefunction(function)
    return function
