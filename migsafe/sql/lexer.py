r"""The tokens of a script, as the scanners of PostgreSQL and psql read them.

One regular expression reads them. It follows the manual's section 4.1, Lexical Structure. sqlglot's tokenizer is not used: it reads the rest of
a statement that begins with a word like `CALL` or `EXECUTE` as one string, does not know psql's meta-commands or COPY data, reads only whole
scripts, and takes about six times as long.
"""

import re
from array import array
from collections.abc import Iterator

from migsafe.patterns import lazy_pattern

END = 0
(
    WORD,
    PUNCTUATION,
    STRING,
    NUMBER,
    QUOTED,
    OPERATOR,
    ESCAPE_STRING,
    BIT_STRING,
    PARAMETER,
    PLACEHOLDER,
    UNICODE_STRING,
    UNICODE_QUOTED,
    DOLLAR_STRING,
    COMMENT_START,
    META,
    UNKNOWN,
    END_OF_TEXT,
) = range(1, 18)
"""Kinds of token, in the order of the groups of the regular expression. A PLACEHOLDER is replaced before PostgreSQL sees the statement: a
variable of a template or of psql."""

STRINGS = frozenset((STRING, ESCAPE_STRING, UNICODE_STRING, DOLLAR_STRING))
"""The kinds of string constants. A bit string is not one, and neither is N'…', which PostgreSQL reads as NCHAR '…' (here a BIT_STRING)."""

# The words that the grammar compares for kinds of token whose text does not matter. No identifier, operator or punctuation equals one.
WORDS_BY_KIND = {
    STRING: "'",
    ESCAPE_STRING: "'",
    UNICODE_STRING: "'",
    DOLLAR_STRING: "'",
    BIT_STRING: "b'",
    NUMBER: "0",
    QUOTED: '"',
    UNICODE_QUOTED: '"',
    PARAMETER: "$",
    PLACEHOLDER: "{}",
}

# Letters are A to Z, the underscore, and all characters beyond ASCII. The class is negated, because Python needs 70 ms to compile a class of a
# million characters.
_NOT_LETTER = r"\x00-@\[-\^`{-\x7f"
_LETTER = f"[^{_NOT_LETTER}]"
_CONTINUE = r"[^\x00-/:-@\[-\^`{-\x7f]"
_DIGITS = r"[0-9](?:_?[0-9])*+"
_SPACE = r"[ \t\n\r\f\v]*+"
_COMMENT = r"--[^\n\r]*+|/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/"
# A string continues after white space that contains a line end (manual, 4.1.2.1).
_CONTINUED = r"(?:[ \t\f\v]*+(?:--[^\n\r]*+)?[\n\r](?:[ \t\n\r\f\v]++|--[^\n\r]*+[\n\r])*+'[^']*+(?:''[^']*+)*+')*+"
_STRING_BODY = r"[^']*+(?:''[^']*+)*+"
_ESCAPE_BODY = r"[^'\\]*+(?:(?:''|\\(?s:.))[^'\\]*+)*+"
_EXPONENT = rf"(?:[eE][+-]?{_DIGITS})?"
# An operator that contains any of ~!@#^&|`?% may end in + or -; a trailing + or - does not belong to any other operator (manual, 4.1.3).
# PostgreSQL rejects operators of more than 63 characters, so longer ones are not tried.
_OPERATOR = (
    r"(?:(?!--|/\*)[+\-*/<>=]){0,62}(?!--|/\*)[~!@#^&|`?%](?:(?!--|/\*)[~!@#^&|`?+\-*/%<>=]){0,62}+"
    r"|(?:(?!--|/\*)[+\-*/<>=]){0,62}(?!--|/\*)[*/<>=]|(?!--)[+\-]"
)
# Control structures and comments of a template, which are not replaced by a name or a value.
_CONTROL = r"-?\s*(?:(?:if|else|end|range|with|define|block)\b|/\*|[#^!/])"
_TEMPLATE_VARIABLE = rf"\{{\{{(?!{_CONTROL})(?s:.*?)\}}\}}|\$\{{[^}}\n]*\}}"
_PSQL_VARIABLE = rf":'[^'\n]*'|:\"[^\"\n]*\"|:\{{\?\w+\}}|(?<![\w\])\"'$:\[]):{_LETTER}{_CONTINUE}*+"


