"""Classes whose base class is unknown, because the package that has it is not installed.

What the class does not define itself is unknown. If SQLAlchemy uses the class as the type of a column, it is the type that the base class is
known for, or an unknown type.
"""

import builtins
from abc import ABCMeta
from collections.abc import Iterator
from typing import Any

from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.sqlalchemy_internals import IS_TYPE, is_in_sqlalchemy
from migsafe.rendering.worker.unknown import Unknown, name_of, reason_of, run_of

_MODEL_ATTRIBUTES = frozenset(("__table__", "__tablename__", "__mapper__"))
"""Attributes that the base of a model may define."""

_PLAIN = (str, int, float, bool)
"""The types of defaults that settings may have where nothing sets them."""


class InertClass(ABCMeta):
    """The class of such classes: their attributes are unknown, too."""

    _migsafe_base: Unknown

    def __getattr__(cls, name: str) -> Any:
        return _attribute(cls._migsafe_base, cls.__name__, name)

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        """Returns an object of the class; a type, for SQLAlchemy and if the class can be nothing else."""
        implementation = cls._implementation()
        if implementation is not None:
            return implementation() if isinstance(implementation, type) else implementation
        known = run_of(cls._migsafe_base).known_type(cls._migsafe_base, arguments, named)
        if known is not None:
            return known
        if is_in_sqlalchemy(caller()):
            return _as_type(cls._migsafe_base, cls.__name__)  # SQLAlchemy calls a type class to create the type
        return super().__call__(*arguments, **named)

    def _implementation(cls) -> Any:
        """Returns the `impl` of a type decorator."""
        implementation = next((vars(base)["impl"] for base in cls.__mro__ if "impl" in vars(base)), None)
        return None if isinstance(implementation, Unknown) or not hasattr(implementation, IS_TYPE) else implementation


class Inert(metaclass=InertClass):
    """The base of classes whose base is unknown."""

    _migsafe_base: Unknown

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __init_subclass__(cls, **_: object) -> None:
        # The fields of settings, which only their base would turn into values.
        for name, value in list(vars(cls).items()):
            if type(value).__name__ == "FieldInfo":
                default = getattr(value, "default", None)
                setattr(cls, name, default if type(default) in _PLAIN else _unknown(cls._migsafe_base, f"{cls.__name__}.{name}"))

    def __getattr__(self, name: str) -> Any:
        return _attribute(self._migsafe_base, type(self).__name__, name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Returns an unknown value; the type, for SQLAlchemy."""
        if is_in_sqlalchemy(caller()):
            return _as_type(self._migsafe_base, type(self).__name__)
        return _unknown(self._migsafe_base, type(self).__name__)(*arguments, **named)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getitem__(self, key: Any) -> Any:
        return _unknown(self._migsafe_base, type(self).__name__)[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(_unknown(self._migsafe_base, type(self).__name__))


def inert_base(value: Unknown) -> type:
    """Returns the base class that replaces an unknown one."""
    return InertClass("Inert", (Inert,), {"_migsafe_base": value})


def build_class(body: Any, name: str, *bases: Any, **named: Any) -> Any:
    """Builds a class. A base whose own base is unknown may have to be combined with one that has a metaclass, such as a model's: then its
    attributes are taken over, and the unknown base is left out."""
    try:
        return builtins.__build_class__(body, name, *bases, **named)
    except TypeError as error:
        if "metaclass conflict" not in str(error) or not any(isinstance(base, InertClass) for base in bases):
            raise
    known = tuple(mixin_of(base) if isinstance(base, InertClass) else base for base in bases)
    return builtins.__build_class__(body, name, *known, **named)


def mixin_of(base: InertClass) -> type:
    """Returns a class with the attributes that are known of one whose base is unknown."""
    attributes: dict[str, Any] = {}
    for cls in reversed(base.__mro__):
        if cls is not object and cls is not Inert and "_migsafe_base" not in vars(cls):
            attributes |= {name: value for name, value in vars(cls).items() if not name.startswith("__") and not name.startswith("_abc_")}
    return type(base.__name__, (), attributes)


def unknown_of(value: Any) -> Unknown | None:
    """Returns what is unknown of a class whose base is unknown, or of an object of such a class; None for other values."""
    cls = value if isinstance(value, InertClass) else type(value)
    return _unknown(cls._migsafe_base, cls.__name__) if isinstance(cls, InertClass) and cls is not Inert else None


def _unknown(base: Unknown, name: str) -> Unknown:
    """Returns an unknown value named after a class, in the package of its base."""
    return Unknown(run_of(base), f"{name_of(base).partition('.')[0]}.{name}", reason_of(base))


def _attribute(base: Unknown, owner: str, name: str) -> Any:
    if name == IS_TYPE:
        return True
    if (name.startswith("__") and name not in _MODEL_ATTRIBUTES) or is_in_sqlalchemy(caller(2)):
        raise AttributeError(f"{owner!r} has no attribute {name!r}")
    return _unknown(base, f"{owner}.{name}")


def _as_type(base: Unknown, name: str) -> object:
    run = run_of(base)
    known = run.known_type(base, (), {})
    return known if known is not None else run.as_type(_unknown(base, name))
