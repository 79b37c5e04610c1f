"""Time limits that a migration cannot change: a statement that runs too long is cancelled, and then terminated, from another connection."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from math import isfinite
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from migsafe.errors import MigsafeError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from psycopg import Connection

INTERRUPTED = "interrupted before it ended"
"""What is said of a statement during which the user ended the run."""

_GRACE = 2.0
"""The seconds that a cancelled statement may take to stop. A PL/pgSQL block can catch the cancellation and continue."""


class RunStopped(MigsafeError):
    """The run has reached its time limit, or the user has interrupted it: nothing more is tried."""


class Interruption:
    """The user's request to end a run, for example by Ctrl-C."""

    def __init__(self) -> None:
        self.requested = False
        self._stop: Callable[[], bool] = lambda: False

    def is_answered_by(self, stop: Callable[[], bool]) -> None:
        """Lets a run answer the request; `stop` returns whether the work in progress ends by itself."""
        self._stop = stop

    def request(self) -> bool:
        """Requests the end. Returns whether the work in progress ends by itself."""
        self.requested = True
        return self._stop()


class LimitedWork:
    """Work on a connection that must end by a deadline; `stop_reason` says why it was stopped, if it was."""

    def __init__(self, connection: "Connection[Any]", deadline: float, reason: str) -> None:
        self.connection = connection
        self.deadline = deadline
        self.reason = reason
        self.stop_reason = ""


class Guard(Protocol):
    """Limits the time of the work on a connection inside a `with` block."""

    def __call__(self, connection: "Connection[Any]") -> "AbstractContextManager[LimitedWork]":
        """Starts the limit; the work tells afterwards whether it was stopped."""


def unlimited(connection: "Connection[Any]") -> "AbstractContextManager[LimitedWork]":
    """Sets no limit."""
    return nullcontext(LimitedWork(connection, float("inf"), ""))


class TimeLimits:
    """Limits of the seconds that a statement and the whole run may take; they hold inside a `with` block.

    `terminate` terminates the backend of a connection from another connection; if that fails, the connection is closed on this side. An
    `interruption` ends the run as if its time were over.
    """

    def __init__(
        self,
        terminate: "Callable[[Connection[Any]], None]",
        *,
        statement: float | None = None,
        run: float | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        self._terminate = terminate
        self._statement = statement
        self._run = run
        self._run_deadline = float("inf")
        self._interruption = interruption or Interruption()
        self._works: list[LimitedWork] = []
        self._wakes_at = float("inf")
        self._change = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="migsafe-limits", daemon=True)

    def __enter__(self) -> Self:
        if self._run is not None:
            self._run_deadline = time.monotonic() + self._run
        self._thread.start()
        self._interruption.is_answered_by(self._interrupt)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._interruption.is_answered_by(lambda: False)
        with self._change:
            self._over = True
            self._change.notify()
        self._thread.join()

    @contextmanager
    def limit_statement(self, connection: "Connection[Any]") -> Iterator[LimitedWork]:
        """Limits one statement. Raises MigsafeError if the run has no time left."""
        limit = float("inf") if self._statement is None else time.monotonic() + self._statement
        reason = f"stopped after {_format_seconds(self._statement or 0)}, the time limit of a statement"
        with self._limited(connection, limit, reason) as work:
            yield work

    def within(self, seconds: float) -> Guard:
        """Returns a guard that limits each statement to these seconds, and to the limit of a statement."""
        limit = min(seconds, self._statement or seconds)

        @contextmanager
        def limited(connection: "Connection[Any]") -> Iterator[LimitedWork]:
            with self._limited(connection, time.monotonic() + limit, f"stopped after {_format_seconds(limit)}") as work:
                yield work

        return limited

    @contextmanager
    def limit_run(self, connection: "Connection[Any]") -> Iterator[None]:
        """Limits work that is not a statement of a migration: only the limit of the run applies. Raises RunStopped if it stops the work."""
        from psycopg import Error  # noqa: PLC0415  # start-up must not pay for it

        work: LimitedWork | None = None
        try:
            with self._limited(connection, float("inf"), "") as work:
                yield
        except Error as error:
            if work is None or not work.stop_reason:
                raise
            raise self.stopped() from error

    @property
    def is_interrupted(self) -> bool:
        """Whether the user has interrupted the run."""
        return self._interruption.requested

    def check(self) -> None:
        """Raises RunStopped if the run has no time left, or was interrupted."""
        if self.is_interrupted or time.monotonic() > self._run_deadline:
            raise self.stopped()

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Work that an interruption ends at any moment, not only during a limited statement. Raises RunStopped then, and if the run has no
        time left."""
        self.check()
        try:
            yield
        except KeyboardInterrupt:
            if self.is_interrupted:
                raise self.stopped() from None
            raise

    def stopped(self) -> RunStopped:
        """Returns why the run ended, as an error."""
        if self.is_interrupted:
            return RunStopped("the run was interrupted", "The report has what was measured before.")
        return RunStopped(
            f"the replay was stopped after {_format_seconds(self._run or 0)}, the time limit of a run", "Set a longer limit with --run-limit."
        )

    def _interrupt(self) -> bool:
        """Stops the limited work; returns whether there is any. It is called by a signal handler, in the thread that works."""
        with self._change:
            for work in self._works:
                work.deadline, work.reason = time.monotonic(), INTERRUPTED
            self._change.notify()
            return bool(self._works)

    @contextmanager
    def _limited(self, connection: "Connection[Any]", deadline: float, reason: str) -> Iterator[LimitedWork]:
        self.check()
        if self._run_deadline < deadline:
            deadline, reason = self._run_deadline, f"stopped: the whole replay has reached its time limit of {_format_seconds(self._run or 0)}"
        work = LimitedWork(connection, deadline, reason)
        with self._change:
            self._works.append(work)
            if deadline < self._wakes_at:  # to wake the thread for each statement would delay them all
                self._change.notify()
        try:
            yield work
        finally:
            with self._change:
                self._works.remove(work)

    def _watch(self) -> None:
        while True:
            with self._change:
                if self._over:
                    return
                first = min(self._works, key=lambda work: work.deadline, default=None)
                remaining = first.deadline - time.monotonic() if first is not None else None
                if first is None or (remaining is not None and remaining > 0):
                    self._wakes_at = first.deadline if first is not None else float("inf")
                    self._change.wait(remaining if remaining is not None and isfinite(remaining) else None)
                    continue
                # The lock is held while stopping, so that the statement that took too long is stopped, not the next one.
                self._stop(first)

    def _stop(self, work: LimitedWork) -> None:
        """Stops the work: the first call cancels the statement, the second terminates the backend."""
        work.deadline = time.monotonic() + _GRACE
        if not work.stop_reason:
            work.stop_reason = work.reason
            with suppress(Exception):  # the statement may have ended meanwhile
                work.connection.cancel_safe(timeout=_GRACE)
            return
        work.deadline = float("inf")
        try:
            self._terminate(work.connection)
        except Exception:  # no second connection is possible: close this one, so that the run continues
            with suppress(OSError), socket.socket(fileno=os.dup(work.connection.fileno())) as connection:
                connection.shutdown(socket.SHUT_RDWR)


def _format_seconds(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"
