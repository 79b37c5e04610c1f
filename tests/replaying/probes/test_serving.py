"""The thread that serves sessions ends each of them that loses its connection."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from migsafe.replaying.probes.serving import ServedSession, SessionThread
from migsafe.replaying.servers.server import Server
from tests.support.processes import within
from tests.support.servers import any_installation

pytestmark = pytest.mark.server


class _Asking(ServedSession):
    """A session that sends one query after the other."""

    def send(self) -> None:
        self.connection.pgconn.send_query(b"SELECT pg_sleep(0.001)")

    def take(self, results: Sequence[Any], now: float) -> None:
        if results and results[0].error_message:
            raise ConnectionError(results[0].error_message.decode())
        self.next_at = now


def test_all_sessions_end_when_the_server_crashes() -> None:
    with Server(any_installation()) as server:
        sessions = [_Asking(server.connect()) for _ in range(3)]
        thread = SessionThread("asking", sessions, grace=1.0)
        thread.start()
        # The server ends all other sessions, too, without a message.
        os.kill(sessions[0].pid, signal.SIGKILL)
        assert within(30, lambda: all(session.error for session in sessions))
        thread.stop()
