"""A thread that serves many sessions at once: it sends what is due, and reads the answers as they arrive."""

import selectors
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_CANCEL_TIMEOUT = 2.0
_LOOK = 0.002
"""The longest time, in seconds, for which the thread waits for an answer before it looks what is due."""


class ServedSession:
    """One session. A subclass sends a query, and takes its answer. `next_at` is when the next query is due, by perf_counter."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self.connection = connection
        self.pid = connection.info.backend_pid
        self.sent = 0.0
        self.waiting = False
        self.next_at = 0.0
        self.error = ""
        """Why the session has ended; empty if it has not."""

    def send(self) -> None:
        """Sends the next query."""
        raise NotImplementedError

    def take(self, results: Sequence[Any], now: float) -> None:
        """Takes the results of the query, libpq's, and sets `next_at`."""
        raise NotImplementedError

    def read_answer(self, now: float) -> None:
        """Reads what has arrived, and takes the answer if it is complete."""
        connection = self.connection.pgconn
        connection.consume_input()
        if connection.is_busy():
            return
        results = []
        while (result := connection.get_result()) is not None:
            results.append(result)
        self.waiting = False
        self.take(results, now)

    def end(self, error: str) -> None:
        """Notes that the session sends nothing more."""
        self.waiting, self.next_at, self.error = False, float("inf"), error


class SessionThread:
    """The thread that serves sessions. It starts with the `with` block; `stop` ends it after the last answers, an exception at once."""

    def __init__(self, name: str, sessions: Iterable[ServedSession], grace: float | None = None) -> None:
        self._sessions = list(sessions)
        self._grace = grace
        self._stopping = False
        self._stop_at = float("inf")
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Begins to send queries."""
        if self._sessions:
            self._thread.start()

    def stop(self, *, at_once: bool = False) -> None:
        """Sends no further queries, and waits for the last answer of each session: `at_once` for none, otherwise for the seconds of `grace`."""
        if at_once:
            self._stop_at = 0.0
        elif self._grace is not None:
            self._stop_at = time.perf_counter() + self._grace
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join()

    def close(self, give_back: "Callable[[Connection[Any]], None]") -> None:
        """Gives the connections back; closes those of sessions that have ended, or that wait for an answer: their queries are cancelled, so
        that the database can be copied."""
        for session in self._sessions:
            with suppress(Exception):
                if session.waiting:
                    session.connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
            with suppress(Exception):
                session.connection.close() if session.error or session.waiting else give_back(session.connection)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for session in self._sessions:
                selector.register(session.connection.pgconn.socket, selectors.EVENT_READ, session)
            while not self._is_over():
                now = time.perf_counter()
                for session in self._sessions:
                    if not session.waiting and now >= session.next_at and not self._stopping:
                        self._send(session, now)
                for key, _ in selector.select(_LOOK):
                    self._receive(selector, key)

    def _is_over(self) -> bool:
        return self._stopping and (time.perf_counter() >= self._stop_at or not any(session.waiting for session in self._sessions))

    @staticmethod
    def _send(session: ServedSession, now: float) -> None:
        session.sent, session.waiting = now, True
        try:
            session.send()
        except Exception as error:  # the other sessions continue
            session.end(str(error))

    @staticmethod
    def _receive(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        session: ServedSession = key.data
        try:
            session.read_answer(time.perf_counter())
        except Exception as error:
            # A lost connection does not tell its socket any more.
            with suppress(KeyError):
                selector.unregister(key.fileobj)
            session.end(str(error) or "the connection is lost")
