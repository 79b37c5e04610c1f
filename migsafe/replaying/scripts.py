"""Scripts of Alembic's on a server: where rows, or anything else that only a database knows, decide what a script sends, it runs on a copy."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.halves import MARK_START
from migsafe.rendering.live_results import ExecutionResult, pack_result
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.refusals import Failure, error_class, failure_of
from migsafe.replaying.servers.time_limits import Guard
from migsafe.sources import Half, Transaction

if TYPE_CHECKING:
    from psycopg import Connection

_LONGEST = 600.0
"""How many seconds a script may work on a server by itself; what the server does for it has limits of its own."""
_MOST_TRIES = 20
_CATCHES = "except"

Copy = Callable[[], "AbstractContextManager[Connection[Any]]"]
"""Connects, as who migrates, to a copy of the database that goes when that ends."""


class Scripts:
    """What scripts send. `guard` limits what a statement may take; `mend` may do something about a refusal, and says whether it did."""

    def __init__(self, renderer: Renderer, guard: Guard, mend: Callable[[Failure], bool]) -> None:
        self._renderer = renderer
        self._guard = guard
        self._mend = mend

    def half(self, half: Half, forecast: Predictor, copy: Copy | None) -> Half:
        """A half as it is to be sent. A script is rendered; if that does not tell all that it sends, and there can be a copy, it runs there.
        Raises MigsafeError."""
        rendered = self._renderer.render_half(half, forecast)
        if half.program is None or copy is None or _tells_all(rendered):
            return rendered
        for _ in range(_MOST_TRIES):
            with copy() as connection:
                told = _Telling(connection, self._guard)
                if half.transaction is Transaction.FILE:
                    connection.execute("BEGIN")
                found = self._renderer.render_live(half, forecast, told.execute, _LONGEST)
            if told.failure is None or not self._mend(told.failure):
                break
        return found if _is_sure(found) else max(found, rendered, key=_known)


class _Telling:
    """A server that tells a script what came of its statements. `failure` is the last refusal."""

    def __init__(self, connection: "Connection[Any]", guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self.failure: Failure | None = None

    def execute(self, sql: str) -> ExecutionResult | list[str]:
        """Execute a statement."""
        cut = ""
        try:
            with self._guard(self._connection) as leash:
                try:
                    cursor = self._connection.execute(sql.encode())
                finally:
                    cut = leash.stop_reason
        except error_class() as error:
            self.failure = failure_of(error, cut)
            return [self.failure.sqlstate, self.failure.message]
        columns = [column.name for column in cursor.description or ()]
        return pack_result(columns, cursor.fetchall() if columns else [], cursor.rowcount)


def _tells_all(half: Half) -> bool:
    """Whether all that a script sends is known, and that it sends it: what catches errors goes by what a server says."""
    return half.program is None or (_known(half) == len(half.program.calls) and _CATCHES not in half.program.script.text)


def _is_sure(half: Half) -> bool:
    """Whether nothing that is not here has decided what was sent."""
    return half.program is None or all(call.certain for call in half.program.calls)


def _known(half: Half) -> int:
    """How many of its calls can be sent."""
    calls = half.program.calls if half.program is not None else ()
    return sum(
        call.certain
        and not call.opaque
        and not call.unknown_part
        and MARK_START not in half.script.text[call.sql_span.start : call.sql_span.end]
        for call in calls
    )
