"""The server of a command. This module imports little, because a server starts while the rest is imported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from migsafe.cli.interruption import ended_by_signals
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host, is_quick_to_start
from migsafe.replaying.servers.start import Start
from migsafe.replaying.servers.unready import UnreadyHost
from migsafe.terminal.output import show_error
from migsafe.terminal.progress import Status


@contextmanager
def running_host(
    server: ServerOptions, usual_version: int, request: Callable[[], bool] | None = None
) -> Iterator[Callable[[], tuple[Host, Callable[[str], None]]]]:
    """Runs a server, which ends with the `with` block and by a signal. Yields a function that waits for it, and returns it with a function that
    shows the progress; it raises MigsafeError. A private server starts in a thread, a copy or a connection begins with the call. Tells what
    was removed or remains of this run and of those that were killed. `request` is called by a signal and returns whether the block ends by
    itself; with it, a signal while the function waits ends the wait, and the function returns a host without a server, for the report."""
    status = Status()

    def wait(start: Start) -> tuple[Host, Callable[[str], None]]:
        try:
            return start.wait(), status.show
        except KeyboardInterrupt:
            if request is None:
                raise
            return UnreadyHost(usual_version), status.show

    with ended_by_signals(request or (lambda: False)):
        start = Start(lambda: choose_host(server, usual_version))
        try:
            with start:
                if is_quick_to_start(server):
                    start.begin()
                yield lambda: wait(start)
                status.show("")
        finally:
            for note in start.host.notes if start.host is not None else ():
                show_error(note)
