"""PL/pgSQL variables whose values are known without a database."""

import re
from collections.abc import Iterable

from migsafe.patterns import lazy_pattern
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.string_constants import (
    KnownValues,
    NotConstantError,
    StringConstant,
    array_elements,
    constant_at,
    evaluate,
    list_items,
    variable_at,
)

_MANY = 99
"""The number of assignments to a variable that cannot be counted."""
_MOST_ALTERNATIVES = 8
"""The number of values that branches may give to a variable, of which one is executed."""

_EMPTY = ("", "''", "null")
_AGGREGATED = lazy_pattern(r"(?:\s*(?:coalesce|string_agg|array_to_string|array_agg|concat|trim)\s*\()+\s*", re.IGNORECASE)
"""What stands before the first of the strings that a query joins to one."""
_LAST_SUBSCRIPTS = ("array_length", "array_upper", "cardinality")
_LINE_COMMENT = lazy_pattern(r"--[^\n]*")


class _Choice:
    """An IF or CASE around the cursor: the values before it, and those that each of its branches gave to variables (None: unknown)."""

    def __init__(self, known: dict[str, tuple[StringConstant, ...]], places: dict[str, tuple[object, ...]], unset: set[str]) -> None:
        self.known = dict(known)
        self.places = dict(places)
        self.unset = frozenset(unset)
        self.ended: list[dict[str, tuple[StringConstant, ...] | None]] = []

    def values_of(self, name: str, *, may_skip: bool) -> tuple[StringConstant, ...] | None:
        """Returns the values that a variable may have after it; None if they are not known. `may_skip`: no branch may have run."""
        before = () if name in self.unset else self.known.get(name)
        ends = [end.get(name, before) for end in self.ended] + ([before] if may_skip else [])
        if any(values is None for values in ends):
            return None
        constants = {value.value: value for values in ends for value in values or ()}
        return tuple(constants.values()) if 0 < len(constants) <= _MOST_ALTERNATIVES else None


