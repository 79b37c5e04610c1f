"""Replacing functions of other packages while a recording lasts, at the moment when the tests import these packages.

A package is not imported to be changed: that would take time, and some packages must be imported in an order that only the tests know (gevent
before ssl).
"""

import sys
from collections.abc import Callable, Sequence
from functools import WRAPPER_ASSIGNMENTS
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Hook = Callable[[Any], None]
"""What is called with a module after it was imported."""


class Patches:
    """The functions that are replaced, and the modules whose import is awaited. `undo()` restores everything."""

    def __init__(self) -> None:
        self._hooks: dict[str, list[Hook]] = {}
        self._undo: list[Callable[[], None]] = []
        self._searched: set[str] = set()
        sys.meta_path.insert(0, self)
        self._undo.append(lambda: sys.meta_path.remove(self))

    def when_imported(self, module: str, hook: Hook) -> None:
        """Calls `hook` with the module when it is imported, or now if it has been imported."""
        if (loaded := sys.modules.get(module)) is not None and not getattr(getattr(loaded, "__spec__", None), "_initializing", False):
            hook(loaded)
        else:
            self._hooks.setdefault(module, []).append(hook)

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replaces the attribute `name` of a class or module with `make(original)`. Raises AttributeError if the owner does not define it."""
        original = vars(owner).get(name)
        if original is None:
            raise AttributeError(f"{owner.__module__ if isinstance(owner, type) else ''}.{owner.__name__}.{name}".lstrip("."))
        replacement = make(original)
        for attribute in WRAPPER_ASSIGNMENTS:
            if (value := getattr(original, attribute, None)) is not None:
                setattr(replacement, attribute, value)
        replacement.__wrapped__ = original
        setattr(owner, name, replacement)
        self.on_undo(lambda: setattr(owner, name, original))

    def on_undo(self, action: Callable[[], None]) -> None:
        """Calls `action` when the recording ends."""
        self._undo.append(action)

    def undo(self) -> None:
        """Restores what was replaced, the last first."""
        while self._undo:
            self._undo.pop()()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Returns the spec of an awaited module, as the other finders find it, with a loader that calls the hooks."""
        if name not in self._hooks or name in self._searched:
            return None
        self._searched.add(name)
        try:
            spec = find_spec(name)
        finally:
            self._searched.discard(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            for hook in self._hooks.pop(name, ()):
                hook(module)

        # The loader stays the same object: others ask it for sources and resources.
        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec
