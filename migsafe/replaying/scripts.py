"""Alembic scripts whose SQL depends on rows, or on anything else that only a database knows: they run on a copy of the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.live_results import ExecutionResult, pack_result
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.refusals import Failure, error_class, failure_of
from migsafe.replaying.repairs import MAX_TRIES
from migsafe.replaying.sending import set_up
from migsafe.replaying.servers.time_limits import Guard
from migsafe.replaying.untried import can_raise
from migsafe.sources import Half, Transaction
from migsafe.text import MARK_START

if TYPE_CHECKING:
    from psycopg import Connection

_SCRIPT_SECONDS = 600.0
"""The most seconds that a script's own code may take; the statements that it sends have limits of their own."""
_CATCHES = "except"

Copy = Callable[[], "AbstractContextManager[Connection[Any]]"]
"""Connects, as the role of the migrations, to a copy of the database that is dropped when the connection closes."""


class Scripts:
    """The SQL of scripts. `guard` limits the time of a statement; `repair` can remove the cause of a refusal; it returns whether it did. `copy`
    is None if the database cannot be copied."""

    def __init__(self, renderer: Renderer, guard: Guard, repair: Callable[[Failure, Half], bool], copy: Copy | None) -> None:
        self._renderer = renderer
        self.copy = copy
        self._guard = guard
        self._repair = repair

    def with_copy(self, copy: Copy | None) -> "Scripts":
        """Returns the same with another copy of the database."""
        return Scripts(self._renderer, self._guard, self._repair, copy)

    def half(self, half: Half, predictor: Predictor, *, is_judged: bool = False) -> Half:
        """Returns what to send for one direction of a migration. A script is rendered; if that does not show all SQL, it runs on a copy of the
        database, if there can be one. A script that is judged and can raise an error of its own does, too: does it raise it on this database?
        Raises MigsafeError."""
        rendered = self._renderer.render_half(half, predictor)
        if half.program is None or self.copy is None or (_is_complete(rendered) and not (is_judged and can_raise(half.program))):
            return rendered
        for _ in range(MAX_TRIES):
            with self.copy() as connection:
                script = _ScriptConnection(connection, self._guard)
                set_up(connection, half)
                if half.transaction is Transaction.FILE:
                    connection.execute("BEGIN")
                sent = self._renderer.render_live(half, predictor, script.execute, _SCRIPT_SECONDS)
            if script.failure is None or not self._repair(script.failure, rendered):
                break
        return sent if _is_certain(sent) or (is_judged and _ends_early(sent)) else max(sent, rendered, key=_count_known)


class _ScriptConnection:
    """The connection of a running script: executes its statements. `failure` is the last refusal."""

    def __init__(self, connection: "Connection[Any]", guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self.failure: Failure | None = None

    def execute(self, sql: str) -> ExecutionResult | list[str]:
        """Executes a statement; returns its result, or the SQLSTATE and the message of its error."""
        stop_reason = ""
        try:
            with self._guard(self._connection) as work:
                try:
                    cursor = self._connection.execute(sql.encode())
                finally:
                    stop_reason = work.stop_reason
        except error_class() as error:
            self.failure = failure_of(error, stop_reason)
            return [self.failure.sqlstate, self.failure.message]
        columns = [column.name for column in cursor.description or ()]
        return pack_result(columns, cursor.fetchall() if columns else [], cursor.rowcount)


def _is_complete(half: Half) -> bool:
    """Whether all SQL of a script is known. A script that catches errors depends on the server's answers, so it is not."""
    return half.program is None or (_count_known(half) == len(half.program.calls) and _CATCHES not in half.program.script.text)


def _is_certain(half: Half) -> bool:
    """Whether nothing outside this machine decided which statements the script sent."""
    return half.program is None or all(call.certain for call in half.program.calls)


def _ends_early(half: Half) -> bool:
    """Whether a script has ended with an error of its own."""
    return half.program is not None and bool(half.program.calls) and bool(half.program.calls[-1].opaque) and can_raise(half.program)


def _count_known(half: Half) -> int:
    """Returns how many of the script's calls can be sent."""
    calls = half.program.calls if half.program is not None else ()
    return sum(
        call.certain
        and not call.opaque
        and not call.unknown_part
        and MARK_START not in half.script.text[call.sql_span.start : call.sql_span.end]
        for call in calls
    )
