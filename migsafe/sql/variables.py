"""PL/pgSQL's variables, as far as their values can be known without running anything."""

import re
from contextlib import suppress

from migsafe.sql.constants import Constant, KnownValues, NotConstantError, evaluate, list_items
from migsafe.sql.grammar.parser import Parser


class Variables:
    """The variables of a body that have one value from their only assignment on, or go through a list of constants in a FOREACH loop.

    `text` is the body's, `known` are its parameters.
    """

    def __init__(self, text: str, known: KnownValues) -> None:
        self._text = text.lower()
        self._known: dict[str, tuple[Constant, ...]] = {}
        self._declared: set[str] = set()
        for name, value in known.items():
            if not self._assignments(name):
                self._known[name] = (value,)

    def declare(self, c: Parser) -> None:
        """A declaration: `name [CONSTANT] type [{ DEFAULT | := | = } expression]`."""
        name = c.words[c.i]
        at = c.i
        while not c.done and c.words[c.i] not in (":=", "=", "default"):
            c.i += 1
        if c.done or c.i == at:
            return
        self._declared.add(name)
        if not self._assignments(name):
            c.i += 1
            self._set(c, name)

    def assign(self, c: Parser) -> None:
        """An assignment: `name := expression`."""
        name = c.words[c.i]
        if name not in self._declared and c.words[c.i + 1] == ":=" and self._assignments(name) == 1:
            c.i += 2
            self._set(c, name)
        else:
            self._known.pop(name, None)

    def iterate(self, c: Parser, name: str, end: int) -> None:
        """A loop: `FOREACH name IN ARRAY ARRAY[…] LOOP`, with the cursor behind IN."""
        self._known.pop(name, None)
        if self._assignments(name) or not c.accept("array") or not c.accept("array", "["):
            return
        close = c.i
        while close < end and c.words[close] != "]":
            close += 1
        with suppress(NotConstantError):
            self._known[name] = tuple(evaluate(c, stop, self._single()) for stop in list_items(c, close))

    def values(self, c: Parser, end: int) -> list[Constant]:
        """The values of the string expression up to token `end`, one for each turn of the loop whose variable is in it. Raises
        NotConstantError."""
        start, single = c.i, self._single()
        several = [name for name in dict.fromkeys(c.words[start:end]) if len(self._known.get(name, ())) > 1]
        if not several:
            return [evaluate(c, end, single)]
        if len(several) > 1:
            raise NotConstantError
        found: list[Constant] = []
        for value in self._known[several[0]]:
            c.i = start
            found.append(evaluate(c, end, {**single, several[0]: value}))
        return found

    def _single(self) -> dict[str, Constant]:
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
        """How often the body assigns to a variable: with `:=`, and more than anybody counts where a query or a loop may."""
        if not name.isidentifier():
            return 99
        assigned = len(re.findall(rf"\b{name}\s*:=", self._text))
        taken = re.search(rf"\b(?:into|for)\s[\s\w,.]*?\b{name}\b", self._text)
        return 99 if taken else assigned
