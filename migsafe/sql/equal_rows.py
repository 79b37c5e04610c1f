"""The rows of an INSERT of which only the first ones need to be kept: the others have the same tokens but for their constants.

A statement may have a million rows. Reading one more of a known form tells nothing, and its tokens take several times the memory of its text.
"""

from migsafe.patterns import lazy_pattern
from migsafe.sql.lexer import NUMBER, OPERATOR, PUNCTUATION, STRING, WORD, Tokens

_KEPT = 100
"""How many rows of a form are kept."""

_PLAIN = frozenset((WORD, NUMBER, STRING, PUNCTUATION, OPERATOR))
"""The kinds of the tokens of a row that may be left out: what others mean depends on their text."""

_TEXT_MATTERS = lazy_pattern(r"0[xXoObB]|[0-9]_")
"""Numbers that older versions of PostgreSQL do not read."""


class EqualRows:
    """Leaves out rows of a statement while it is read: those of VALUES, if it is an INSERT. `thin` is called now and then, and looks at the
    rows that are new since."""

    __slots__ = ("_at", "_forms", "_has_rows")

    def __init__(self, tokens: Tokens) -> None:
        self._has_rows = tokens.words[0] == "insert" and "values" in tokens.words
        self._at = tokens.words.index("values") + 1 if self._has_rows else 0
        self._forms: dict[tuple[bytes, tuple[str, ...]], int] = {}

    def thin(self, tokens: Tokens) -> None:
        """Removes the tokens of complete rows whose form occurs often."""
        if not self._has_rows:
            return
        words = tokens.words
        kept = begin = self._at
        while (end := _end_of_row(words, begin)) is not None:
            if self._is_known(tokens, begin, end):
                pass
            elif kept == begin:
                kept = end
            else:
                _move(tokens, begin, end, kept)
                kept += end - begin
            begin = end
        for each in (tokens.kinds, words, tokens.starts):
            del each[kept:begin]
        self._at = kept

    def _is_known(self, tokens: Tokens, begin: int, end: int) -> bool:
        """Counts the form of a row, and returns whether enough rows have it."""
        kinds = bytes(tokens.kinds[begin:end])
        if not _PLAIN.issuperset(kinds) or _TEXT_MATTERS.search(tokens.text, tokens.starts[begin], tokens.starts[end]):
            return False
        form = kinds, tuple(tokens.words[begin:end])
        number = self._forms[form] = self._forms.get(form, 0) + 1
        return number > _KEPT


def _end_of_row(words: list[str], begin: int) -> int | None:
    """Returns the number of the token after a row and its comma; None if the row is not complete, or is the last one."""
    if begin >= len(words) or words[begin] != "(":
        return None
    depth = 0
    for number in range(begin, len(words)):
        word = words[number]
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
            if not depth:
                return number + 2 if number + 2 < len(words) and words[number + 1] == "," else None
    return None


def _move(tokens: Tokens, begin: int, end: int, to: int) -> None:
    tokens.kinds[to : to + end - begin] = tokens.kinds[begin:end]
    tokens.words[to : to + end - begin] = tokens.words[begin:end]
    tokens.starts[to : to + end - begin] = tokens.starts[begin:end]
