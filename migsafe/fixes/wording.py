"""A statement of a fix in the words of the one that it replaces: with its line breaks, its comments, its upper or lower case."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from migsafe.fixes.shapes import shape
from migsafe.patterns import lazy_pattern
from migsafe.sql.batches import Token, tokens_of
from migsafe.sql.lexer import QUOTED, WORD
from migsafe.sql.statements import read

_MOST_TOKENS = 400
"""Comparing two statements takes a time that grows with the square of their length."""

_LEAST_ALIKE = 0.5
_PARENTHESES = ("(", ")")
_NEEDS_NO_QUOTES = lazy_pattern(r'"[a-z_][a-z0-9_]*"')


def in_own_words(original: str, new: str, head: str = "") -> str:
    """Returns the text of a new statement, written as the original wherever both have the same words; the new one as it is, but for the case
    of its keywords, if it is another kind of statement, or would lose a comment. `head` makes a statement of them if they are only a part of
    one, an action."""
    old, wanted = tokens_of(original), tokens_of(new)
    cased = in_own_case(original, new)
    if not old or not wanted or len(old) + len(wanted) > _MOST_TOKENS or _word(old[0]) != _word(wanted[0]):
        return cased
    matcher = SequenceMatcher(None, [_word(token) for token in old], [_word(token) for token in wanted], autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return cased
    is_lower = old[0].text.islower()
    meaning = _meaning(head + new)
    for with_parentheses in (False, True):
        text = _merged(old, wanted, matcher, is_lower=is_lower, with_parentheses=with_parentheses)
        if text is not None and _meaning(head + text) == meaning:
            return text
    return cased


def in_own_case(original: str, new: str) -> str:
    """Returns the text of a new statement with keywords in lower case if those of an original one are. Comments, strings and quoted names
    stay, and a block of code, which is a string."""
    if not original[:1].islower() or not original.split(maxsplit=1)[0].islower() or "$$" in new:
        return new
    done, end = "", 0
    for token in tokens_of(new):
        done += token.gap + (token.text.lower() if token.kind == WORD and token.text.isupper() else token.text)
        end += len(token.gap) + len(token.text)
    return done + new[end:]


def _word(token: Token) -> str:
    """Returns with what a token is equal: a name with or without quotes, a word in upper or lower case."""
    if token.kind == QUOTED and _NEEDS_NO_QUOTES.fullmatch(token.text):
        return token.text.strip('"')
    return token.text.lower() if token.kind == WORD else token.text


def _meaning(sql: str) -> Any:
    # The file gets its line ends back when the statement is written.
    return [shape(op) for statement in read(sql.replace("\r\n", "\n")) for op in statement.operations]


def _merged(
    old: Sequence[Token], new: Sequence[Token], matcher: "SequenceMatcher[str]", *, is_lower: bool, with_parentheses: bool
) -> str | None:
    """Returns the new tokens with the text of the old ones where they are equal; None if that loses a comment. `with_parentheses`: also those
    that only the new statement has."""
    parts: list[str] = []
    gap: str | None = None
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        removed, added = old[start:end], new[new_start:new_end]
        if tag != "equal" and any(token.gap.strip() for token in removed):
            return None
        # What follows words that are left out stands where they stood.
        gap = removed[0].gap if tag != "equal" and removed else gap
        if tag != "equal" and not with_parentheses and all(token.text in _PARENTHESES for token in added):
            continue
        for number, token in enumerate(removed if tag == "equal" else added):
            if tag == "equal" and number == 0 and parts and parts[-1].endswith("."):
                gap = added[0].gap  # the new statement has a schema before the name
            text = token.text.lower() if tag != "equal" and is_lower and token.kind == WORD and token.text.isupper() else token.text
            parts.append((token.gap if gap is None or token.gap.strip() else gap) + text)
            gap = None
    return "".join(parts)
