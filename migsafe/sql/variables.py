"""PL/pgSQL variables whose values are known without a database."""

import re
from collections.abc import Iterable
from contextlib import suppress

from migsafe.patterns import lazy_pattern
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.string_constants import KnownValues, NotConstantError, StringConstant, evaluate, list_items

_MANY = 99
"""The number of assignments to a variable that cannot be counted."""

_EMPTY = ("", "''", "null")
_AGGREGATED = lazy_pattern(r"(?:\s*(?:coalesce|string_agg|array_to_string|array_agg|concat|trim)\s*\()+\s*", re.IGNORECASE)
"""What stands before the first of the strings that a query joins to one."""
_LINE_COMMENT = lazy_pattern(r"--[^\n]*")


class Variables:
    """The variables of a body: those that are assigned only once, or that take the values of a list of constants in a FOREACH loop, and the
    current values of those that are assigned several times.

    `text` is the text of the body, `known` are its parameters with known values.
    """

    def __init__(self, text: str, known: KnownValues) -> None:
        self._text = text.lower()
        self._known: dict[str, tuple[StringConstant, ...]] = {}
        self._assigned: dict[str, list[str]] = {}
        self._written: dict[str, int] = {}
        self._queried: dict[str, int] = {}
        self._declared: set[str] = set()
        self._places: dict[str, tuple[object, ...]] = {}
        """Of each variable that is assigned several times, the constructs around the assignment of its current value."""
        for name, value in known.items():
            if not self._assignments(name):
                self._known[name] = (value,)

    def declare(self, c: Parser) -> None:
        """Read a declaration: `name [CONSTANT] type [{ DEFAULT | := | = } expression]`."""
        name = c.words[c.i]
        at = c.i
        while not c.done and c.words[c.i] not in (":=", "=", "default"):
            c.i += 1
        if c.done or c.i == at:
            return
        self._declared.add(name)
        value = c.text(c.i + 1, c.last)
        if value.lower() not in _EMPTY:
            self._assigned.setdefault(name, []).append(value)
        if not self._targets(name):
            c.i += 1
            self._set(c, name)
            if self._assignments(name):
                self._places[name] = ()

    def assign(self, c: Parser, around: tuple[object, ...] = ()) -> None:
        """Read an assignment: `name := expression`, with the constructs around it."""
        name = c.words[c.i]
        self._note(name, c)
        if c.words[c.i + 1] not in (":=", "=") or self._targets(name):
            self._known.pop(name, None)
            return
        is_only_one = name not in self._declared and c.words[c.i + 1] == ":=" and self._assignments(name) == 1
        c.i += 2
        self._set(c, name)
        if not is_only_one:
            self._places[name] = around

    def leave(self, construct: object) -> None:
        """Forget the values that were assigned in a construct, or in a branch of it: another branch may have run."""
        self._forget(name for name, around in self._places.items() if construct in around)

    def enter_loop(self) -> None:
        """Forget the values of variables that are assigned several times: an earlier iteration may have assigned others."""
        self._forget(self._places)

    def _forget(self, names: Iterable[str]) -> None:
        for name in tuple(names):
            self._known.pop(name, None)
            del self._places[name]

    def assigned(self, name: str) -> tuple[str, ...]:
        """Return the code of all expressions that the body assigns to a variable, each once; nothing if it may have another value."""
        code = self._assigned.get(name, [])
        if not code or self._targets(name) != self._queried.get(name, 0):
            return ()
        text = _LINE_COMMENT.sub("", self._text)
        written = len(re.findall(rf"(?:^|;|\b(?:then|else|loop|begin)\b)\s*{name}\s*:?=", text))
        return tuple(dict.fromkeys(code)) if written == self._written.get(name, 0) else ()

    def note_query(self, name: str, code: str) -> None:
        """Record the expression of `SELECT expression INTO name`; of strings that a query joins, the expression of each of them."""
        self._queried[name] = self._queried.get(name, 0) + 1
        joined = _AGGREGATED.match(code)
        self._assigned.setdefault(name, []).append(code[joined.end() :] if joined else code)

    def _note(self, name: str, c: Parser) -> None:
        """Record the expression of an assignment. One that begins with the variable itself continues its last value."""
        at = c.i
        while at < c.last and c.words[at] not in (":=", "="):
            at += 1
        value, earlier = c.text(at + 1, c.last), self._assigned.setdefault(name, [])
        self._written[name] = self._written.get(name, 0) + 1
        if c.words[at + 1] == name and c.words[at + 2] == "||" and earlier:
            earlier[-1] = f"{earlier[-1]} || {c.text(at + 3, c.last)}"
        elif value.lower() not in _EMPTY:
            earlier.append(value)

    def iterate(self, c: Parser, name: str, end: int) -> None:
        """Read a loop: `FOREACH name IN ARRAY ARRAY[…] LOOP`, with the cursor after IN."""
        self._known.pop(name, None)
        if self._assignments(name) or not c.accept("array") or not c.accept("array", "["):
            return
        close = c.i
        while close < end and c.words[close] != "]":
            close += 1
        with suppress(NotConstantError):
            self._known[name] = tuple(evaluate(c, stop, self._single()) for stop in list_items(c, close))

    def values(self, c: Parser, end: int) -> list[StringConstant]:
        """Return the values of the string expression up to token `end`: one for each iteration of the loop whose variable it contains.

        Raises NotConstantError where they are not known.
        """
        start, single = c.i, self._single()
        loop_variables = [name for name in dict.fromkeys(c.words[start:end]) if len(self._known.get(name, ())) > 1]
        if not loop_variables:
            return [evaluate(c, end, single)]
        if len(loop_variables) > 1:
            raise NotConstantError
        constants: list[StringConstant] = []
        for value in self._known[loop_variables[0]]:
            c.i = start
            constants.append(evaluate(c, end, {**single, loop_variables[0]: value}))
        return constants

    def template(self, c: Parser, end: int) -> StringConstant:
        """Return the value of the string expression up to token `end`, with marks in place of what is not known."""
        return evaluate(c, end, self._single(), marked=True)

    def _single(self) -> dict[str, StringConstant]:
        return {name: values[0] for name, values in self._known.items() if len(values) == 1}

    def _set(self, c: Parser, name: str) -> None:
        end = c.i
        while c.kinds[end]:
            end += 1
        try:
            self._known[name] = tuple(self.values(c, end))
        except NotConstantError:
            self._known.pop(name, None)

    def _assignments(self, name: str) -> int:
        """Return how often the body assigns to a variable with `:=`; a large number where a query or a loop may assign to it."""
        return _MANY if self._targets(name) else len(re.findall(rf"\b{name}\s*:=", self._text))

    def _targets(self, name: str) -> int:
        """Return how often a query or a loop of the body may assign to a variable; a large number for anything else than a variable."""
        if not name.isidentifier():
            return _MANY
        return len(re.findall(rf"\b(?:into\s[\s\w,.]*?|for\s(?:(?!\bin\b)[\s\w,.])*?)\b{name}\b", self._text))


def is_assignment(c: Parser) -> bool:
    """Whether `variable := expression` or `variable = expression` is next; fields and subscripts may follow the variable."""
    i = c.i + 1
    while c.words[i] in (".", "["):
        if c.words[i] == ".":
            i += 2
            continue
        saved, c.i = c.i, i
        c.skip_group()
        i, c.i = c.i, saved
    return c.words[i] in (":=", "=")
