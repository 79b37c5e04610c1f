"""Modules that are written for a newer Python than the one that runs migsafe."""

import ast
from textwrap import dedent
from typing import TypeVar

import pytest

from migsafe.newer_syntax import as_older_python
from tests.rendering.conftest import Render, called, sent


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
        "try:\n    1 / 0\nexcept ValueError, ZeroDivisionError:\n    pass",
    ],
)
def test_newer_syntax_is_rewritten(source: str) -> None:
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


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("""f"{d["x"]}\'{{}}" """, "1'{}"),
        ("""f'{f'{d["x"]}'}b'""", "1b"),
        (r"""f"{'\n'.join('ab')}" """, "a\nb"),
        ("""f"{d["x"]!r:>{d["w"]}}|{d["x"]:x}" """, "    1|1"),
        ('f"""{\n d["x"] # a comment\n}\n"q" """', '1\n"q" '),
        ("""("a"\n  f"{d["x"]}"\n  "b")""", "a1b"),
    ],
)
def test_strings_in_newer_syntax_have_the_same_value(literal: str, value: str) -> None:
    source = f"d = {{'x': 1, 'w': 5}}\nresult = {literal}\nlast = 1\n"
    text = as_older_python(source).text
    names: dict[str, object] = {}
    exec(compile(text, "models.py", "exec"), names)
    assert names["result"] == value
    assert text.count("\n") == source.count("\n")


@pytest.mark.process
def test_a_script_in_newer_syntax_is_rendered(render: Render) -> None:
    half = render("""op.execute(f"DROP TABLE {NAMES["a"]}")\nop.execute("SELECT 1")""", before="NAMES = {'a': 'orders'}")
    assert sent(half) == ["DROP TABLE orders;", "SELECT 1;"]
    assert called(half)[1] == 'op.execute("SELECT 1")'
