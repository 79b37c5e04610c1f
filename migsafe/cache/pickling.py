"""Pickles of the state of a run, in which rules are replaced by those of the run that reads them."""

import gc
import io
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copyreg import dispatch_table
from types import FrameType
from typing import Any

from migsafe.linting.rule import Rule

_DEEPEST = 1000
"""The depth of calls within which pickling must succeed: each call takes some of the C stack."""


def _rule(name: str) -> Rule:
    """The reference to a rule in a pickle. The unpickler replaces it by the rule of its own run."""
    raise LookupError(name)


def _reduced_rule(rule: Rule) -> tuple[Any, ...]:
    return _rule, (rule.name,)


def _refused(thing: object) -> tuple[Any, ...]:
    raise pickle.PicklingError("an object that is compared by identity cannot be pickled")


def pickled(value: object) -> bytes | None:
    """Returns the pickle of objects; None if they cannot be pickled."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**dispatch_table, Rule: _reduced_rule, object: _refused}
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(_depth() + _DEEPEST)
        with _no_collection():
            pickler.dump(value)
    except Exception:  # a rule of the project may have noted any object
        return None
    finally:
        sys.setrecursionlimit(limit)
    return file.getvalue()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable garbage collection: pickling makes thousands of objects, and none of them is garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _depth() -> int:
    frame: FrameType | None = sys._getframe()
    number = 0
    while frame is not None:
        frame, number = frame.f_back, number + 1
    return number


def unpickled(data: bytes, rules: Mapping[str, Rule]) -> Any:
    """Returns the objects of a pickle, with these rules in place of those of the same names. Raises any exception for a pickle of another
    version."""
    with _no_collection():
        return _Unpickler(io.BytesIO(data), rules).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, rules: Mapping[str, Rule]) -> None:
        super().__init__(file)
        self._rules = rules

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (_rule.__module__, _rule.__name__):
            return self._rules.__getitem__
        return super().find_class(module, name)
