"""The environment variables that a script reads: those of production are unknown here."""

import os
from collections import abc
from types import FrameType, TracebackType
from typing import Any

from migsafe.rendering.worker.frames import caller, calling_frame
from migsafe.rendering.worker.project import keep_environment
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown, UnknownOwner

_REASON = "which is an environment variable that is not set here"
_PYTHON = frozenset((os.getenv.__code__.co_filename, abc.Mapping.get.__code__.co_filename))
"""The files of the functions between a script and `os.environ`, such as `os.getenv`."""


class EnvironmentVariables:
    """While a script runs, a variable that is not set here is an unknown value; one that is read with a default has the default. Whether it is
    set is a decision of the run."""

    def __init__(self, run: Run, owner: UnknownOwner) -> None:
        self._run, self._owner = run, owner
        self._class: Any = type(os.environ)
        self._getitem = self._class.__getitem__
        self._contains = self._class.__contains__

    def __enter__(self) -> None:
        run, owner, getitem, is_set = self._run, self._owner, self._getitem, self._contains

        def read(variables: Any, name: str) -> Any:
            try:
                return getitem(variables, name)
            except KeyError:
                if _reader(run) is not None:
                    return Unknown(owner, name, _REASON)
                raise

        def get(variables: Any, name: str, default: Any = None) -> Any:
            try:
                return getitem(variables, name)
            except KeyError:
                return Unknown(owner, name, _REASON) if default is None and _reader(run) is not None else default

        def has(variables: Any, name: object) -> bool:
            if is_set(variables, name):
                return True
            frame = _reader(run)
            return frame is not None and owner.decide(frame, str(name), _REASON)

        self._class.__getitem__, self._class.get, self._class.__contains__ = read, get, has

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        keep_environment()
        self._class.__getitem__, self._class.__contains__ = self._getitem, self._contains
        del self._class.get  # os.environ inherits it


def _reader(run: Run) -> FrameType | None:
    """Returns the frame of the project that reads a variable; None if a library does."""
    frame: FrameType | None = caller(2)
    while frame is not None and frame.f_code.co_filename in _PYTHON:
        frame = calling_frame(frame)
    return frame if frame is not None and run.is_project_frame(frame) else None
