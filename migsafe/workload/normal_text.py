"""The normal form of a query: its text without values, and the fingerprint by which equal queries are recognised.

It works on the tokens of migsafe's own lexer, so that it is fast and also reads SQL that no parser understands.
"""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.sql import lexer
from migsafe.workload.lists import merge_lists
from migsafe.workload.masking import mask_values
from migsafe.workload.tokens import Kind, Token, read_tokens, render

_SIMPLE_NAME = lazy_pattern(r'"[a-z_][a-z0-9_]*"')
_LENGTH = 16


class NormalText(Struct, frozen=True, kw_only=True):
    """A query in its normal form.

    `text` has one space between tokens, no comments, key words in capitals, and parameters `$1`, `$2`, … in the order in which they appear.
    `fingerprint` is the same for texts that differ only in what `Query` names. `origins` has for each parameter of `text` its number in the
    original text, None for a value that was masked; `guesses` the type of a masked number. `complete` is False if the original text ends
    inside a string, an identifier or a comment; `text` then ends before it.
    """

    text: str
    fingerprint: str
    origins: tuple[int | None, ...] = ()
    guesses: tuple[str | None, ...] = ()
    complete: bool = True

    def parameters(self, types: Sequence[str | None] = ()) -> tuple[str | None, ...]:
        """Returns the types of the parameters of `text`, from those of the original text; without the unknown ones at the end."""
        found = [
            guess if origin is None else types[origin - 1] if 0 < origin <= len(types) else None
            for origin, guess in zip(self.origins, self.guesses, strict=True)
        ]
        while found and found[-1] is None:
            found.pop()
        return tuple(found)


def production_fingerprint(text: str) -> str:
    """Returns the fingerprint that the text of a query has in pg_stat_statements, which masks TRUE, FALSE and NULL as well."""
    tokens, _ = read_tokens(text)
    return _fingerprint(merge_lists(mask_values(tokens, constants=True)))


def normal_text(text: str, *, mask: bool = True) -> NormalText:
    """Returns the normal form of a query whose parameters are `$1`, `$2`, …

    With `mask`, every literal becomes a parameter, a list of IN or ARRAY keeps one value, and VALUES one row. Without it, for the texts of a
    repository, `text` and fingerprint keep literals, and `text` its lists.
    """
    tokens, complete = read_tokens(text)
    merged = merge_lists(mask_values(tokens) if mask else tokens)
    kept, origins, guesses = _number(merged if mask else tokens)
    return NormalText(
        text=render(kept),
        fingerprint=_fingerprint(merged),
        origins=origins,
        guesses=guesses,
        complete=complete,
    )


def _fingerprint(tokens: list[Token]) -> str:
    shape = render([_shape(token) for token in tokens])
    return sha256(shape.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def _shape(token: Token) -> Token:
    """Returns a token as it enters the fingerprint."""
    if token.kind == lexer.PARAMETER:
        return Token(Kind.PARAMETER, "$")
    if token.kind == lexer.QUOTED and _SIMPLE_NAME.fullmatch(token.text):
        return Token(Kind.WORD, token.text[1:-1])
    return token


def _number(tokens: list[Token]) -> tuple[list[Token], tuple[int | None, ...], tuple[str | None, ...]]:
    """Returns the tokens with their parameters numbered as they appear, the original number of each, and its guessed type."""
    numbered: list[Token] = []
    numbers: dict[int, int] = {}
    origins: list[int | None] = []
    guesses: list[str | None] = []
    for token in tokens:
        if token.kind != lexer.PARAMETER:
            numbered.append(token)
            continue
        number = numbers.get(token.origin) if token.origin is not None else None
        if number is None:
            origins.append(token.origin)
            guesses.append(token.guess)
            number = len(origins)
            if token.origin is not None:
                numbers[token.origin] = number
        numbered.append(Token(Kind.PARAMETER, f"${number}"))
    return numbered, tuple(origins), tuple(guesses)
