"""Long-running readers, such as a report or a backup, that a migration has to wait for."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection


class LongRunningReaders:
    """Transactions that have read a table each; they stay open for a number of seconds, or to the end of the `with` block."""

    def __init__(self, connect: "Callable[[], Connection[Any]]", tables: Iterable[Name], seconds: float) -> None:
        self._connections: list[Connection[Any]] = []
        self._connect = connect
        self._tables = list(tables)
        self._seconds = seconds
        self._timer = threading.Timer(seconds, self._close)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._seconds > 0:
            for table in self._tables:
                connection = self._connect()
                self._connections.append(connection)
                connection.execute("BEGIN")
                with suppress(Exception):  # a relation that cannot be read gets no reader
                    connection.execute(f"SELECT FROM {table} LIMIT 0".encode())
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._close()

    def _close(self) -> None:
        for connection in self._connections:
            with suppress(Exception):
                connection.close()
