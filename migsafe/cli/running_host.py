"""The server of a command. This module imports little, because a server starts while the rest is imported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from migsafe.cli.interruption import ended_by_signals
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host, is_quick_to_start
from migsafe.replaying.servers.start import Start
from migsafe.terminal.output import show_error
from migsafe.terminal.progress import Status


@contextmanager
def running_host(
    server: ServerOptions, usual_version: int, request: Callable[[], bool] = lambda: False
) -> Iterator[Callable[[], tuple[Host, Callable[[str], None]]]]:
    """Runs a server, which ends with the `with` block and by a signal. Yields a function that waits for it, and returns it with a function that
    shows the progress; it raises MigsafeError. A private server starts in a thread, a copy or a connection begins with the call. Tells what
    was removed or remains of this run and of those that were killed. `request` is called by a signal and returns whether the block ends by
    itself."""
    status = Status()
    with ended_by_signals(request):
        start = Start(lambda: choose_host(server, usual_version))
        try:
            with start:
                if is_quick_to_start(server):
                    start.begin()
                yield lambda: (start.wait(), status.show)
                status.show("")
        finally:
            for note in start.host.notes if start.host is not None else ():
                show_error(note)
