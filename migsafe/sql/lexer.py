r"""From a script's text to tokens, as PostgreSQL's scanner and psql's read it.

One regular expression does the work, after the manual's section 4.1, Lexical Structure. sqlglot's tokenizer is not used here: it swallows
the rest of a statement that begins with a word like `CALL` or `EXECUTE` as one string, does not know psql's meta-commands or COPY data,
takes a script only as a whole, and costs about six times as much.
"""

import re
from array import array

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
"""Kinds of token, in the order of the groups of the regular expression. A MARK is what something else replaces before PostgreSQL sees it:
a template's or a psql variable."""

STRINGS = frozenset((STRING, ESCAPE_STRING, UNICODE_STRING, DOLLAR_STRING))
"""The kinds that are a string constant. A bit string is none, nor is N'…', which PostgreSQL reads as NCHAR '…' (kind BIT_STRING here)."""

# What a grammar compares for the kinds whose text it does not: no identifier, operator or punctuation is spelt like one of these.
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

# Letters are A to Z, the underscore, and everything beyond ASCII. Said by what they are not: a class of a million characters takes
# Python 70 ms to compile.
_NOT_LETTER = r"\x00-@\[-\^`{-\x7f"
_LETTER = f"[^{_NOT_LETTER}]"
_CONTINUE = r"[^\x00-/:-@\[-\^`{-\x7f]"
_DIGITS = r"[0-9](?:_?[0-9])*+"
_SPACE = r"[ \t\n\r\f\v]*+"
_COMMENT = r"--[^\n\r]*+|/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/"
# A string goes on after white space that holds a line end (manual, 4.1.2.1).
_CONTINUED = r"(?:[ \t\f\v]*+(?:--[^\n\r]*+)?[\n\r](?:[ \t\n\r\f\v]++|--[^\n\r]*+[\n\r])*+'[^']*+(?:''[^']*+)*+')*+"
_STRING_BODY = r"[^']*+(?:''[^']*+)*+"
_ESCAPE_BODY = r"[^'\\]*+(?:(?:''|\\(?s:.))[^'\\]*+)*+"
_EXPONENT = rf"(?:[eE][+-]?{_DIGITS})?"
# An operator that holds any of ~!@#^&|`?% may end in + or -; any other gives a trailing + or - back (manual, 4.1.3). PostgreSQL refuses one
# of more than 63 characters, so that no more need to be tried at once.
_OPERATOR = (
    r"(?:(?!--|/\*)[+\-*/<>=]){0,62}(?!--|/\*)[~!@#^&|`?%](?:(?!--|/\*)[~!@#^&|`?+\-*/%<>=]){0,62}+"
    r"|(?:(?!--|/\*)[+\-*/<>=]){0,62}(?!--|/\*)[*/<>=]|(?!--)[+\-]"
)
# What a template engine decides or takes out, as opposed to what it replaces by a name or a value.
_CONTROL = r"-?\s*(?:(?:if|else|end|range|with|define|block)\b|/\*|[#^!/])"
_MARK = rf"\{{\{{(?!{_CONTROL})(?s:.*?)\}}\}}|\$\{{[^}}\n]*\}}"
_PSQL_VARIABLE = rf":'[^'\n]*'|:\"[^\"\n]*\"|:\{{\?\w+\}}|(?<![\w\])\"'$:\[]):{_LETTER}{_CONTINUE}*+"


def _pattern(marks: bool) -> re.Pattern[str]:
    skipped, not_glued, mark, quoted = _COMMENT, "", _PSQL_VARIABLE, r'[^"]*+(?:""[^"]*+)*+'
    if marks:
        skipped = rf"{_COMMENT}|\{{\{{{_CONTROL}(?s:.*?)\}}\}}|\{{%(?s:.*?)%\}}"
        not_glued = rf"(?!{_CONTINUE}*+(?:\{{\{{(?!{_CONTROL})|\$\{{))"
        # A mark makes one name with whatever touches it: app_${tenant}_log.
        quoted = r'(?:\{\{(?s:.*?)\}\}|[^"]|"")*+'  # a mark may hold quotes of its own: "{{ index .Options "Schema" }}"
        mark = rf"{_CONTINUE}*+(?:{_MARK})(?:{_CONTINUE}|{_MARK})*+|{_PSQL_VARIABLE}"
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
        mark,
        rf"[uU]&'{_STRING_BODY}'{_CONTINUED}",
        r'[uU]&"[^"]*+(?:""[^"]*+)*+"',
        rf"\$(?:{_LETTER}{_CONTINUE}*+)?\$",
        r"/\*",
        r"\\[^\s\\]*+",
        r"(?s:.)",
        r"",
    )
    return re.compile(rf"{_SPACE}(?:(?:{skipped}){_SPACE})*+(?:" + "|".join(f"({kind})" for kind in kinds) + ")")


_PLAIN = _pattern(marks=False)
_WITH_MARKS: list[re.Pattern[str]] = []


def pattern_for(text: str) -> re.Pattern[str]:
    """The pattern whose matches, one after the other, are the tokens of `text`: `lastindex` is the kind, None at the end."""
    if "{{" in text or "${" in text or "{%" in text:
        if not _WITH_MARKS:
            _WITH_MARKS.append(_pattern(marks=True))
        return _WITH_MARKS[0]
    return _PLAIN


_SPELT_OUT = frozenset((END, WORD, PUNCTUATION, OPERATOR))
LOOK_AHEAD = 6
"""How many END tokens close a statement, so that a grammar may look that far ahead without a check."""


class Tokens:
    """The tokens of one statement, in three columns of the same length.

    `kinds` are the constants of this module; `words` are what a grammar compares: an identifier folded to lower case, an operator or
    punctuation as it is, and WORD_OF_KIND for the rest. `starts` are offsets into `text`. The columns close with LOOK_AHEAD END tokens,
    whose word is empty. A token costs 13 bytes and a shared string, so a statement of many megabytes can be held.
    """

    __slots__ = ("kinds", "pattern", "starts", "text", "words")

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self.text = text
        self.pattern = pattern
        self.kinds = bytearray()
        self.words: list[str] = []
        self.starts = array("I")

    def close(self, end: int) -> None:
        """Append the END tokens, at offset `end`."""
        self.kinds.extend(b"\0" * LOOK_AHEAD)
        self.words.extend(("",) * LOOK_AHEAD)
        self.starts.extend((end,) * LOOK_AHEAD)

    def end_of(self, index: int) -> int:
        """The offset after a token: found by reading it again, because few tokens are ever asked."""
        start, kind = self.starts[index], self.kinds[index]
        if kind in _SPELT_OUT:
            return start + len(self.words[index])
        match = self.pattern.match(self.text, start)
        assert match is not None  # the pattern matches everywhere
        if kind != DOLLAR_STRING:
            return match.end()
        return self.text.find(match[DOLLAR_STRING], match.end()) + len(match[DOLLAR_STRING])


_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(identifier: str) -> str:
    """An unquoted identifier as PostgreSQL stores it: in a UTF-8 database only the letters A to Z are folded."""
    return identifier.lower() if identifier.isascii() else identifier.translate(_ASCII_LOWER)


def skip_comment(text: str, start: int, end: int) -> int:
    """Where the block comment that opens at `start` ends, comments nested in it included; -1 where it never does."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, start, end):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return -1
