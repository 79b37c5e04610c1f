"""The part of YAML that configurations of sqlc are written in: mappings and lists by indentation, lists in brackets, strings, anchors."""

from typing import Any

from migsafe.patterns import lazy_pattern

_KEY = lazy_pattern(r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s#:\[\]{},'\"-][^:#]*?)[ \t]*:(?:[ \t]+(?P<value>.*))?$")
_COMMENT = lazy_pattern(r"(?:^|[ \t]+)#.*$")
_BLOCK = lazy_pattern(r"[|>][+-]?\d?$")

_ANCHOR = lazy_pattern(r"&(?P<name>[^\s,\[\]{}]+)(?:[ \t]+|$)")
_ALIAS = lazy_pattern(r"\*(?P<name>[^\s,\[\]{}]+)")

_Line = tuple[int, str]


def parse_yaml(text: str) -> Any:
    """Returns the document of a YAML text: mappings as dict, lists as list, and all else as text; None where it cannot be read.

    Tags, mappings in braces and texts of several lines are not read, and their keys have no value.
    """
    lines = []
    for raw in text.splitlines():
        line = _without_comment(raw).rstrip()
        if line.strip() and line.strip() not in ("---", "..."):
            lines.append((len(line) - len(line.lstrip(" ")), line.strip()))
    return _Reader(lines).node(0)[0]


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


class _Reader:
    """Reads the lines of a document. `anchors` are the values that aliases (`*name`) repeat."""

    def __init__(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.anchors: dict[str, Any] = {}

    def node(self, at: int) -> tuple[Any, int]:
        """Returns the value that begins at a line, and the index of the line after it."""
        if at >= len(self.lines):
            return None, at
        indent, text = self.lines[at]
        anchor = _ANCHOR.match(text)
        if anchor is not None:
            rest = text[anchor.end() :]
            if rest:
                self.lines[at] = (indent + anchor.end(), rest)
            value, at = self.node(at if rest else at + 1)
            self.anchors[anchor["name"]] = value
            return value, at
        if text.startswith("- ") or text == "-":
            return self._list(at, indent)
        if _KEY.match(text):
            return self._mapping(at, indent)
        return self._scalar(text), at + 1

    def _list(self, at: int, indent: int) -> tuple[list[Any], int]:
        items, lines = [], self.lines
        while at < len(lines) and lines[at][0] == indent and (lines[at][1].startswith("- ") or lines[at][1] == "-"):
            rest = lines[at][1][1:].lstrip()
            if rest:
                # What follows the hyphen is indented as if the hyphen were a space.
                lines[at] = (indent + len(lines[at][1]) - len(rest), rest)
                value, at = self.node(at)
            else:
                value, at = self.node(at + 1) if at + 1 < len(lines) and lines[at + 1][0] > indent else (None, at + 1)
            items.append(value)
            at = _skip_deeper(lines, at, indent)
        return items, at

    def _mapping(self, at: int, indent: int) -> tuple[dict[str, Any], int]:
        mapping: dict[str, Any] = {}
        merged: list[Any] = []
        lines = self.lines
        while at < len(lines) and lines[at][0] == indent and (match := _KEY.match(lines[at][1])):
            key, value = match["key"].strip("'\""), (match["value"] or "").strip()
            anchor = _ANCHOR.match(value)
            value = value[anchor.end() :] if anchor is not None else value
            at += 1
            if value and not _BLOCK.fullmatch(value):
                content = self._scalar(value)
            elif not value and at < len(lines) and _belongs(lines[at], indent):
                content, at = self.node(at)
            else:
                content = None
            if anchor is not None:
                self.anchors[anchor["name"]] = content
            if key == "<<":
                merged += content if isinstance(content, list) else [content]
            else:
                mapping[key] = content
            at = _skip_deeper(lines, at, indent)
        for other in merged:
            if isinstance(other, dict):
                mapping = other | mapping
        return mapping, at

    def _scalar(self, text: str) -> Any:
        if text.startswith("[") and text.endswith("]"):
            return [self._scalar(each.strip()) for each in text[1:-1].split(",") if each.strip()]
        if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            return text[1:-1]
        alias = _ALIAS.fullmatch(text)
        return text if alias is None else self.anchors.get(alias["name"])


def _belongs(line: _Line, indent: int) -> bool:
    """Whether a line is in the value of a key: a list may have the indentation of its key."""
    return line[0] > indent or (line[0] == indent and line[1].startswith("-"))


def _skip_deeper(lines: list[_Line], at: int, indent: int) -> int:
    while at < len(lines) and lines[at][0] > indent:
        at += 1
    return at
