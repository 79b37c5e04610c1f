"""The readers of operations, and functions that they share."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import pglast

from migsafe.sql.operations import Expression, Name, Operation, Option, Query
from tests.sql.oracle.entry import Signature, UnmappedError, dotted
from tests.sql.oracle.shapes import expression_shape, query_shape, shape
from tests.sql.oracle.trees.registry import object_details, sequence_option

Reader = Callable[[Any], Signature]
READERS: dict[type[Operation], Reader] = {}


def reader(*kinds: type[Operation]) -> Callable[[Reader], Reader]:
    """Return a decorator that registers the reader of these operation classes."""

    def register(function: Reader) -> Reader:
        for kind in kinds:
            assert kind not in READERS, kind
            READERS[kind] = function
        return function

    return register


def operation(found: Operation) -> Signature:
    """The entries of one operation."""
    read = READERS.get(type(found))
    if read is None:
        raise UnmappedError(type(found).__name__)
    return read(found)


def name(found: Name | None) -> str | None:
    """A name."""
    return None if found is None else dotted((found.catalog, found.schema, found.name))


def names(found: Iterable[Name]) -> tuple[str | None, ...]:
    """Names in their order."""
    return tuple(name(item) for item in found)


def expression(label: str, found: Expression | None) -> dict[str, object]:
    """The details of an expression under a label."""
    if found is None:
        return {}
    return {label: expression_shape(found.sql), f"{label}: calls": sorted_names(found.calls), f"{label}: reads": sorted_names(found.reads)}


def sorted_names(found: Sequence[Name]) -> tuple[str, ...]:
    """Names, sorted."""
    return tuple(sorted(dotted((item.catalog, item.schema, item.name)) for item in found))


def query(found: Query) -> dict[str, object]:
    """The details of a query."""
    locks = found.row_locks
    return {
        "query": query_shape(found.sql),
        "calls": sorted_names(found.calls),
        "reads": sorted_names(found.reads),
        "locks_rows": None if locks is None else "of " + ", ".join(sorted_names(locks)),
        "filtered": found.filtered,
    }


_SIGN = re.compile(r"^-\s+")


def spaceless_sign(value: str) -> str:
    """Return a number as PostgreSQL reads it, without white space after its sign."""
    return _SIGN.sub("-", value)


def options(found: Iterable[Option]) -> tuple[str, ...]:
    """Return options as `name value`. PostgreSQL folds TRUE, OFF and so on, and keeps other words."""
    return tuple(item.name if item.value is None else f"{item.name} {spaceless_sign(item.value.lower())}" for item in found)


def sequence_options(found: Iterable[Option]) -> tuple[str, ...]:
    """A sequence's options, their values as PostgreSQL reads them."""
    return tuple(_sequence_option(item.name if item.value is None else f"{item.name} {item.value}") for item in found)


def _sequence_option(said: str) -> str:
    node = reparsed(f"ALTER SEQUENCE s {said}")
    return f"no option: {said}" if node is None else sequence_option(node.options[0])


@lru_cache(maxsize=4096)
def reparsed(sql: str) -> Any:
    """Return the tree of a statement around a text that an operation keeps; None where PostgreSQL rejects it."""
    try:
        (statement,) = pglast.parse_sql(sql)
    except (pglast.parser.ParseError, ValueError):
        return None
    return statement.stmt


def routine_arguments(kind: str, text: str | None) -> str | None:
    """Return the shape of the argument types of a routine or an operator, which an operation keeps as text."""
    if text is None:
        return None
    statement = reparsed(f"DROP {kind} {'+' if kind == 'operator' else 'f'}({text})")
    return f"no arguments: {text}" if statement is None else shape(statement.objects[0].objargs)


def detail(kind: str, text: str) -> dict[str, object]:
    """Return what identifies a cast, a transform, a user mapping or an operator class instead of a name, or in addition to it."""
    if not text:
        return {}
    if kind in ("operator class", "operator family"):
        return {"using": text.removeprefix("using ")}
    if kind == "user mapping":
        return {"of": text}
    if kind in ("cast", "transform"):
        statement = reparsed(f"DROP {kind} {text}")
        return {"of": f"no {kind}: {text}"} if statement is None else object_details(statement.removeType, statement.objects[0])[1]
    return {"detail": text}


def object_kind(kind: str) -> str:
    """A kind of object; users and groups are roles."""
    return "role" if kind in ("user", "group") else kind
