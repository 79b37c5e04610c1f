"""Values that are unknown before the migration runs.

An unknown value replaces a module that cannot be imported here, a row that only a database has, or an environment variable of production. It
can be used like any object: its attributes, items and results are unknown, too. It is a string, `⟨name⟩`, so that it is visible in SQL that is
built from it. If the script makes a decision based on it, the run chooses the result, and later runs choose the other one.
"""

import logging
import os
import re
from collections.abc import Callable, Generator, Iterator
from enum import EnumMeta
from types import FrameType, FunctionType
from typing import Any, ClassVar, Protocol

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.frames import caller, transparent, unpack_count
from migsafe.rendering.worker.sqlalchemy_internals import DISPATCH, IS_TYPE

_TO_LIBRARIES = {DISPATCH: "compile_as_type", IS_TYPE: "can_be_type"}
_LOGGING = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "getLogger", "get_logger"))
"""Functions that only log or print messages."""
_LOG_FILES = os.path.dirname(logging.__file__) + os.sep  # noqa: PTH120  # a path of a code object is a string
"""Where the code of Python's logging is: the SQL does not depend on what it asks of a formatter or a filter."""

_QUOTES = str.maketrans("", "", "'\"⟨⟩\\$;\n\r%")
"""Characters that a mark must not add to SQL."""
_LONGEST = 60


MARK = re.compile(r"⟨[^⟩]*⟩")
"""A mark in a text."""
_COLLECTIONS: tuple[type, ...] = (list, tuple, set, frozenset, dict, type({}.keys()), type({}.values()))


class UnknownOwner(Protocol):
    """The run that unknown values belong to."""

    active: bool
    """Whether the requested function runs; before that, the script is being loaded."""

    def is_project_frame(self, frame: FrameType) -> bool:
        """Whether a frame belongs to the script or to code of its project."""

    def decide(self, frame: FrameType, name: str = "", reason: str = "", *, about_rows: bool = False) -> bool:
        """Returns the decision at a fork: about the value of a name that is unknown for a reason, or whether a query returns rows."""

    def note_call(self, value: "Unknown", frame: FrameType, arguments: tuple[Any, ...]) -> None:
        """Records a call."""

    def note_change(self, value: "Unknown", frame: FrameType) -> None:
        """Records a change of an unknown object."""

    def note_library_use(self, value: "Unknown") -> None:
        """Records that a library depends on the value."""

    def known_type(self, value: "Unknown", arguments: tuple[Any, ...], named: dict[str, Any]) -> object:
        """Returns the type that a call of the value returns, if it is known."""

    def send_through(self, value: "Unknown", arguments: tuple[Any, ...]) -> object:
        """Sends the SQL that a method of an unknown connection or session sends; returns its result, None if the SQL is not known."""

    def as_base(self, value: "Unknown") -> type:
        """Returns a base class for classes in place of the value."""

    def as_type(self, value: "Unknown") -> object:
        """Returns a type for SQLAlchemy in place of the value."""

    def note_mark(self, mark: str, reason: str) -> None:
        """Records why a value is unknown."""

    def add_uncertainty(self, delta: int) -> None:
        """Enters (1) or leaves (-1) code that runs an unknown number of times."""


