"""six, with which code of the time of Python 2 runs on Python 3 (https://six.readthedocs.io)."""

import builtins
import functools
import io
import itertools
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from migsafe.rendering.worker.plugins.plugin import Plugin


def _add_metaclass(metaclass: type) -> Callable[[type], type]:
    def decorate(cls: type) -> type:
        names = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        decorated: type = metaclass(cls.__name__, cls.__bases__, names)
        return decorated

    return decorate


def _with_metaclass(metaclass: type, *bases: type) -> type:
    base: type = metaclass("temporary_class", bases or (object,), {})
    return base


def _keys(values: Mapping[Any, Any]) -> Iterator[Any]:
    return iter(values.keys())


def _values(values: Mapping[Any, Any]) -> Iterator[Any]:
    return iter(values.values())


def _items(values: Mapping[Any, Any]) -> Iterator[Any]:
    return iter(values.items())


def _ensure_text(text: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    return text.decode(encoding, errors) if isinstance(text, bytes) else text


def _ensure_binary(text: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    return text if isinstance(text, bytes) else text.encode(encoding, errors)


_MOVES: dict[str, Any] = {
    **{name: getattr(builtins, name) for name in ("range", "zip", "map", "filter", "input")},
    "xrange": range,
    "reduce": functools.reduce,
    "zip_longest": itertools.zip_longest,
    "StringIO": io.StringIO,
    "urllib": urllib,
}

PLUGIN = Plugin(
    packages=("six",),
    names={
        **_MOVES,
        "moves": SimpleNamespace(**_MOVES),
        "PY2": False,
        "PY3": True,
        "string_types": (str,),
        "integer_types": (int,),
        "class_types": (type,),
        "text_type": str,
        "binary_type": bytes,
        "add_metaclass": _add_metaclass,
        "with_metaclass": _with_metaclass,
        "iterkeys": _keys,
        "itervalues": _values,
        "iteritems": _items,
        "viewkeys": _keys,
        "viewvalues": _values,
        "viewitems": _items,
        "next": next,
        "u": str,
        "ensure_text": _ensure_text,
        "ensure_str": _ensure_text,
        "ensure_binary": _ensure_binary,
        "python_2_unicode_compatible": lambda cls: cls,
    },
)