def _pattern(placeholders: bool) -> re.Pattern[str]:
    skipped, not_glued, placeholder, quoted = _COMMENT, "", _PSQL_VARIABLE, r'[^"]*+(?:""[^"]*+)*+'
    if placeholders:
        skipped = rf"{_COMMENT}|\{{\{{{_CONTROL}(?s:.*?)\}}\}}|\{{%(?s:.*?)%\}}"
        not_glued = rf"(?!{_CONTINUE}*+(?:\{{\{{(?!{_CONTROL})|\$\{{))"
        # A placeholder forms one name with the characters next to it: app_${tenant}_log.
        quoted = r'(?:\{\{(?s:.*?)\}\}|[^"]|"")*+'  # a placeholder may contain quotes: "{{ index .Options "Schema" }}"
        placeholder = rf"{_CONTINUE}*+(?:{_TEMPLATE_VARIABLE})(?:{_CONTINUE}|{_TEMPLATE_VARIABLE})*+|{_PSQL_VARIABLE}"
    kinds = (
        rf"{not_glued}(?:[^{_NOT_LETTER}bBeEnNuUxX]|[eEbBxXnN](?!')|[uU](?!&['\"]))"
        rf"{_CONTINUE}*+(?:\$(?!\{{){_CONTINUE}*+)*+",
        r"[(),;\[\]]|::|:=|\.\.|\.(?![0-9])|=>(?![~!@#^&|`?+\-*/%<>=])",
        rf"'{_STRING_BODY}'{_CONTINUED}",
        rf"{not_glued}(?:0[xX](?:_?[0-9a-fA-F])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++"
        rf"|{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?{_EXPONENT}|\.{_DIGITS}{_EXPONENT})(?!{_CONTINUE})",
        rf'"{quoted}"',
        _OPERATOR,
        rf"[eE]'{_ESCAPE_BODY}'{_CONTINUED}",
        rf"[bBxXnN]'{_STRING_BODY}'{_CONTINUED}",
        r"\$[0-9]++",
        placeholder,
        rf"[uU]&'{_STRING_BODY}'{_CONTINUED}",
        r'[uU]&"[^"]*+(?:""[^"]*+)*+"',
        rf"\$(?:{_LETTER}{_CONTINUE}*+)?\$",
        r"/\*",
        r"\\[^\s\\]*+",
        r"(?s:.)",
        r"",
    )
    return re.compile(rf"{_SPACE}(?:(?:{skipped}){_SPACE})*+(?:" + "|".join(f"({kind})" for kind in kinds) + ")")


_PLAIN = _pattern(placeholders=False)
_WITH_TEMPLATE_VARIABLES: list[re.Pattern[str]] = []


def pattern_for(text: str) -> re.Pattern[str]:
    """Return the pattern whose successive matches are the tokens of `text`: `lastindex` is the kind, None at the end."""
    if "{{" in text or "${" in text or "{%" in text:
        if not _WITH_TEMPLATE_VARIABLES:
            _WITH_TEMPLATE_VARIABLES.append(_pattern(placeholders=True))
        return _WITH_TEMPLATE_VARIABLES[0]
    return _PLAIN


def token_spans(text: str) -> Iterator[tuple[int, int, int]]:
    """Yields the tokens of an expression or a statement: kind, start and end. A dollar-quoted string is one token, to its end."""
    pattern, at = pattern_for(text), 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None or match.lastindex is None or match.lastindex == END_OF_TEXT:
            return
        start, at = match.span(match.lastindex)
        if match.lastindex == DOLLAR_STRING:
            quote = match[match.lastindex]
            closing = text.find(quote, at)
            at = closing + len(quote) if closing >= 0 else len(text)
        yield match.lastindex, start, at


_WITH_OWN_TEXT = frozenset((END, WORD, PUNCTUATION, OPERATOR))
LOOK_AHEAD = 6
"""The number of END tokens at the end of a statement. The grammar can look that far ahead without a check."""


_NO_STARTS = array("I")
"""A copy of it, unlike a new array, raises no audit event, which the cache's watch would hear."""


class Tokens:
    """The tokens of one statement, in three lists of the same length.

    `kinds` are constants of this module. `words` are the strings that the grammar compares: an identifier in lower case, an operator or
    punctuation unchanged, and an entry of WORDS_BY_KIND for other tokens. `starts` are offsets in `text`. The lists end with LOOK_AHEAD END
    tokens, whose word is empty. A token takes 13 bytes and a shared string, so statements of many megabytes fit into memory.
    """

    __slots__ = ("kinds", "pattern", "starts", "text", "words")

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self.text = text
        self.pattern = pattern
        self.kinds = bytearray()
        self.words: list[str] = []
        self.starts = _NO_STARTS[:]

    def close(self, end: int) -> None:
        """Append the END tokens, at offset `end`."""
        self.kinds.extend(b"\0" * LOOK_AHEAD)
        self.words.extend(("",) * LOOK_AHEAD)
        self.starts.extend((end,) * LOOK_AHEAD)

    def end_of(self, index: int) -> int:
        """Return the offset after a token. It is read again, because the end of few tokens is needed."""
        start, kind = self.starts[index], self.kinds[index]
        if kind in _WITH_OWN_TEXT:
            return start + len(self.words[index])
        match = self.pattern.match(self.text, start)
        assert match is not None  # the pattern matches everywhere
        if kind != DOLLAR_STRING:
            return match.end()
        return self.text.find(match[DOLLAR_STRING], match.end()) + len(match[DOLLAR_STRING])


_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


_MARK = lazy_pattern(r"\{\{-?[ \t]*([\w.$]+)[ \t]*-?\}\}")


def plain_marks(name: str) -> str:
    """Return a name with its template marks in one form, because `{{ .Schema }}` and `{{.Schema}}` are one schema."""
    return _MARK.sub(r"{{ \1 }}", name) if "{{" in name else name


def fold(identifier: str) -> str:
    """Return an unquoted identifier as PostgreSQL stores it: in a UTF-8 database only the letters A to Z are folded."""
    return identifier.lower() if identifier.isascii() else identifier.translate(_ASCII_LOWER)


def skip_comment(text: str, start: int, end: int) -> int:
    """Return the end of the block comment that begins at `start`, with its nested comments; -1 where it is not closed."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, start, end):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return -1
