r"""Variables of psql: `:name`, `:'name'` and `:"name"` with the values that `\set` gives them in the same file.

psql replaces them outside of quoted strings, quoted identifiers and comments (manual, psql, "SQL Interpolation"). `\set` joins its arguments;
they may be quoted and contain other variables. A value from a command in backquotes or from \gset, \prompt or \getenv is unknown, and so is one
that `\if` decides.
"""

import re
from collections.abc import Mapping

from migsafe.patterns import lazy_pattern

_LITERAL = r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/|::"
_VARIABLE = r"""(?<![\w\])"'$:\[]):(?:'(?P<string>\w+)'|"(?P<identifier>\w+)"|(?P<bare>\w+))"""
_COMMAND = r"\\(?P<command>\w+)(?P<arguments>[^\n\\]*)"
_TOKEN = lazy_pattern(rf"{_LITERAL}|{_COMMAND}|{_VARIABLE}", re.DOTALL)
_ARGUMENT = lazy_pattern(r"""'((?:[^'\\]|''|\\.)*)'|(:'\w+'|:"\w+"|[^\s'"`]+)|([^\s])""")
_OWN_COMMAND = lazy_pattern(r"^\\(?!(?:un)?restrict\b)[a-z!]+", re.MULTILINE)
_SETTERS = frozenset(("set", "unset", "gset", "prompt", "getenv"))


def fill_variables(text: str) -> str:
    r"""Returns the text of an SQL file with the values of its variables. Variables without a known value, and text without `\set`, stay."""
    if "\\set" not in text:
        return text
    values: dict[str, str] = {}
    is_conditional = False

    def fill(match: re.Match[str]) -> str:
        nonlocal is_conditional
        if match["command"] is not None:
            is_conditional = _is_conditional(match["command"], is_conditional)
            _set(values, match["command"], match["arguments"], is_conditional=is_conditional)
            return match[0]
        return _value(match, values)

    return _TOKEN.sub(fill, text)


def is_for_psql(text: str) -> bool:
    r"""Whether a script has commands of psql that its author has written. pg_dump writes `\restrict` and `\unrestrict` by itself, and `\.`."""
    return "\\" in text and _OWN_COMMAND.search(text) is not None


def _is_conditional(command: str, before: bool) -> bool:
    r"""Whether the commands after this one may be skipped. Nested `\if` blocks are not told apart."""
    return command != "endif" and (before or command == "if")


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name = match["string"] or match["identifier"] or match["bare"]
    value = values.get(name) if name is not None else None
    if value is None:
        return match[0]
    if match["string"] is not None:
        return "'" + value.replace("'", "''") + "'"
    return '"' + value.replace('"', '""') + '"' if match["identifier"] is not None else value


def _set(values: dict[str, str], command: str, arguments: str, *, is_conditional: bool) -> None:
    """Applies a command that gives variables values."""
    if command not in _SETTERS:
        return
    name, _, rest = arguments.strip().partition(" ")
    value = _joined(rest, values) if command == "set" and not is_conditional else None
    if command == "gset":
        values.clear()  # the names are those of the query's columns
    elif value is None:
        values.pop(name, None)
    else:
        values[name] = value


def _joined(arguments: str, values: Mapping[str, str]) -> str | None:
    r"""Returns the arguments of `\set` joined; None if a part is unknown."""
    parts: list[str] = []
    for quoted, word, other in _ARGUMENT.findall(arguments):
        part = _TOKEN.sub(lambda match: _value(match, values), word) if word else re.sub(r"''|\\(.)", _unescaped, quoted)
        if other or (word and part.startswith(":")):
            return None
        parts.append(part)
    return "".join(parts)


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1], match[1]) if match[1] is not None else "'"
