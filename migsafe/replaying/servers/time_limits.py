"""Limits of time that no migration can lift: who works too long is asked to stop, and then stopped, from outside."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from migsafe.errors import MigsafeError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from psycopg import Connection

_GRACE = 2.0
"""How long a statement that was cancelled may take to stop: a block may take even that as it comes, and go on."""


class LimitedWork:
    """What holds a connection while it works; `cut` says why it was stopped, if it was."""

    def __init__(self, connection: "Connection[Any]", until: float, why: str) -> None:
        self.connection = connection
        self.until = until
        self.why = why
        self.stop_reason = ""


class Guard(Protocol):
    """Watches a connection while the block runs."""

    def __call__(self, connection: "Connection[Any]") -> "AbstractContextManager[LimitedWork]":
        """Watch it; the leash says afterwards whether it was stopped."""


@contextmanager
def unlimited(connection: "Connection[Any]") -> Iterator[LimitedWork]:
    """No limit at all."""
    yield LimitedWork(connection, float("inf"), "")


class TimeLimits:
    """Limits of the time that a statement and the whole run may take, in seconds, from `with` to the end of the block.

    `terminate` ends a backend of the server, by its number, from another connection; where even that fails, ours is cut.
    """

    def __init__(self, terminate: "Callable[[Connection[Any]], None]", *, statement: float | None = None, run: float | None = None) -> None:
        self._terminate = terminate
        self._statement = statement
        self._run = run
        self._end = float("inf")
        self._leashes: list[LimitedWork] = []
        self._change = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="migsafe-limits", daemon=True)

    def __enter__(self) -> Self:
        if self._run is not None:
            self._end = time.monotonic() + self._run
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._change:
            self._over = True
            self._change.notify()
        self._thread.join()

    @contextmanager
    def limit_statement(self, connection: "Connection[Any]") -> Iterator[LimitedWork]:
        """Watch one statement. Raises MigsafeError where the run has no time left for it."""
        limit = float("inf") if self._statement is None else time.monotonic() + self._statement
        said = f"it was stopped after {_spelt(self._statement or 0)}, the limit of a statement"
        with self._held(connection, limit, said) as leash:
            yield leash

    @contextmanager
    def limit_run(self, connection: "Connection[Any]") -> Iterator[LimitedWork]:
        """Watch what is no statement of a migration: only the run's end is a limit."""
        with self._held(connection, float("inf"), "") as leash:
            yield leash

    def check(self) -> None:
        """Raise MigsafeError if the run has no time left."""
        if time.monotonic() > self._end:
            raise MigsafeError(f"the replay was stopped after {_spelt(self._run or 0)}, the limit of a run", "--run-limit gives it more.")

    @contextmanager
    def _held(self, connection: "Connection[Any]", until: float, why: str) -> Iterator[LimitedWork]:
        self.check()
        if self._end < until:
            until, why = self._end, f"it was stopped: the whole replay has run for {_spelt(self._run or 0)}, its limit"
        leash = LimitedWork(connection, until, why)
        if until == float("inf"):
            yield leash
            return
        with self._change:
            self._leashes.append(leash)
            self._change.notify()
        try:
            yield leash
        finally:
            with self._change:
                self._leashes.remove(leash)

    def _watch(self) -> None:
        while True:
            with self._change:
                if self._over:
                    return
                first = min(self._leashes, key=lambda leash: leash.until, default=None)
                left = first.until - time.monotonic() if first is not None else None
                if first is None or (left is not None and left > 0):
                    self._change.wait(left if left is not None and isfinite(left) else None)
                    continue
                # Nobody lets go meanwhile, so that what is stopped is the statement that took too long, not the next one.
                self._pull(first)

    def _pull(self, leash: LimitedWork) -> None:
        """Stop who holds out: first by asking, then without."""
        leash.until = time.monotonic() + _GRACE
        if not leash.stop_reason:
            leash.stop_reason = leash.why
            with suppress(Exception):  # it may have come to its end by itself
                leash.connection.cancel_safe(timeout=_GRACE)
            return
        leash.until = float("inf")
        try:
            self._terminate(leash.connection)
        except Exception:  # the server does not let us in any more: hang up, so that at least we go on
            with suppress(OSError), socket.socket(fileno=os.dup(leash.connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def _spelt(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"
