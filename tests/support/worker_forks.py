"""Workers that start as quickly as a fork: a process that has loaded Alembic and SQLAlchemy forks for each renderer of a test.

A fork has the environment, folder, module path, session and pipes that a new process would have, and runs the same `main`. What a new process
loads is for tests that start the command line, whose workers are not forks.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

import pytest

from migsafe.rendering import process
from migsafe.rendering.worker_environment import worker_environment
from migsafe.terminal.output import DEBUG

_BEGIN = "import sys; sys.path[:] = {path!r}; from tests.support.worker_forks import serve; serve({number})"
_PATH_END = "; from migsafe.rendering.worker.__main__"
_MOST_BYTES = 1 << 20


class ForkedWorker:
    """A worker, with the part of the interface of `Popen` that a renderer uses."""

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        try:
            self._ended: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended = None

    def poll(self) -> int | None:
        """Returns a code if the process has ended."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits until the process has ended."""
        if self._ended is not None:
            if not select.select([self._ended], [], [], timeout)[0]:
                return None
            os.close(self._ended)
            self._ended = None
        return 0


class WorkerForks:
    """Stands in for the module `subprocess` where renderers start their workers."""

    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def Popen(self, command: Sequence[str], *, env: Mapping[str, str], **options: object) -> "ForkedWorker | subprocess.Popen[bytes]":  # noqa: N802
        """Starts a worker: by a fork, unless a test looks at its messages."""
        if DEBUG in os.environ or _PATH_END not in command[-1]:
            return subprocess.Popen(command, env=env, **options)  # type: ignore[call-overload,no-any-return]
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        request = {"environment": dict(env), "folder": os.getcwd(), "begin": command[-1].partition(_PATH_END)[0]}  # noqa: PTH109
        requests = self._start()
        socket.send_fds(requests, [json.dumps(request).encode()], [theirs_in, theirs_out])
        os.close(theirs_in)
        os.close(theirs_out)
        return ForkedWorker(int(requests.recv(32)), os.fdopen(ours_in, "wb"), os.fdopen(ours_out, "rb"))

    def _start(self) -> socket.socket:
        if self._requests is None:
            self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            begin = _BEGIN.format(path=[entry or os.getcwd() for entry in sys.path], number=theirs.fileno())  # noqa: PTH109
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-B", "-c", begin],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=worker_environment(),
            )
            theirs.close()
        return self._requests

    def close(self) -> None:
        """Ends the process that forks."""
        if self._requests is not None and self._process is not None:
            self._requests.close()
            self._process.wait()


@contextmanager
def forked_workers() -> Iterator[None]:
    """The renderers of this process have forks as workers, on Linux."""
    if sys.platform != "linux":
        yield
        return
    forks = WorkerForks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "subprocess", forks)
        yield
    forks.close()


def serve(number: int) -> None:
    """Forks for each request until the socket is closed."""
    from migsafe.rendering.worker import service  # noqa: F401, PLC0415  # loads Alembic and SQLAlchemy

    with socket.socket(fileno=number) as requests:
        while True:
            message, pipes, _, _ = socket.recv_fds(requests, _MOST_BYTES, 2)
            _wait_for_ended(at_end=not message)
            if not message:
                return
            pid = os.fork()
            if not pid:
                requests.close()
                sys.exit(_work(json.loads(message), pipes))
            for pipe in pipes:
                os.close(pipe)
            requests.send(str(pid).encode())


def _wait_for_ended(*, at_end: bool) -> None:
    """Takes note of the workers that have ended; at the end, waits for all of them."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, 0 if at_end else os.WNOHANG)[0]:
            pass


def _work(request: dict[str, object], pipes: Sequence[int]) -> int:
    os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    time.tzset()
    os.chdir(str(request["folder"]))
    for target, pipe in enumerate(pipes):
        os.dup2(pipe, target)
        os.close(pipe)
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 2)
    exec(str(request["begin"]))
    from migsafe.rendering.worker.__main__ import main  # noqa: PLC0415

    return main()