class Variables:
    """The variables of a body: those that are assigned only once, or that take the values of a list of constants in a FOREACH loop, and the
    current values of those that are assigned several times.

    `text` is the text of the body, `known` are its parameters with known values.
    """

    def __init__(self, text: str, known: KnownValues) -> None:
        self._text = text.lower()
        self._code = _LINE_COMMENT.sub("", self._text)
        self._known: dict[str, tuple[StringConstant, ...]] = {}
        self._assigned: dict[str, list[str]] = {}
        self._written: dict[str, int] = {}
        self._queried: dict[str, int] = {}
        self._declared: set[str] = set()
        self._places: dict[str, tuple[object, ...]] = {}
        """Of each variable that is assigned several times, the constructs around the assignment of its current value."""
        self._arrays: dict[str, tuple[StringConstant, ...]] = {}
        """The arrays of constants, which nothing changes after their declaration."""
        self._choices: dict[int, _Choice] = {}
        self._unset: set[str] = set()
        """The variables that are declared without a value, and have got none."""
        self.alternatives: set[str] = set()
        """The variables that have one of several values, because branches assign different ones."""
        for name, value in known.items():
            if not self._assignments(name):
                self._known[name] = (value,)

    def declare(self, c: Parser) -> None:
        """Read a declaration: `name [CONSTANT] type [{ DEFAULT | := | = } expression]`."""
        name = c.words[c.i]
        at = c.i
        while not c.done and c.words[c.i] not in (":=", "=", "default"):
            c.i += 1
        if c.done:
            self._unset.add(name)
        if c.done or c.i == at:
            return
        self._declared.add(name)
        self._declare_array(c, name)
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
        self._unset.discard(name)
        if c.words[c.i + 1] not in (":=", "=") or self._targets(name):
            self._known.pop(name, None)
            return
        is_only_one = name not in self._declared and self._statements(name) == 1
        c.i += 2
        self._set(c, name)
        if not is_only_one:
            self._places[name] = around

    def enter_choice(self, construct: object) -> None:
        """Begin an IF or CASE, of which one branch runs."""
        self._choices[id(construct)] = _Choice(self._known, self._places, self._unset)

    def leave_branch(self, construct: object) -> None:
        """End a branch of an IF or CASE: the next one begins with the values before it."""
        choice = self._choices[id(construct)]
        assigned = [name for name, around in self._places.items() if construct in around]
        choice.ended.append({name: self._known.get(name) for name in assigned})
        for name in assigned:
            self._restore(choice, name)
        self._unset |= choice.unset

    def _restore(self, choice: _Choice, name: str) -> None:
        del self._places[name]
        if name in choice.places:
            self._places[name] = choice.places[name]
        self._known.pop(name, None)
        if name in choice.known:
            self._known[name] = choice.known[name]

    def leave_choice(self, construct: object, around: tuple[object, ...], *, may_skip: bool) -> None:
        """End an IF or CASE: a variable has one of the values that its branches gave to it; `may_skip`: or that it had before."""
        self.leave_branch(construct)
        choice = self._choices.pop(id(construct))
        for name in {name for end in choice.ended for name in end}:
            values = choice.values_of(name, may_skip=may_skip)
            self._unset.discard(name)
            self._known.pop(name, None)
            self._places.pop(name, None)
            if values is not None:
                self._known[name], self._places[name] = values, around
                if len(values) > 1:
                    self.alternatives.add(name)

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
        return tuple(dict.fromkeys(code)) if self._statements(name) == self._written.get(name, 0) else ()

    def _statements(self, name: str) -> int:
        """Return how many statements of the body assign to a variable."""
        return len(re.findall(rf"(?:^|;|\b(?:then|else|loop|begin)\b)\s*{re.escape(name)}\s*:?=", self._code))

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

    def _declare_array(self, c: Parser, name: str) -> None:
        """Record the elements of an array of constants, with the cursor before its value, if the body does not change it."""
        at = c.i
        c.i += 1
        elements = None if self._assignments(name) or re.search(rf"\b{name}\s*(?:\[[^\]]*\]\s*)?:?=(?!=)", self._text) else self._array(c)
        if elements is not None:
            self._arrays[name] = elements
        c.i = at

    def _array(self, c: Parser) -> tuple[StringConstant, ...] | None:
        """Read ARRAY[…] of known strings, '{…}' or an array variable; None, with the cursor somewhere, for anything else."""
        if c.words[c.i] in self._arrays:
            c.i += 1
            return self._arrays[c.words[c.i - 1]]
        if c.words[c.i] == "'":
            c.i += 1
            return array_elements(constant_at(c, c.i - 1))
        if not c.accept("array", "["):
            return None
        close, depth = c.i, 0
        while not c.done and (depth or c.words[close] != "]"):
            if not c.words[close]:
                return None
            depth += (c.words[close] in ("(", "[")) - (c.words[close] in (")", "]"))
            close += 1
        try:
            elements = tuple(evaluate(c, stop, self._single()) for stop in list_items(c, close))
        except NotConstantError:
            return None
        c.i = close + 1
        return elements

    def iterate(self, c: Parser, name: str) -> None:
        """Read a loop: `FOREACH name IN ARRAY array LOOP`, with the cursor after IN."""
        self._known.pop(name, None)
        if not self._assignments(name) and c.accept("array"):
            self._set_elements(name, self._array(c))

    def iterate_query(self, c: Parser, name: str) -> None:
        """Read a loop: `FOR name IN SELECT unnest(array) [AS column] LOOP`, with the cursor after IN."""
        self._known.pop(name, None)
        if self._targets(name) != 1 or re.search(rf"\b{name}\s*:=", self._text) or not c.accept("select", "unnest", "("):
            return
        elements = self._array(c)
        while c.accept("::", "text") and c.accept("[", "]"):
            pass
        if not c.accept(")"):
            return
        c.accept("as")
        column = c.words[c.i] if c.words[c.i] != "loop" else "unnest"
        if c.words[c.i] == "loop" or c.words[c.i + 1] == "loop":
            self._set_elements(name, elements)
            self._set_elements(f"{name}.{column}", elements)

    def iterate_subscripts(self, c: Parser, name: str) -> None:
        """Read a loop: `FOR name IN 1 .. array_length(array, 1) LOOP`, with the cursor after IN."""
        c.i += 1
        array = c.words[c.i + 2] if c.words[c.i + 1] in _LAST_SUBSCRIPTS and c.accept("..") else ""
        if array in self._arrays and self._targets(name) == 1:
            self._set_elements(f"{array}[{name}]", self._arrays[array])

    def _set_elements(self, name: str, elements: tuple[StringConstant, ...] | None) -> None:
        if elements:
            self._known[name] = elements

    def values(self, c: Parser, end: int) -> list[StringConstant]:
        """Return the values of the string expression up to token `end`: one for each iteration of the loop whose variable it contains.

        Raises NotConstantError where they are not known.
        """
        start, single = c.i, self._single()
        names = dict.fromkeys(variable_at(c, at) for at in range(start, end))
        loop_variables = [name for name in names if len(self._known.get(name, ())) > 1]
        if not loop_variables:
            return [evaluate(c, end, single)]
        if len(loop_variables) > 1:
            raise NotConstantError
        constants: list[StringConstant] = []
        for value in self._known[loop_variables[0]]:
            c.i = start
            constants.append(evaluate(c, end, {**single, loop_variables[0]: value}))
        return constants

    def has_alternatives(self, c: Parser, end: int) -> bool:
        """Whether the expression up to token `end` has a variable to which branches give different values."""
        return not self.alternatives.isdisjoint(c.words[c.i : end])

    def template(self, c: Parser, end: int) -> StringConstant:
        """Return the value of the string expression up to token `end`, with marks in place of what is not known."""
        return evaluate(c, end, self._single(), marked=True)

    def _single(self) -> dict[str, StringConstant]:
        return {name: values[0] for name, values in self._known.items() if len(values) == 1}

    def _set(self, c: Parser, name: str) -> None:
        end = c.i
        while c.kinds[end]:
            end += 1
        has_alternatives = self.has_alternatives(c, end)
        try:
            self._known[name] = tuple(self.values(c, end))
        except NotConstantError:
            self._known.pop(name, None)
        (self.alternatives.add if has_alternatives else self.alternatives.discard)(name)

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
