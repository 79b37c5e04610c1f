"""Which of several functions of one name a call runs (manual, 10.3, Function Type Resolution)."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

from migsafe.schema.objects import Function
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import NUMBER, STRINGS
from migsafe.sql.split import MetaCommand, split
from migsafe.sql.string_constants import NotConstantError, evaluate, list_items

_CHARACTERS = frozenset(("text", "character varying", "character"))
_WIDER = {"integer": ("integer", "bigint", "numeric", "double precision", "real", "oid"), "numeric": ("numeric", "double precision", "real")}
"""The types to which PostgreSQL converts a number without being told to."""


class CallArgument(Struct, frozen=True):
    """An argument of a call: its value if it is a constant string, its type if the text tells it, whether it is a string constant without a
    type, which any parameter accepts, and the name of its parameter if the call gives it (manual, 4.3, Calling Functions)."""

    value: str | None = None
    type: str | None = None
    is_untyped: bool = False
    name: str | None = None


@lru_cache(512)
def call_arguments(sql: str, function: str) -> tuple[CallArgument, ...] | None:
    """Returns the arguments of the first call of a function in a statement; None if there is no such call, or if it is VARIADIC."""
    for raw in split(sql):
        if isinstance(raw, MetaCommand):
            continue
        c = Parser(raw)
        while not c.done and not (c.words[c.i] == function and c.words[c.i + 1] == "("):
            c.i += 1
        if c.done:
            return None
        c.i += 1
        start = c.i
        c.skip_group()
        end, c.i = c.i - 1, start + 1
        if "variadic" in c.words[start:end]:
            return None
        return tuple(_argument(c, stop) for stop in list_items(c, end))
    return None


def argument_values(function: Function, arguments: Sequence[CallArgument]) -> tuple[str | None, ...]:
    """Returns the values that the parameters of a function have in a call: those of its arguments, or of constant defaults; None for others."""
    named: dict[str | None, str | None] = {argument.name: argument.value for argument in arguments if argument.name is not None}
    positional = [argument.value for argument in arguments if argument.name is None]
    missing = [named.get(name, default) for name, default in zip_longest(function.parameters, function.constant_defaults)]
    return (*positional, *missing[len(positional) :])


def constant_text(sql: str) -> str | None:
    """Returns the value of an expression that is a constant string; None for any other."""
    for raw in split(sql):
        if not isinstance(raw, MetaCommand):
            c = Parser(raw)
            with suppress(NotConstantError, Unexpected):
                return evaluate(c, c.last).value
    return None


def _argument(c: Parser, stop: int) -> CallArgument:
    name = None
    if c.words[c.i + 1] in ("=>", ":="):
        name = c.words[c.i]
        c.i += 2
    return replace(_unnamed_argument(c, stop), name=name)


def _unnamed_argument(c: Parser, stop: int) -> CallArgument:
    is_untyped, data_type = stop == c.i + 1 and c.kinds[c.i] in STRINGS, _type(c, stop)
    try:
        return CallArgument(evaluate(c, stop).value, data_type, is_untyped)
    except NotConstantError:
        return CallArgument(None, data_type, is_untyped)


def _type(c: Parser, stop: int) -> str | None:
    """Returns the type of the argument between the cursor and a token, if a cast ends it or it is a number, a truth value or a cast string."""
    if stop == c.i + 1:
        word = c.raw(c.i)
        if c.kinds[c.i] == NUMBER:
            return "integer" if word.isdigit() and int(word) < 2**31 else "numeric"
        return "boolean" if word.lower() in ("true", "false") else None
    cast = next((index for index in range(stop - 1, c.i, -1) if c.words[index] == "::"), None)
    if cast is None or any(word in ("(", ")", "+", "-", "*", "/", "||") for word in c.words[cast + 1 : stop]):
        return None
    here, c.i = c.i, cast + 1
    try:
        data_type = str(c.type_name())
        return data_type if c.i == stop else None
    except Unexpected:
        return None
    finally:
        c.i = here


def possible_functions(functions: Sequence[Function], arguments: Sequence[CallArgument] | None) -> list[Function]:
    """Returns those of the functions of one name that a call with these arguments may run; all of them if the arguments do not tell."""
    if arguments is None or any(argument.name is not None for argument in arguments):
        return list(functions)
    counted = [each for each in functions if len(each.arguments) - each.defaults <= len(arguments) <= len(each.arguments)]
    accepting = [each for each in counted if all(map(_accepts, each.arguments, arguments))]
    best = max((_exact(each, arguments) for each in accepting), default=0)
    return [each for each in accepting if _exact(each, arguments) == best] or list(functions)


def _accepts(parameter: str, argument: CallArgument) -> bool:
    if argument.type == "boolean":
        return parameter in ("boolean", "anyelement")
    return argument.type not in _WIDER or parameter in (*_WIDER[argument.type], "anyelement")


def _exact(function: Function, arguments: Sequence[CallArgument]) -> int:
    """Returns how many arguments have the type of their parameter; for a string constant without a type that is a string type."""
    return sum(
        parameter == argument.type or (argument.is_untyped and parameter in _CHARACTERS)
        for parameter, argument in zip(function.arguments, arguments, strict=False)
    )
