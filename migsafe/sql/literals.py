"""The values of constants and identifiers as PostgreSQL reads them (manual, 4.1.2)."""

import re

from migsafe.patterns import lazy_pattern

_CONTINUATION = lazy_pattern(r"'(?:[ \t\n\r\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*)*'")
_UNICODE = lazy_pattern(r"\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|(\\))")
_ESCAPE = lazy_pattern(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|''", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def string_value(raw: str, *, plain: bool, escapes: bool) -> str:
    """Return the value of a string constant from its text with quotes and prefix.

    `plain`: it has no prefix, or the prefix N. `escapes`: it has the prefix E. A code point that does not exist becomes U+FFFD.
    """
    if raw[0] == "$":
        tag = raw.index("$", 1) + 1
        return raw[tag:-tag]
    body = raw[raw.index("'") + 1 : -1]
    if "'" in body and ("\n" in body or "\r" in body):
        body = _join(body)
    if plain:
        return body.replace("''", "'")
    return _ESCAPE.sub(_escape, body) if escapes else unicode_value(body.replace("''", "'"))


def unicode_value(body: str, escape: str = "\\") -> str:
    r"""Return the text of a U&'…' or U&"…" with its `\0061` and `\+000061` escapes replaced; `escape` is the character of UESCAPE."""
    pattern = _UNICODE if escape == "\\" else re.compile(_UNICODE.pattern.replace(r"\\", re.escape(escape)))
    return pattern.sub(lambda m: m[3] or _character(int(m[1] or m[2], 16)), body)


def unescape(unit: str) -> str:
    """Return the character that a doubled quote, an escape of an E'…', or a plain character in a string constant means."""
    if unit == "''":
        return "'"
    return _ESCAPE.sub(_escape, unit) if unit[0] == "\\" and len(unit) > 1 else unit


def _join(body: str) -> str:
    # Quotes inside a constant are doubled, so only a single quote can belong to a continuation.
    pieces: list[str] = []
    at = 0
    while (quote := body.find("'", at)) >= 0:
        continuation = _CONTINUATION.match(body, quote)
        if continuation and not body.startswith("''", quote):
            pieces.append(body[at:quote])
            at = continuation.end()
        else:
            pieces.append(body[at : quote + 2])
            at = quote + 2
    return "".join(pieces) + body[at:]


def _escape(match: re.Match[str]) -> str:
    octal, byte, short, long, character = match.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if byte or short or long:
        return _character(int(byte or short or long, 16))
    return _ESCAPED.get(character, character) if character else "'"


def _character(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else "\ufffd"
