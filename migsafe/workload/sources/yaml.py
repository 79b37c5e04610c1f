"""The part of YAML that configurations of sqlc are written in: mappings and lists by indentation, lists in brackets, strings."""

import re
from typing import Any

_KEY = re.compile(r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s#:\[\]{},'\"-][^:#]*?)[ \t]*:(?:[ \t]+(?P<value>.*))?$")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*$")
_BLOCK = re.compile(r"[|>][+-]?\d?$")

_Line = tuple[int, str]


def parse_yaml(text: str) -> Any:
    """Returns the document of a YAML text: mappings as dict, lists as list, and all else as text; None where it cannot be read.

    Anchors, tags, mappings in braces and texts of several lines are not read, and their keys have no value.
    """
    lines = []
    for raw in text.splitlines():
        line = _without_comment(raw).rstrip()
        if line.strip() and line.strip() not in ("---", "..."):
            lines.append((len(line) - len(line.lstrip(" ")), line.strip()))
    value, _ = _node(lines, 0)
    return value


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line
    if "'" in line or '"' in line:
        quote = ""
        for index, character in enumerate(line):
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "#" and (not index or line[index - 1] in " \t"):
                return line[:index]
        return line
    return _COMMENT.sub("", line)


def _node(lines: list[_Line], at: int) -> tuple[Any, int]:
    """Returns the value that begins at a line, and the index of the line after it."""
    if at >= len(lines):
        return None, at
    indent, text = lines[at]
    if text.startswith("- ") or text == "-":
        return _list(lines, at, indent)
    if _KEY.match(text):
        return _mapping(lines, at, indent)
    return _scalar(text), at + 1


def _list(lines: list[_Line], at: int, indent: int) -> tuple[list[Any], int]:
    items = []
    while at < len(lines) and lines[at][0] == indent and (lines[at][1].startswith("- ") or lines[at][1] == "-"):
        rest = lines[at][1][1:].lstrip()
        if rest:
            # What follows the hyphen is indented as if the hyphen were a space.
            lines[at] = (indent + len(lines[at][1]) - len(rest), rest)
            value, at = _node(lines, at)
        else:
            value, at = _node(lines, at + 1) if at + 1 < len(lines) and lines[at + 1][0] > indent else (None, at + 1)
        items.append(value)
        at = _skip_deeper(lines, at, indent)
    return items, at


def _mapping(lines: list[_Line], at: int, indent: int) -> tuple[dict[str, Any], int]:
    mapping: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent and (match := _KEY.match(lines[at][1])):
        key, value = match["key"].strip("'\""), (match["value"] or "").strip()
        at += 1
        if value and not _BLOCK.fullmatch(value):
            mapping[key] = _scalar(value)
        elif not value and at < len(lines) and _belongs(lines[at], indent):
            mapping[key], at = _node(lines, at)
        else:
            mapping[key] = None
        at = _skip_deeper(lines, at, indent)
    return mapping, at


def _belongs(line: _Line, indent: int) -> bool:
    """Whether a line is in the value of a key: a list may have the indentation of its key."""
    return line[0] > indent or (line[0] == indent and line[1].startswith("-"))


def _skip_deeper(lines: list[_Line], at: int, indent: int) -> int:
    while at < len(lines) and lines[at][0] > indent:
        at += 1
    return at


def _scalar(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(each.strip()) for each in text[1:-1].split(",") if each.strip()]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
