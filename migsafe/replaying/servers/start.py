"""The start of a server in a thread, while the command reads its files."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from migsafe.replaying.servers.host import Host


class Start:
    """The start of the server that `choose` returns; the server stops at the end of the `with` block, even if nothing waited for its start.

    `host` is None until the server has been chosen.
    """

    def __init__(self, choose: Callable[[], Host]) -> None:
        self.host: Host | None = None
        self._choose = choose
        self._started: Host | None = None
        self._error: BaseException | None = None
        # A daemon, so that the third signal ends the process although the server is still starting.
        self._thread = threading.Thread(target=self._run, name="migsafe-start", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread.ident is not None:
            self._thread.join()
        if self._started is not None:
            self._started.__exit__(kind, error, trace)

    def begin(self) -> None:
        """Begins to start the server in the thread."""
        self._thread.start()

    def wait(self) -> Host:
        """Returns the running server; starts it if that has not begun. Raises MigsafeError if there is none, or if it does not start."""
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join()
        if self._started is None:
            assert self._error is not None
            raise self._error
        return self._started

    def _run(self) -> None:
        try:
            self.host = self._choose()
            self._started = self.host.__enter__()
        except BaseException as error:  # `wait` raises it in the thread of the command
            self._error = error