class _Forgetful(dict[Any, Any]):
    """A dictionary that stays empty."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


class Unknown(str):
    """An unknown value, with its `name` and the reason why it is unknown, as the end of a sentence."""

    def __new__(cls, run: UnknownOwner, name: str, reason: str, truth: bool | None = None) -> "Unknown":
        """Creates a value; `truth` is its truth value, if that is known."""
        name = name.translate(_QUOTES)
        mark = f"⟨{name}⟩" if len(name) <= _LONGEST else f"⟨…{name[1 - _LONGEST :]}⟩"
        value = super().__new__(cls, mark)
        vars(value).update(_run=run, _name=name, _reason=reason, _truth=truth)
        run.note_mark(mark, reason)
        return value

    def __getattribute__(self, name: str) -> Any:
        special = name.startswith("__") and name.endswith("__") and name not in ("__name__", "__qualname__")
        if special and hasattr(Unknown, name):
            return super().__getattribute__(name)
        known = object.__getattribute__(self, "__dict__")
        run = known["_run"]
        if not run.is_project_frame(caller()):
            if name in ("__name__", "__qualname__"):
                return str(known["_name"]).rpartition(".")[2]
            # Libraries use it as a string, or as a type.
            return super().__getattribute__(_TO_LIBRARIES.get(name, name))
        if name == "name" and str(known["_name"]).endswith(".dialect"):
            return "postgresql"  # whatever the engine is, the migration runs on PostgreSQL
        return Unknown(run, f"{known['_name']}.{name}", known["_reason"])

    # What SQLAlchemy requires of a type, and of a value whose changes it follows

    _parents: ClassVar[dict[Any, Any]] = _Forgetful()

    def compile_as_type(self, *_: object, **__: object) -> str:
        """Returns its name, as that of a type."""
        return f'"{str.__str__(self)}"'

    @property
    def can_be_type(self) -> bool:
        """Returns that it may be a type."""
        return True

    # What a script does with it

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Returns an unknown value."""
        frame = caller()
        run, name = run_of(self), name_of(self)
        known = run.known_type(self, arguments, named) if run.is_project_frame(frame) else None
        if known is not None:
            return known
        if len(arguments) == 1 and not named and _is_decorated(arguments[0], name) and not run.active:
            return arguments[0]
        sent = run.send_through(self, arguments)
        if sent is not None:
            return sent
        if name.rpartition(".")[2] not in _LOGGING:
            run.note_call(self, frame, (*arguments, *named.values()))
        if not run.is_project_frame(frame):
            return run.as_type(self)  # SQLAlchemy calls a type class to create the type
        return Unknown(run, f"{name.removesuffix('()')}()", reason_of(self))

    def __setattr__(self, name: str, value: object) -> None:
        run_of(self).note_change(self, caller())

    def __setitem__(self, key: object, value: object) -> None:
        if reason_of(self) != DATABASE_ONLY:  # the copy of a value of a row
            run_of(self).note_change(self, caller())

    def __delitem__(self, key: object) -> None:
        pass

    def __getitem__(self, key: Any) -> "Unknown":
        shown = key if isinstance(key, str) and not isinstance(key, Unknown) else key if isinstance(key, int) else "…"
        return Unknown(run_of(self), f"{name_of(self)}[{shown}]", reason_of(self))

    def __bool__(self) -> bool:
        frame = caller()
        run = run_of(self)
        truth = truth_of(self)
        if truth is not None:
            return bool(truth)
        if run.is_project_frame(frame):
            return run.decide(frame, name_of(self), reason_of(self))
        if not frame.f_code.co_filename.startswith(_LOG_FILES):
            run.note_library_use(self)
        return True

    def __iter__(self) -> Iterator[Any]:
        number = unpack_count(caller())
        if number is not None:
            return iter([self[position] for position in range(number)])
        return _once(self)

    def __contains__(self, item: object) -> bool:
        frame = caller()
        return run_of(self).decide(frame, name_of(self), reason_of(self)) if run_of(self).is_project_frame(frame) else False

    def __len__(self) -> int:
        return 1

    def __int__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        return _derive(self) if run_of(self).is_project_frame(caller()) else str.__eq__(self, other) is True

    def __ne__(self, other: object) -> Any:
        if self is other:
            return False
        return _derive(self) if run_of(self).is_project_frame(caller()) else str.__ne__(self, other) is True

    def __enter__(self) -> "Unknown":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> "Unknown":
        return self

    async def __aexit__(self, *_: object) -> bool:
        return False

    def __await__(self) -> Generator[Any, None, "Unknown"]:
        return self
        yield

    async def __aiter__(self) -> Any:
        for item in self:
            yield item

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (run_of(self).as_base(self),) if not any(isinstance(base, type) for base in bases) else ()

    def __instancecheck__(self, _: object) -> bool:
        return False

    def __subclasscheck__(self, _: object) -> bool:
        return False

    def __copy__(self) -> "Unknown":
        return self

    def __deepcopy__(self, _: object) -> "Unknown":
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        return str, (str.__str__(self),)

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return str.__str__(self)

    def __format__(self, _: str) -> str:
        return str.__str__(self)


