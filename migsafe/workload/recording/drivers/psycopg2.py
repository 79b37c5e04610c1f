"""Statements of psycopg2. Its cursors are written in C and cannot be changed, so connections get subclasses of their classes."""

import sys
from collections.abc import Callable
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.recorder import Recorder

NAME = "psycopg2"
MODULE = "psycopg2"


def listen(psycopg2: Any, patches: Patches, recorder: Recorder) -> None:
    """Reports the statements of connections that are opened from now on."""
    recording_connection = _connection_factory(psycopg2.extensions, recorder)

    def wrapped(original: Any) -> Any:
        def connect(dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **options: Any) -> Any:
            if connection_factory is None or isinstance(connection_factory, type):
                connection_factory = recording_connection(connection_factory or psycopg2.extensions.connection)
            return original(dsn, connection_factory, cursor_factory, **options)

        return connect

    patches.replace(psycopg2, "connect", wrapped)


def _connection_factory(extensions: Any, recorder: Recorder) -> Callable[[Any], Any]:
    """Returns a function that returns the recording subclass of a class of connections.

    The recording base is the last but one in the order of the bases: the class of the project still chooses its cursors, and calls it.
    """
    cursor_class = _cursor_factory(extensions, recorder)

    class Connection(extensions.connection):  # type: ignore[misc]
        def cursor(self, name: Any = None, cursor_factory: Any = None, *args: Any, **options: Any) -> Any:
            factory = cursor_factory or self.cursor_factory or extensions.cursor
            if isinstance(factory, type):
                factory = cursor_class(factory)
            return super().cursor(name, factory, *args, **options)

    return _subclasses(Connection, extensions.connection)


def _cursor_factory(extensions: Any, recorder: Recorder) -> Callable[[Any], Any]:
    class Cursor(extensions.cursor):  # type: ignore[misc]
        def execute(self, query: Any, vars: Any = None) -> Any:  # psycopg2's name
            text = query if isinstance(query, (str, bytes)) else query.as_string(self)
            recorder.statement(text, "pyformat", sys._getframe(1))
            return super().execute(query, vars)

        def executemany(self, query: Any, vars_list: Any) -> Any:
            text = query if isinstance(query, (str, bytes)) else query.as_string(self)
            recorder.statement(text, "pyformat", sys._getframe(1))
            return super().executemany(query, vars_list)

    return _subclasses(Cursor, extensions.cursor)


def _subclasses(recording: Any, plain: Any) -> Callable[[Any], Any]:
    """Returns a function that returns one subclass for each class: of it and of the recording class."""
    known: dict[Any, Any] = {plain: recording}

    def subclass(base: Any) -> Any:
        if issubclass(base, recording):
            return base
        if base not in known:
            known[base] = type(base.__name__, (base, recording), {"__module__": base.__module__})
        return known[base]

    return subclass
