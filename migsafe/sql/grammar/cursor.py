"""A cursor over the tokens of a statement, with which every part of the grammar reads."""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from migsafe.sql.features import NAMES_BEFORE_KEY_WORDS, Feature
from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from migsafe.sql.lexer import (
    END,
    ESCAPE_STRING,
    LOOK_AHEAD,
    PLACEHOLDER,
    QUOTED,
    STRING,
    STRINGS,
    UNICODE_QUOTED,
    UNICODE_STRING,
    WORD,
    Tokens,
    plain_marks,
)
from migsafe.sql.literals import string_value, unicode_value
from migsafe.sql.operations.values import Name
from migsafe.text import Span

T = TypeVar("T")

MOST_BYTES = 63

NOT_A_COLUMN_NAME = RESERVED | TYPE_OR_FUNCTION_NAME
NOT_A_FUNCTION_NAME = RESERVED | COLUMN_NAME


class Unexpected(Exception):
    """A token that the grammar does not allow: its index, and what was expected in its place."""

    def __init__(self, index: int, expected: str) -> None:
        super().__init__(expected)
        self.index = index
        self.expected = expected


class Cursor:
    """A position in a statement's tokens.

    `at(…)` tests for words, `accept(…)` skips words where they are next, `expect(…)` raises Unexpected where they are not. `reads` and `calls`
    collect the relations and functions that expressions and queries name. `ctes` are the names that the enclosing WITH clauses define.
    `features` has the uses of what a release after 14 added, each with the index of its token.
    `truncated` has the identifiers that are too long, by token: the whole identifier, and the part that PostgreSQL keeps.
    """

    __slots__ = ("calls", "ctes", "features", "i", "kinds", "reads", "tokens", "truncated", "words")

    def __init__(self, tokens: Tokens, start: int = 0) -> None:
        self.tokens = tokens
        self.words = tokens.words
        self.kinds = tokens.kinds
        self.i = start
        self.reads: list[Name] = []
        self.calls: list[Name] = []
        self.ctes: frozenset[str] = frozenset()
        self.features: list[tuple[Feature, int]] = []
        self.truncated: dict[int, tuple[str, str]] = {}

    # Tests and movement

    def at(self, *words: str) -> bool:
        """Whether these words are next."""
        i = self.i
        for word in words:
            if self.words[i] != word:
                return False
            i += 1
        return True

    def accept(self, first: str, *words: str) -> bool:
        """Skip these words if they are next, and return whether they were."""
        i = self.i
        if self.words[i] != first:
            return False
        for word in words:
            i += 1
            if self.words[i] != word:
                return False
        self.i = i + 1
        return True

    def expect(self, *words: str) -> None:
        """Skip these words. Raises Unexpected where they are not next."""
        for word in words:
            if self.words[self.i] != word:
                self.fail(word.upper() if word[0].isalpha() else f'"{word}"')
            self.i += 1

    def accept_any(self, words: frozenset[str] | tuple[str, ...]) -> str | None:
        """Skip the next word if it is one of `words`, and return it; None otherwise."""
        word = self.words[self.i]
        if word in words and word:
            self.i += 1
            return word
        return None

    def expect_any(self, *words: str) -> str:
        """Skip one of `words` and return it. Raises Unexpected where none of them is next."""
        return self.accept_any(words) or self.fail(" or ".join(word.upper() for word in words))

    def fail(self, expected: str) -> NoReturn:
        """Raise Unexpected for the current token."""
        raise Unexpected(self.i, expected)

    @property
    def done(self) -> bool:
        """Whether all tokens have been read."""
        return self.kinds[self.i] == END

    def uses(self, feature: Feature | None, at: int | None = None) -> None:
        """Note that the statement uses a feature, at the token before the cursor or at token `at`. None stands for a statement without one."""
        if feature is not None:
            self.features.append((feature, self.i - 1 if at is None else at))

    def list_of(self, item: Callable[[], T]) -> tuple[T, ...]:
        """Read one or more items, separated by commas."""
        items = [item()]
        while self.words[self.i] == ",":
            self.i += 1
            items.append(item())
        return tuple(items)

    def in_parentheses(self, item: Callable[[], T]) -> tuple[T, ...]:
        """Read one or more items, separated by commas, in parentheses."""
        self.expect("(")
        items = self.list_of(item)
        self.expect(")")
        return items

    def skip_group(self) -> None:
        """Skip a group in parentheses or brackets."""
        depth = 0
        while True:
            word = self.words[self.i]
            if not word:
                self.fail('")"')
            self.i += 1
            if word in ("(", "["):
                depth += 1
            elif word in (")", "]"):
                depth -= 1
                if not depth:
                    return

    # Texts and spans

    def text(self, start: int, end: int | None = None) -> str:
        """Return the text from token `start` up to, but not including, token `end` (by default the current one)."""
        span = self.span(start, end)
        return self.tokens.text[span.start : span.end]

    def span(self, start: int, end: int | None = None) -> Span:
        """Return the span from token `start` up to, but not including, token `end` (by default the current one)."""
        last = (self.i if end is None else end) - 1
        begin = self.tokens.starts[start]
        return Span(begin, self.tokens.end_of(last) if last >= start else begin)

    def raw(self, index: int) -> str:
        """Return the text of a token."""
        return self.tokens.text[self.tokens.starts[index] : self.tokens.end_of(index)]

    # Names

    def identifier(self, index: int) -> str:
        """Return the identifier of a token, without quotes."""
        kind = self.kinds[index]
        if kind == WORD:
            name = self.words[index]
        elif kind == QUOTED:
            name = plain_marks(self.raw(index)[1:-1].replace('""', '"'))
        elif kind == UNICODE_QUOTED:
            name = unicode_value(self.raw(index)[3:-1].replace('""', '"'), self._escape_character(index))
        else:
            return plain_marks(self.raw(index))
        if len(name) > MOST_BYTES or not name.isascii():
            return self._truncate(index, name)
        return name

    def _escape_character(self, index: int) -> str:
        r"""Return the escape character of a token U&'…' or U&"…"."""
        return self.string_at(index + 2) if self.words[index + 1] == "uescape" and self.words[index + 2] == "'" else "\\"

    def _truncate(self, index: int, name: str) -> str:
        """Return the part of an identifier that PostgreSQL keeps: its first 63 bytes, only whole characters (manual, 4.1.1)."""
        data = name.encode()
        if len(data) <= MOST_BYTES:
            return name
        truncated = data[:MOST_BYTES].decode(errors="ignore")
        self.truncated[index] = (name, truncated)
        return truncated

    def at_name(self) -> bool:
        """Whether the name of a column, a table or most other objects can begin here (ColId in PostgreSQL's grammar)."""
        kind = self.kinds[self.i]
        return self.words[self.i] not in NOT_A_COLUMN_NAME if kind == WORD else kind in (QUOTED, PLACEHOLDER, UNICODE_QUOTED)

    def name(self, expected: str = "a name") -> str:
        """Read the name of a column, a table or most other objects (ColId)."""
        i = self.i
        if self.kinds[i] == WORD:
            word = self.words[i]
            if word in NOT_A_COLUMN_NAME:
                self.fail(expected)
            self.i = i + 1
            return word if len(word) <= MOST_BYTES and word.isascii() else self._truncate(i, word)
        if not self.at_name():
            self.fail(expected)
        self.i = i + 1
        if self.kinds[i] == UNICODE_QUOTED:
            self.accept_escape_character()
        return self.identifier(i)

    def accept_escape_character(self) -> None:
        """Skip UESCAPE 'character', which may follow U&'…' or U&"…"."""
        if self.accept("uescape"):
            self.string()

    def label(self, expected: str = "a name") -> str:
        """Read a name in a place where any key word is valid as a name (ColLabel): after a dot, after AS."""
        if self.kinds[self.i] not in (WORD, QUOTED, PLACEHOLDER, UNICODE_QUOTED):
            self.fail(expected)
        i = self.i
        self.i = i + 1
        if self.kinds[i] == UNICODE_QUOTED:
            self.accept_escape_character()
        return self.identifier(i)

    def non_reserved(self, expected: str = "a name") -> str:
        """Read a name that is any word except a reserved one (NonReservedWord)."""
        if self.kinds[self.i] == WORD and self.words[self.i] in RESERVED:
            self.fail(expected)
        return self.label(expected)

    def type_or_function(self, expected: str) -> str:
        """Read the first part of the name of a type or a function (type_function_name)."""
        word = self.words[self.i]
        if self.kinds[self.i] == WORD and word in NOT_A_FUNCTION_NAME:
            if word not in NAMES_BEFORE_KEY_WORDS:
                self.fail(expected)
            self.uses(NAMES_BEFORE_KEY_WORDS[word], self.i)
        return self.label(expected)

    def qualified(self, expected: str = "a name") -> Name:
        """Read a name with its schema and database, if it has them (qualified_name, any_name)."""
        first = self.name(expected)
        return self.rest_of_name(first) if self.words[self.i] == "." else Name(first)

    def rest_of_name(self, first: str) -> Name:
        """Read the parts of a name after the first one, with their dots."""
        parts = [first]
        while self.words[self.i] == ".":
            self.i += 1
            parts.append(self.label())
        return name_of(parts)

    def qualified_function(self) -> Name:
        """Read the name of a function with its schema, if it has one (func_name)."""
        if self.words[self.i + 1] != ".":
            return Name(self.type_or_function("a function's name"))
        return self.rest_of_name(self.name("a function's name"))

    def role(self) -> str:
        """Read the name of a role, CURRENT_USER, CURRENT_ROLE, SESSION_USER or PUBLIC (RoleSpec)."""
        word = self.words[self.i]
        if word in ("current_user", "session_user", "current_role"):
            self.i += 1
            return word
        return self.non_reserved("a role")

    # Constants

    def at_string(self) -> bool:
        """Whether a string constant, or a placeholder for one, is next."""
        return self.kinds[self.i] in STRINGS or self.kinds[self.i] == PLACEHOLDER

    def string(self, expected: str = "a string") -> str:
        """Read a string constant and return its value."""
        if not self.at_string():
            self.fail(expected)
        i = self.i
        self.i = i + 1
        if self.kinds[i] == UNICODE_STRING:
            self.accept_escape_character()
        return self.string_at(i)

    def string_at(self, index: int) -> str:
        """Return the value of a token that is a string constant, or the text of a placeholder."""
        kind = self.kinds[index]
        return self.raw(index) if kind == PLACEHOLDER else string_value(self.raw(index), plain=kind == STRING, escapes=kind == ESCAPE_STRING)

    def number(self, expected: str = "a number") -> str:
        """Read a number with or without a sign, and return its text."""
        start = self.i
        if self.words[self.i] in ("+", "-"):
            self.i += 1
        if self.words[self.i] not in ("0", "{}"):
            self.fail(expected)
        self.i += 1
        return self.text(start)

    # Clauses that many statements share

    def if_exists(self) -> bool:
        """Skip IF EXISTS, and return whether it was there."""
        if self.words[self.i] == "if" and self.words[self.i + 1] == "exists":
            self.i += 2
            return True
        return False

    def if_not_exists(self) -> bool:
        """Skip IF NOT EXISTS, and return whether it was there."""
        return self.accept("if", "not", "exists")

    def cascade(self) -> bool:
        """Skip CASCADE or RESTRICT, and return whether it was CASCADE. The default is RESTRICT."""
        if self.accept("cascade"):
            return True
        self.accept("restrict")
        return False

    def rest(self) -> str:
        """Skip the rest of the statement, with balanced parentheses, and return its text."""
        start = self.i
        while not self.done:
            if self.words[self.i] in ("(", "["):
                self.skip_group()
            elif self.words[self.i] in (")", "]"):
                self.fail("the end of the statement")
            else:
                self.i += 1
        return self.text(start) if self.i > start else ""

    @property
    def last(self) -> int:
        """The index of the first END token."""
        return len(self.words) - LOOK_AHEAD


def name_of(parts: list[str]) -> Name:
    """Return a name from its parts, the outermost first, without those before the third from the end.

    PostgreSQL's grammar accepts more parts. It rejects such a name later.
    """
    return Name(*reversed(parts[-3:]))
