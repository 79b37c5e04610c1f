"""A long-running reader, such as a report or a backup, that a migration has to wait for."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection


class LongRunningReader:
    """A transaction that has read each of the tables; it stays open for a number of seconds, or to the end of the `with` block."""

    def __init__(self, connect: "Callable[[], Connection[Any]]", tables: Iterable[Name], seconds: float) -> None:
        self._connection: Connection[Any] | None = None
        self._connect = connect
        self._tables = list(tables)
        self._seconds = seconds
        self._timer = threading.Timer(seconds, self._close)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._seconds > 0 and self._tables:
            self._connection = self._connect()
            self._connection.execute("BEGIN")
            for table in self._tables:
                self._connection.execute("SAVEPOINT reading")
                try:
                    self._connection.execute(f"SELECT FROM {table} LIMIT 0".encode())
                except Exception:  # a relation that cannot be read has no reader
                    self._connection.execute("ROLLBACK TO reading")
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
