"""The tokens of a query, and the text that tokens make with the spaces of the normal form."""

from typing import Final, NamedTuple

from migsafe.sql import lexer
from migsafe.sql.keywords import RESERVED
from migsafe.sql.split import MetaCommand, split


class Kind:
    """The kinds of the lexer that are used here, so that they can be compared in one place."""

    WORD: Final = lexer.WORD
    PARAMETER: Final = lexer.PARAMETER
    PUNCTUATION: Final = lexer.PUNCTUATION
    LITERALS: Final = frozenset((*lexer.STRINGS, lexer.BIT_STRING, lexer.NUMBER))


class Token(NamedTuple):
    """A token. A parameter has its number in the original text as `origin`, or None and the type of the value that it replaces, if that is
    known."""

    kind: int
    text: str
    origin: int | None = None
    guess: str | None = None

    def is_word(self, *words: str) -> bool:
        """Whether the token is one of some key words, which are given as the normal form has them."""
        return self.text in words and self.kind == lexer.WORD


_CAPITALS = RESERVED | frozenset(
    """insert update delete merge set values join left right inner outer full cross natural by exists is between like ilike over partition
    filter conflict nothing escape extract""".split()
)
_NO_SPACE_BEFORE = frozenset((",", ")", "]", ";", ".", "::", ""))
_NO_SPACE_AFTER = frozenset(("(", "[", ".", "::", ""))
_NEVER_CALLED = frozenset(
    word.upper()
    for word in (
        *(RESERVED - {"any", "some", "all", "array", "cast"}),
        *"insert update delete merge set values join by exists is between like ilike over partition filter conflict".split(),
    )
)


def read_tokens(text: str) -> tuple[list[Token], bool]:
    """Returns the tokens of a query, without comments and without a semicolon at the end, and whether they are all of the text: a string,
    identifier or comment that is not closed, and a meta-command of psql, are left out."""
    tokens: list[Token] = []
    complete = True
    for statement in split(text, pattern=lexer.pattern_for("")):  # braces in a query are no template
        if isinstance(statement, MetaCommand):
            complete = False
            continue
        if tokens:
            tokens.append(Token(lexer.PUNCTUATION, ";"))
        complete = complete and statement.unterminated is None
        for index, kind in enumerate(statement.kinds[: -lexer.LOOK_AHEAD]):
            if kind == lexer.WORD:
                word = statement.words[index]
                tokens.append(Token(kind, word.upper() if word in _CAPITALS else word))
            elif kind in (lexer.PUNCTUATION, lexer.OPERATOR):
                tokens.append(Token(kind, statement.words[index]))
            else:
                tokens += _other(tokens, kind, text[statement.starts[index] : statement.end_of(index)])
    return tokens, complete


def _other(before: list[Token], kind: int, raw: str) -> list[Token]:
    """Returns the token of a literal or a parameter. Drivers that write the values of a list themselves need no parentheses after IN."""
    if kind != lexer.PARAMETER:
        return [Token(kind, raw)]
    parameter = Token(kind, raw, int(raw[1:]))
    if before and before[-1].is_word("IN"):
        return [Token(lexer.PUNCTUATION, "("), parameter, Token(lexer.PUNCTUATION, ")")]
    return [parameter]


def render(tokens: list[Token]) -> str:
    """Returns the text of tokens, with the spaces of the normal form."""
    parts: list[str] = []
    before = Token(lexer.END, "")
    for token in tokens:
        if _is_apart(before, token):
            parts.append(" ")
        parts.append(token.text)
        before = token
    return "".join(parts)


def _is_apart(before: Token, token: Token) -> bool:
    """Whether a space separates two tokens."""
    if before.text in _NO_SPACE_AFTER or token.text in _NO_SPACE_BEFORE:
        return False
    if token.text == "(":
        return before.kind not in (lexer.WORD, lexer.QUOTED) or before.text in _NEVER_CALLED
    if token.text == "[":
        return before.kind not in (lexer.WORD, lexer.QUOTED) and before.text not in (")", "]")
    return True
