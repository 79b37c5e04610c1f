"""The end of a command by a signal."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_FORCES = 3


@contextmanager
def ended_by_signals(request: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the block as Ctrl-C does, so that it removes what it has created. While it does so, the next signal has no
    effect but a message, because impatience would leave databases behind; the third one ends the block at once.

    `request` is called first, and returns whether the block ends by itself, so that KeyboardInterrupt is not raised in it.

    A signal that is ignored from the start, as under nohup, remains ignored. Outside the main thread this does nothing.
    """
    count = 0

    def end(number: int, frame: object) -> None:
        nonlocal count
        count += 1
        if count == 1 and request():
            return
        if count == 1 or count >= _FORCES:
            raise KeyboardInterrupt
        print("migsafe: removing what the replay has created; the same signal again leaves it behind", file=sys.stderr, flush=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
