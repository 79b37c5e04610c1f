"""A session that is as good as new for each migration of a history: a new connection costs more than most migrations take."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migsafe.patterns import lazy_pattern
from migsafe.replaying.exchange import exchange
from migsafe.replaying.sending import is_idle
from migsafe.sources import Half

if TYPE_CHECKING:
    from psycopg import Connection

_CHANGES_NEW_SESSIONS = lazy_pattern(r"\balter\s+(database|role|user|group|system)\b", re.IGNORECASE)
"""Statements that can change the settings with which a session begins (manual, ALTER DATABASE and ALTER ROLE). RESET ALL returns to those
with which this one began."""

_RESET = """
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all();
    DISCARD SEQUENCES; DISCARD TEMP;
    SELECT FROM pg_catalog.pg_prepared_statements WHERE NOT pg_catalog.starts_with(name, 'migsafe_')
"""
"""What DISCARD ALL executes (manual, DISCARD), but for the plans and the prepared statements: those of the ledger stay."""


class FreshSession:
    """Returns a connection in the state of a new one. `connect` opens one, in autocommit."""

    def __init__(self, connect: "Callable[[], Connection[Any]]") -> None:
        self._connect = connect
        self._connection: Connection[Any] | None = None

    def connection(self) -> "Connection[Any]":
        """Returns the connection: temporary tables, settings and roles of the migrations before are gone."""
        if self._connection is not None and not self._reset(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def sent(self, half: Half) -> None:
        """Notes that a migration was sent on the connection."""
        if _CHANGES_NEW_SESSIONS.search(half.script.text):
            self.close()

    def close(self) -> None:
        """Closes the connection, so that the database can be copied and dropped."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _reset(connection: "Connection[Any]") -> bool:
        """Discards the state of a session; returns whether that was possible."""
        if connection.closed or not is_idle(connection):
            return False
        results, error = exchange(connection, _RESET)
        return error is None and results[-1].ntuples == 0