def _is_decorated(argument: Any, name: str) -> bool:
    """Whether a call of this name can be that of a decorator: it gets a function or class. A class that is called with an Enum is a type."""
    is_type = isinstance(argument, EnumMeta) and name.rpartition(".")[2][:1].isupper()
    return isinstance(argument, FunctionType | type) and not is_type


def vars_of(value: Unknown) -> dict[str, Any]:
    """Returns the attributes of an unknown value."""
    attributes: dict[str, Any] = object.__getattribute__(value, "__dict__")
    return attributes


def run_of(value: Unknown) -> UnknownOwner:
    """Returns the run that an unknown value belongs to."""
    run: UnknownOwner = vars_of(value)["_run"]
    return run


def name_of(value: Unknown) -> str:
    """Returns the name of an unknown value."""
    return str(vars_of(value)["_name"])


def reason_of(value: Unknown) -> str:
    """Returns why a value is unknown."""
    return str(vars_of(value)["_reason"])


def truth_of(value: Unknown) -> bool | None:
    """Returns the truth value of an unknown value, if that is known."""
    truth: bool | None = vars_of(value)["_truth"]
    return truth


def unknown_like(value: Unknown, name: str, truth: bool | None = None) -> Unknown:
    """Returns another value that is unknown for the same reason."""
    return Unknown(run_of(value), name, reason_of(value), truth)


@transparent
def contains(item: object, container: Any) -> bool:
    """Returns `item in container` for a script; if that is unknown, the run decides."""
    frame = caller()
    if isinstance(container, Unknown):
        return run_of(container).decide(frame, name_of(container), reason_of(container))
    if item in container:
        return True
    if type(container) not in _COLLECTIONS or not container:
        return False  # the container has decided itself
    unknown = next((member for member in (item, *container) if isinstance(member, Unknown)), None)
    return unknown is not None and run_of(unknown).decide(frame, name_of(unknown), reason_of(unknown))


def _once(self: Unknown) -> Generator[Unknown]:
    run = run_of(self)
    run.add_uncertainty(1)
    try:
        yield unknown_like(self, f"{name_of(self)}[…]")
    finally:
        run.add_uncertainty(-1)


def _derive(self: Unknown, *_: object) -> Unknown:
    return unknown_like(self, name_of(self))


def _join(self: Unknown, other: object) -> Any:
    if isinstance(other, Unknown):
        return unknown_like(self, f"{name_of(self)} + {name_of(other)}")  # a sum of numbers can be 0
    return str.__str__(self) + other if isinstance(other, str) else _derive(self)


def _join_behind(self: Unknown, other: object) -> Any:
    return other + str.__str__(self) if isinstance(other, str) else _derive(self)


_DERIVING = (
    *("sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "floordiv", "rfloordiv", "mod", "rmod", "pow", "rpow", "and", "rand"),
    *("or", "ror", "xor", "rxor", "lshift", "rlshift", "rshift", "rrshift", "matmul", "rmatmul", "neg", "pos", "abs", "invert"),
    *("lt", "le", "gt", "ge", "round"),
)


def _fill_in() -> None:
    for name in _DERIVING:
        setattr(Unknown, f"__{name}__", _derive)
    more: dict[str, Callable[..., Any]] = {"__add__": _join, "__radd__": _join_behind}
    for name, function in more.items():
        setattr(Unknown, name, function)


_fill_in()
