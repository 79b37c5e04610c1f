"""The environment variables that a script reads: those of production are unknown here."""

import os
from types import TracebackType
from typing import Any

from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown, UnknownOwner

_REASON = "which is an environment variable that is not set here"


class EnvironmentVariables:
    """While a script runs, a variable that is not set here is an unknown value; one that is read with a default has the default."""

    def __init__(self, run: Run, owner: UnknownOwner) -> None:
        self._run, self._owner = run, owner
        self._getitem = type(os.environ).__getitem__

    def __enter__(self) -> None:
        run, owner, getitem = self._run, self._owner, self._getitem

        def get(variables: Any, name: str) -> Any:
            try:
                return getitem(variables, name)
            except KeyError:
                if run.is_project_frame(caller()):
                    return Unknown(owner, name, _REASON)
                raise

        type(os.environ).__getitem__ = get  # type: ignore[method-assign]

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        type(os.environ).__getitem__ = self._getitem  # type: ignore[method-assign]
