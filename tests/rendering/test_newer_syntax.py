"""Modules that are written for a newer Python than the one that runs migsafe."""

import ast
from textwrap import dedent
from typing import TypeVar

import pytest

from migsafe.newer_syntax import as_older_python


def names_of(source: str) -> dict[str, object]:
    """Returns the names that a module defines when it runs in older syntax."""
    older = as_older_python(dedent(source))
    names: dict[str, object] = {name: TypeVar(name) for name in older.type_parameters}
    exec(compile(older.text, "models.py", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize(
    "source",
    [
        "type Json = dict[str, Json]",
        "type Pair[A, B] = tuple[\n    A,\n    B,\n]",
        "class Box[T]:\n    def get[U](self, key: U) -> T: ...",
        "class Box[T: (int, str), *Rest, **P]: ...",
        "class Base: ...\nclass Box[T](Base): ...",
        "class Base: ...\nclass Box[T](\n    Base,\n): ...",
        "class Box[T](metaclass=type): ...",
        "class Box[T](): ...",
        "class Box[T]: ...\nclass Small[T](Box[T]): ...\nSmall[int]",
        "async def load[T = int](key: T) -> T: ...",
    ],
)
def test_type_parameters_are_rewritten(source: str) -> None:
    assert names_of(source)


def test_lines_stay_where_they_are() -> None:
    source = "type Pair[A] = tuple[\n    A,\n]\nclass Box[\n    T,\n](object): ...\nlast = 1\n"
    [*_, last] = ast.parse(as_older_python(source).text).body
    assert last.lineno == 7


@pytest.mark.parametrize(
    "source", ["type = 3\ntype(5)\n", "x = {'type': 1}\n", "def f(type: int) -> None: ...\n", "x = 'unfinished\n", "a[0]\n"]
)
def test_other_code_is_unchanged(source: str) -> None:
    assert as_older_python(source) == (source, ())
