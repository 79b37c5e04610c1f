"""Python of a newer release, written so that the running one can compile it.

The application may be written for a newer Python than the one that runs migsafe. Of PEP 695 (Python 3.12) the type parameters and the `type`
statement are rewritten on the same line; what else is new is not. Line numbers stay the same, columns on the rewritten lines do not.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from keyword import iskeyword
from typing import NamedTuple

_ANY = '__import__("typing").Any'
_GENERIC = '__import__("typing").Generic'
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_SKIPPED = frozenset((tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENCODING))

Tokens = list[tokenize.TokenInfo]


class OlderSource(NamedTuple):
    """A module's text in older syntax, and the names of the type parameters that it uses and no longer declares."""

    text: str
    type_parameters: tuple[str, ...] = ()


class _Edit(NamedTuple):
    """A replacement of the text from one place to another."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def as_older_python(text: str) -> OlderSource:
    """Returns a module without type parameters, `type` statements and what else a newer Python allows (see `newer_strings`); unchanged if it
    cannot be split into tokens."""
    from migsafe.newer_strings import without_newer_strings  # noqa: PLC0415  # LibCST takes long to load, and few projects need it

    text = without_newer_strings(text)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return OlderSource(text)
    names: dict[str, None] = {}
    edits = list(_edits(tokens, names))
    return OlderSource(_edited(text, edits), tuple(names))


def parse_python(text: str, path: str = "<unknown>") -> tuple[str, ast.Module]:
    """Returns the text of a module with its tree, in older syntax if only a newer Python accepts it as it is. On the rewritten lines, places
    are those of the rewritten text. Raises SyntaxError, about the text as it is, and ValueError."""
    try:
        return text, ast.parse(text, path)
    except SyntaxError as error:
        older = as_older_python(text).text
        try:
            return older, ast.parse(older, path)
        except SyntaxError:
            raise error from None


def _edits(tokens: Tokens, names: dict[str, None]) -> Iterator[_Edit]:
    for number, token in enumerate(tokens):
        if token.type != tokenize.NAME or not _begins_statement(tokens, number):
            continue
        if token.string == "type" and tokens[number + 1].type == tokenize.NAME and not iskeyword(tokens[number + 1].string):
            yield from _type_statement(tokens, number)
        elif token.string in ("class", "def", "async"):
            yield from _parameters(tokens, number + (token.string == "async"), names)


def _begins_statement(tokens: Tokens, number: int) -> bool:
    before = tokens[number - 1] if number else None
    return before is None or before.type in _SKIPPED or before.string in (";", ":")


def _type_statement(tokens: Tokens, number: int) -> Iterator[_Edit]:
    """Yields the edits that turn `type X[T] = …` into an alias of Any: its value is evaluated only when it is needed, which may be never."""
    end = next((place for place in range(number, len(tokens)) if tokens[place].type in (tokenize.NEWLINE, tokenize.ENDMARKER)), None)
    equals = next((place for place in range(number + 2, end or number) if tokens[place].string == "="), None)
    if equals is None or end is None:
        return
    lines = tokens[end].start[0] - tokens[number].start[0]
    yield _Edit(tokens[number].start, tokens[end].start, f"{tokens[number + 1].string} = ({_ANY}{chr(10) * lines})")


def _parameters(tokens: Tokens, number: int, names: dict[str, None]) -> Iterator[_Edit]:
    """Yields the edits that remove the type parameters of a class or function."""
    opening = number + 2
    if opening >= len(tokens) or tokens[opening].string != "[":
        return
    closing = _closing(tokens, opening)
    declared = list(_declared(tokens[opening + 1 : closing]))
    names.update(dict.fromkeys(declared))
    lines = "\\\n" * (tokens[closing].start[0] - tokens[opening].start[0])
    if tokens[number].string == "def":
        yield _Edit(tokens[opening].start, tokens[closing].end, lines)
        return
    generic = f"{_GENERIC}[{', '.join(declared)}]"
    if tokens[closing + 1].string != "(":
        yield _Edit(tokens[opening].start, tokens[closing].end, f"({generic}){lines}")
        return
    yield _Edit(tokens[opening].start, tokens[closing].end, lines)
    end = _closing(tokens, closing + 1)
    keyword = next((place for place in range(closing + 2, end) if _is_keyword(tokens, closing + 1, place)), None)
    last = next(token.string for token in reversed(tokens[:end]) if token.type not in _SKIPPED)
    place = tokens[keyword if keyword is not None else end].start
    yield _Edit(place, place, f"{generic}, " if keyword is not None else generic if last in ("(", ",") else f", {generic}")


def _is_keyword(tokens: Tokens, opening: int, place: int) -> bool:
    """Whether a keyword argument of the class begins here."""
    depth = sum((token.string in _OPENING) - (token.string in _CLOSING) for token in tokens[opening:place])
    return depth == 1 and tokens[place].type == tokenize.NAME and tokens[place + 1].string == "="


def _closing(tokens: Tokens, opening: int) -> int:
    depth = 0
    for number in range(opening, len(tokens)):
        depth += (tokens[number].string in _OPENING) - (tokens[number].string in _CLOSING)
        if not depth:
            return number
    return len(tokens) - 1


def _declared(tokens: Tokens) -> Iterator[str]:
    """Yields the names of type parameters, without their bounds and defaults."""
    depth, expected = 0, True
    for token in tokens:
        depth += (token.string in _OPENING) - (token.string in _CLOSING)
        if token.type == tokenize.NAME and expected:
            yield token.string
            expected = False
        if token.string == "," and not depth:
            expected = True


def _edited(text: str, edits: list[_Edit]) -> str:
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for start, end, new in sorted(edits, reverse=True):
        first, last = starts[start[0] - 1] + start[1], starts[end[0] - 1] + end[1]
        text = text[:first] + new + text[last:]
    return text
