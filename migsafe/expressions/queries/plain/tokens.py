"""The tokens of a query, and the names among them."""

from functools import cache
from pathlib import Path

from migsafe.sql.keywords import RESERVED
from migsafe.sql.lexer import OPERATOR, PUNCTUATION, QUOTED, WORD, token_spans

_SPECIAL = frozenset(
    """alter anti asof between connect_by_root cross cube current_schema describe drop function glob if ilike inner insert interval
    isnull join like list lock map notnull nullable object outer overlaps partitioned_by qualify range recursive regexp revoke
    rlike rollback rollup semi straight_join struct tablesample uncache unnest values xor""".split()
)
"""Words that are not reserved in PostgreSQL, and that sqlglot does not take for a name everywhere."""
_FOLDED = frozenset((WORD, PUNCTUATION, OPERATOR))
_END = (0, "")
_LOOK_AHEAD = 4


class NotPlainError(Exception):
    """The text has a form that is not read here."""


@cache
def names_of_sqlglot() -> frozenset[str]:
    """Returns the words that have a meaning of their own for sqlglot: its functions, key words and types."""
    return frozenset(Path(__file__).with_name("sqlglot_names.txt").read_text("utf-8").split())


class Tokens:
    """The tokens of a text, each with its kind and its text, in lower case if it is a word; and the place of the next one."""

    def __init__(self, text: str) -> None:
        self.tokens = [(kind, text[start:end].lower() if kind in _FOLDED else text[start:end]) for kind, start, end in token_spans(text)]
        self.tokens += (_END,) * _LOOK_AHEAD
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether no token is left."""
        return self.tokens[self.at][0] == 0

    def is_next(self, word: str) -> bool:
        """Whether a word, an operator or a mark comes next."""
        return self.tokens[self.at][1] == word

    def accept(self, word: str, *others: str) -> bool:
        """Skips these words if they come next."""
        if self.tokens[self.at][1] != word:
            return False
        for number, other in enumerate(others, 1):
            if self.tokens[self.at + number][1] != other:
                return False
        self.at += 1 + len(others)
        return True

    def expect(self, word: str) -> None:
        """Skips a word that must come next."""
        if self.tokens[self.at][1] != word:
            raise NotPlainError
        self.at += 1

    def name(self) -> str:
        """Returns the name that comes next, and skips it."""
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == WORD and word not in RESERVED and word not in _SPECIAL:
            return word
        if kind == QUOTED and '""' not in word and len(word) > 2:
            return word[1:-1]
        raise NotPlainError

    def label(self) -> str:
        """Returns the name that comes next, which may be any word: one after a dot or AS."""
        kind, word = self.tokens[self.at]
        if kind != WORD or word in ("select", "not"):
            return self.name()
        self.at += 1
        return word

    def names_in_parentheses(self) -> tuple[str, ...]:
        """Returns the names in parentheses that come next."""
        self.expect("(")
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        self.expect(")")
        return tuple(names)
