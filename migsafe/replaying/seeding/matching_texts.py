"""Texts that match the regular expressions of CHECKs, as SQL expressions in `n`, the number of the row."""

import string
from collections.abc import Iterator

from msgspec import Struct

from migsafe.patterns import lazy_pattern

_PATTERN = lazy_pattern(r"!?~\*? E?'([^']*+(?:''[^']*+)*+)'")
_SETS = {
    "d": string.digits,
    "w": string.digits + string.ascii_lowercase + "_" + string.ascii_uppercase,
    "s": " ",
    "alpha": string.ascii_lowercase + string.ascii_uppercase,
    "digit": string.digits,
    "alnum": string.digits + string.ascii_lowercase + string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "xdigit": "0123456789abcdefABCDEF",
    "space": " ",
    "blank": " ",
    "punct": "-_.",
}
_PRINTABLE = string.digits + string.ascii_lowercase + string.ascii_uppercase + "-_."
_SINGLE = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_OPEN_ENDED = 8
"""So many characters stand for `+` and `{2,}`, so that the texts of a hundred million rows are different."""
_MAX_DIGITS = 17
_MAX_LENGTH = 512


class _Part(Struct, frozen=True):
    """So many characters out of a set, in a text."""

    characters: str
    count: int


class _Unsupported(Exception):
    """A regular expression has something for which no text is generated."""


def values_matching(checks: str) -> Iterator[str]:
    """Yields an expression for each regular expression in conditions, as PostgreSQL writes them: text that matches it, usually another one in
    each row. Regular expressions with lookaround or back references are left out."""
    for match in _PATTERN.finditer(checks):
        try:
            parts = _Reader(match[1].replace("''", "'")).read()
        except _Unsupported:
            continue
        if sum(part.count for part in parts) <= _MAX_LENGTH:
            yield _expression(parts)


class _Reader:
    """Reads a regular expression and chooses, for each place, the characters that a text may have there."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0

    def read(self) -> list[_Part]:
        """Returns the parts of a text that matches. Raises _Unsupported."""
        parts = self._alternatives()
        if self._position < len(self._pattern):
            raise _Unsupported
        return parts

    def _next(self) -> str:
        if self._position >= len(self._pattern):
            raise _Unsupported
        self._position += 1
        return self._pattern[self._position - 1]

    def _skip(self, text: str) -> bool:
        if self._pattern.startswith(text, self._position):
            self._position += len(text)
            return True
        return False

    def _alternatives(self) -> list[_Part]:
        """Reads alternatives up to the end of the group; returns the first one."""
        alternatives = [self._sequence()]
        while self._skip("|"):
            alternatives.append(self._sequence())
        return alternatives[0]

    def _sequence(self) -> list[_Part]:
        parts: list[_Part] = []
        while self._position < len(self._pattern) and self._pattern[self._position] not in "|)":
            atom = self._atom()
            least, most = self._bounds()
            if len(atom) == 1 and atom[0].count == 1 and len(atom[0].characters) > 1:
                parts.append(_Part(atom[0].characters, _count(least, most)))
            else:
                parts += atom * least
        return parts

    def _atom(self) -> list[_Part]:
        character = self._next()
        match character:
            case "^" | "$":
                return []
            case "(":
                if self._skip("?") and not self._skip(":"):
                    raise _Unsupported
                parts = self._alternatives()
                if not self._skip(")"):
                    raise _Unsupported
                return parts
            case "[":
                return [_Part(self._set(), 1)]
            case ".":
                return [_Part(_PRINTABLE, 1)]
            case "\\":
                return self._escaped()
            case "*" | "+" | "?" | "{":
                raise _Unsupported
        return [_Part(character, 1)]

    def _escaped(self) -> list[_Part]:
        character = self._next()
        if character in _SETS:
            return [_Part(_SETS[character], 1)]
        if character in "AZmMyY":
            return []
        if character.isalnum() and character not in _SINGLE:
            raise _Unsupported
        return [_Part(_SINGLE.get(character, character), 1)]

    def _set(self) -> str:
        """Reads a set in brackets; returns its characters."""
        is_negated = self._skip("^")
        characters = ""
        is_first = True
        while is_first or not self._skip("]"):
            is_first = False
            if self._skip("[:"):
                end = self._pattern.find(":]", self._position)
                name = self._pattern[self._position : end]
                if end < 0 or name not in _SETS:
                    raise _Unsupported
                self._position = end + 2
                characters += _SETS[name]
                continue
            low = self._next()
            if low == "\\":
                escaped = self._next()
                if escaped in _SETS:
                    characters += _SETS[escaped]
                    continue
                low = _SINGLE.get(escaped, escaped)
            if self._pattern.startswith("-", self._position) and not self._pattern.startswith("-]", self._position):
                self._next()
                high = self._next()
                characters += "".join(map(chr, range(ord(low), min(ord(high), ord(low) + 127) + 1)))
            else:
                characters += low
        if is_negated:
            characters = "".join(character for character in _PRINTABLE if character not in characters)
        if not characters:
            raise _Unsupported
        return "".join(dict.fromkeys(characters))

    def _bounds(self) -> tuple[int, int | None]:
        """Reads how often an atom may occur."""
        bounds: tuple[int, int | None] = (1, 1)
        if self._skip("*"):
            bounds = 0, None
        elif self._skip("+"):
            bounds = 1, None
        elif self._skip("?"):
            bounds = 0, 1
        elif self._skip("{"):
            end = self._pattern.find("}", self._position)
            low, comma, high = self._pattern[self._position : end].partition(",")
            if end < 0 or not low.isdigit() or (high and not high.isdigit()):
                raise _Unsupported
            self._position = end + 1
            bounds = int(low), int(high) if high else None if comma else int(low)
        self._skip("?")  # it does not change which texts match
        return bounds


def _count(least: int, most: int | None) -> int:
    """Returns how many characters are generated."""
    if least == 0:
        return 0
    return max(least, _OPEN_ENDED) if most is None else min(max(least, _OPEN_ENDED), most)


def _expression(parts: list[_Part]) -> str:
    """Returns the text in row `n`: the characters of sets are digits of the row's number, written with the characters of the set."""
    pieces: list[str] = []
    used = 1
    for part in parts:
        size = min(len(part.characters), 10)
        if size == 1:
            pieces.append(_literal(part.characters * part.count))
        elif size < 10:
            for _ in range(part.count):
                place = f"1 + (n / {used} % {size})::int4" if used * size < 10**_MAX_DIGITS else "1"
                pieces.append(f"pg_catalog.substr({_literal(part.characters)}, {place}, 1)")
                used *= size
        elif part.count:
            digits = max(min(part.count, _MAX_DIGITS - len(str(used))), 0)
            number = f"(n / {used} % {10**digits})" if digits else "0"
            padded = f"pg_catalog.lpad({number}::text, {part.count}, '0')"
            pieces.append(f"pg_catalog.translate({padded}, '{string.digits}', {_literal(part.characters[:10])})")
            used *= 10**digits
    return " || ".join(pieces) or "''"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
