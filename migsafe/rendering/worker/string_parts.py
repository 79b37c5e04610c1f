"""The parts of string expressions in a script: each piece of text with its place, and the holes that values fill."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from migsafe.rendering.worker.script_file import ScriptFile

_BETWEEN = re.compile(r"(?:\s|\\\r?\n|#[^\r\n]*)*")
_OPENING = re.compile(r"([A-Za-z]{0,2})(\"\"\"|'''|\"|')")
_ESCAPE = r"\\(?:\r\n|N\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)"
_TOKEN = {
    raw: re.compile(rf"{'' if raw else f'(?P<escape>{_ESCAPE})|'}(?P<line>\r\n?)|(?P<brace>\{{\{{|\}}\}}|[{{}}])|[^\\\r{{}}]+|.", re.DOTALL)
    for raw in (False, True)
}
_FORMAT_FIELD = re.compile(r"\{\{|\}\}|\{(?P<field>\w*)[^{}]*\}")


class Piece(NamedTuple):
    """A piece of a string's text, and its range in the file."""

    text: str
    start: int
    end: int

    @property
    def is_plain(self) -> bool:
        """Whether it is written as it is, and not as an escape."""
        return len(self.text) == self.end - self.start


class Hole(NamedTuple):
    """A part of a string that a value fills: the range of its expression in the file, and the expression itself where it is the text."""

    start: int
    end: int
    value: ast.expr | None = None


Part = Piece | Hole


def expression_parts(file: ScriptFile, node: ast.expr) -> list[Part] | None:
    """Returns the parts of an expression that builds a string: a literal, literals that are added or joined, `%` and `.format`. None for any
    other expression, and for a literal whose text cannot be located for certain."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return _literal_parts(file, node)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            found = [expression_parts(file, left), expression_parts(file, right)]
            if found == [None, None]:
                return None
            return [part for parts, side in zip(found, (left, right), strict=True) for part in parts or [_hole(file, side)]]
        case ast.BinOp(left=left, op=ast.Mod()):
            return expression_parts(file, left)
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            parts = expression_parts(file, text)
            return _with_fields(file, parts, node) if parts is not None else None
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()) as separator, attr="join"), args=[ast.List() | ast.Tuple() as items]):
            joined: list[Part] = []
            for item in items.elts:
                if joined:
                    joined.append(Hole(*file.node_range(separator)))
                joined += expression_parts(file, item) or [_hole(file, item)]
            return joined
    return None


def _hole(file: ScriptFile, node: ast.expr) -> Hole:
    return Hole(*file.node_range(node), node)


def _literal_parts(file: ScriptFile, node: ast.Constant | ast.JoinedStr) -> list[Part] | None:
    """Returns the parts of a literal, which may be several strings in a row; None if they do not have the text that Python reads."""
    values = iter([value for value in node.values if isinstance(value, ast.FormattedValue)] if isinstance(node, ast.JoinedStr) else [])
    start, end = file.node_range(node)
    parts: list[Part] = []
    while start < end:
        opening = _OPENING.match(file.text, start)
        if opening is None:
            return None
        prefix, quote = opening[1].lower(), opening[2]
        body = _body_end(file.text, opening.end(), quote)
        if body is None:
            return None
        for part in _body_parts(file.text, opening.end(), body, raw="r" in prefix, formatted="f" in prefix):
            value = next(values, None) if isinstance(part, Hole) else None
            plain = value is not None and value.conversion == -1 and value.format_spec is None
            parts.append(part._replace(value=value.value if plain and value is not None else None) if isinstance(part, Hole) else part)
        between = _BETWEEN.match(file.text, body + len(quote))
        start = between.end() if between is not None else end
    return _merged(parts) if _text(parts) == _expected(node) else None


def _merged(parts: list[Part]) -> list[Part]:
    """Returns the parts with adjacent pieces that are written as they are as one."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Piece) and isinstance(last, Piece) and last.end == part.start and last.is_plain and part.is_plain:
            merged[-1] = Piece(last.text + part.text, last.start, part.end)
        else:
            merged.append(part)
    return merged


def _text(parts: list[Part]) -> str:
    """Returns the text of parts, with NUL for each hole: no source contains it."""
    return "".join(part.text if isinstance(part, Piece) else "\0" for part in parts)


def _expected(node: ast.Constant | ast.JoinedStr) -> str:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(value.value) if isinstance(value, ast.Constant) else "\0" for value in values)


def _body_end(text: str, start: int, quote: str) -> int | None:
    """Returns where the text between the quotes ends. A backslash keeps the next character from ending it, in a raw string too."""
    while True:
        close = text.find(quote, start)
        if close < 0:
            return None
        escape = text.find("\\", start, close)
        if escape < 0:
            return close
        start = escape + 2


def _body_parts(text: str, start: int, end: int, *, raw: bool, formatted: bool) -> Iterator[Part]:
    token = _TOKEN[raw]
    while start < end:
        match = token.match(text, start, end)
        if match is None:
            return
        after = match.end()
        if match["brace"] and formatted and match[0] == "{":
            after = _field_end(text, start, end)
            yield Hole(start, after)
        elif match["brace"]:
            after = after if formatted else start + 1
            yield Piece(match[0][:1], start, after)
        elif not raw and match["escape"]:
            yield Piece(_unescaped(match[0]), start, after)
        else:
            yield Piece("\n" if match["line"] else match[0], start, after)
        start = after


def _unescaped(escape: str) -> str:
    if escape[1] in "\r\n":
        return ""
    try:
        value = ast.literal_eval(f'"{escape}"' if escape[1] != "'" else f"'{escape}'")
    except (SyntaxError, ValueError):
        return escape
    return str(value)


def _field_end(text: str, start: int, end: int) -> int:
    """Returns where a field of an f-string ends. Braces in strings of its expression do not count."""
    depth, quote = 0, ""
    for position in range(start, end):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return position + 1
    return end


def _with_fields(file: ScriptFile, parts: list[Part], call: ast.Call) -> list[Part]:
    """Returns the parts of a text after `.format`: its fields are holes."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    named.update({str(number): value for number, value in enumerate(call.args)})
    unnumbered = iter(call.args)
    result: list[Part] = []
    for part in parts:
        if isinstance(part, Hole) or not part.is_plain:
            result.append(part)
            continue
        done = 0
        for field in _FORMAT_FIELD.finditer(part.text):
            result.append(Piece(part.text[done : field.start()], part.start + done, part.start + field.start()))
            place = part.start + field.start(), part.start + field.end()
            name = field["field"]
            if name is None:
                result.append(Piece(field[0][0], *place))
            else:
                result.append(Hole(*place, named.get(name) if name else next(unnumbered, None)))
            done = field.end()
        result.append(Piece(part.text[done:], part.start + done, part.end))
    return [part for part in result if isinstance(part, Hole) or part.text]
