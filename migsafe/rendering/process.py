"""The worker process, in which programs run."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from migsafe.errors import MigsafeError
from migsafe.rendering.messages import (
    Answer,
    FromWorker,
    Location,
    Question,
    Ready,
    RenderRequest,
    RenderResult,
    StartFailed,
    WorkerFailed,
    read_from_worker,
    write,
)
from migsafe.rendering.worker_environment import worker_environment
from migsafe.terminal.output import DEBUG

_START = 60.0
_GRACE = 1.0
_BEGIN = "import sys; sys.path[:] = {path!r}; from migsafe.rendering.worker.__main__ import main; sys.exit(main())"


class WorkerProcess:
    """A process that renders one script after the other. Raises MigsafeError if it cannot start."""

    def __init__(self) -> None:
        self.started_ns = time.time_ns()
        path = [entry or str(Path.cwd()) for entry in sys.path]
        self._process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-P", "-s", "-B", "-c", _BEGIN.format(path=path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if DEBUG in os.environ else subprocess.DEVNULL,
            env=worker_environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._received: queue.SimpleQueue[FromWorker | Exception] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()
        self.needs_restart = False
        try:
            ready = self._receive(_START)
        except (WorkerFailed, KeyboardInterrupt) as error:
            self.end()
            if isinstance(error, KeyboardInterrupt):
                raise
            raise MigsafeError(f"scripts in Python cannot be rendered: {error.reason}") from error
        if not isinstance(ready, Ready):
            self.end()
            why = ready.reason if isinstance(ready, StartFailed) else "unexpected reply from the worker process"
            raise MigsafeError(f"scripts in Python cannot be rendered: {why}", "Install migsafe with Alembic and SQLAlchemy.")
        self.versions = ready.versions
        self.dependencies = [ready.dependencies]
        """Its dependencies so far."""

    def render(self, request: RenderRequest, answer: Callable[[Question], Answer]) -> RenderResult:
        """Renders a script, and answers its questions. Raises WorkerFailed."""
        location: Location | None = None
        remaining = request.seconds + _GRACE
        self._send(request, location)
        while True:
            began = time.monotonic()
            try:
                message = self._receive(remaining)
            except WorkerFailed as error:
                raise WorkerFailed(error.reason, location) from error
            remaining -= time.monotonic() - began
            match message:
                case RenderResult():
                    self.needs_restart = message.needs_restart
                    if message.dependencies:
                        self.dependencies.append(message.dependencies)
                    return message
                case Question():
                    self._send(answer(message), location)
                case Location():
                    location = message
                case _:
                    raise WorkerFailed("unexpected reply from the worker process", location)

    def end(self) -> None:
        """Ends the process, and those that it has started."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None and (pipe is not self._process.stdout or not self._listener.is_alive()):
                    pipe.close()
        self._listener.join(_GRACE)

    def _send(self, message: RenderRequest | Answer, location: Location | None) -> None:
        try:
            write(self._out, message)
        except OSError as error:
            raise WorkerFailed("the worker process has ended", location) from error

    def _receive(self, seconds: float) -> FromWorker:
        try:
            message = self._received.get(timeout=max(seconds, 0.01))
        except queue.Empty:
            raise WorkerFailed("it exceeds the time limit") from None
        if isinstance(message, EOFError):
            raise WorkerFailed("it ends its worker process") from message
        if isinstance(message, Exception):
            raise WorkerFailed("unexpected reply from the worker process") from message
        return message

    def _listen(self, pipe: BinaryIO) -> None:
        try:
            while True:
                self._received.put(read_from_worker(pipe))
        except Exception as error:  # a broken worker may send anything
            self._received.put(error)
        finally:
            with contextlib.suppress(OSError):
                pipe.close()
