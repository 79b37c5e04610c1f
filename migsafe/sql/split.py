r"""The division of a script into statements, at the places where PostgreSQL and psql divide it.

The text is read once, and only one statement's tokens are in memory at a time. So a dump can have any size.
"""

import re
from collections.abc import Iterator
from itertools import islice

from migsafe.patterns import lazy_pattern
from migsafe.sql import lexer
from migsafe.sql.equal_rows import EqualRows
from migsafe.sql.lexer import Tokens
from migsafe.text import Span


class RawStatement(Tokens):
    """One statement's tokens, without the `;`.

    `data` is the place of the rows of a COPY … FROM stdin. `unterminated` is set where a string, an identifier or a comment is not closed: its
    offset and its kind.
    """

    __slots__ = ("data", "unterminated")

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        super().__init__(text, pattern)
        self.data: Span | None = None
        self.unterminated: tuple[int, str] | None = None

    @property
    def span(self) -> Span:
        """The text from the first token to the last one."""
        return Span(self.starts[0], self.end_of(len(self.words) - lexer.LOOK_AHEAD - 1))


class MetaCommand:
    """A psql meta-command: its name, and the rest of its line as arguments."""

    __slots__ = ("arguments", "command", "data", "span")

    def __init__(self, span: Span, command: str, arguments: str, data: Span | None) -> None:
        self.span = span
        self.command = command
        self.arguments = arguments
        self.data = data


_RECOVERIES = 100
"""The number of unterminated literals after which the rest of a script counts as one. Each one costs a search to the end."""

_MANY_TOKENS = 20_000
"""The number of tokens of a statement from which the rows of an INSERT are thinned out."""

# Words and their folded forms. They are kept for the next script, because a history repeats a small set of words.
_FOLDED: dict[str, str] = {}
_MOST_FOLDED = 50_000
_CONSTANTS = {kind: word for kind, word in lexer.WORDS_BY_KIND.items() if kind != lexer.DOLLAR_STRING}

_SENDING_COMMANDS = lazy_pattern(r"\\(?:g|gx|gexec|gset|gdesc|crosstabview|watch|sendpipeline)(?![a-z])")
_EMPTY_STATEMENTS = lazy_pattern(r"[\s;]*+")
_STATEMENT_END = lazy_pattern(r";[ \t]*(?:--[^\n]*)?\r?(?:\n|\Z)")
_DATA_END = lazy_pattern(r"^\\\.[ \t]*\r?$", re.MULTILINE)
_FROM_STDIN = lazy_pattern(r"\bfrom\s+p?stdin\b", re.IGNORECASE)


def split(text: str, start: int = 0, end: int | None = None, pattern: re.Pattern[str] | None = None) -> Iterator[RawStatement | MetaCommand]:
    """Yield the statements and meta-commands between two offsets of a text, in order, without empty statements.

    `pattern` is the result of `lexer.pattern_for` for the text. A caller that splits many parts of one text computes it once.
    """
    return _Splitter(text, len(text) if end is None else end, pattern or lexer.pattern_for(text)).run(start)


class _Splitter:
    """The state of the division of a text."""

    def __init__(self, text: str, end: int, pattern: re.Pattern[str]) -> None:
        self.text = text
        self.end = end
        self.pattern = pattern
        self.recoveries = 0
        self.create: _Create | None = None

    def run(self, start: int) -> Iterator[RawStatement | MetaCommand]:
        """Yield the statements and meta-commands from `start` on."""
        at = start
        statement = self._new_statement()
        while at < self.end:
            if not statement.words:
                at = _EMPTY_STATEMENTS.match(self.text, at, self.end).end()  # type: ignore[union-attr]  # it matches everywhere
            stop, kind = self._read_tokens(statement, at)
            if kind == lexer.META:
                meta, at = self._meta_command(stop)
                if statement.words and (meta.command == ";" or _SENDING_COMMANDS.search(f"\\{meta.command} {meta.arguments}")):
                    yield self._close(statement, stop)
                    statement = self._new_statement()
                if meta.command != ";":
                    yield meta
                continue
            at = stop + 1 if kind == lexer.PUNCTUATION else self.end
            if kind == lexer.UNKNOWN:
                at = self._recover(statement, stop)
            if statement.words or statement.unterminated:
                line_end = stop
                if kind == lexer.PUNCTUATION and _copies_from_stdin(statement.words):
                    line_end, at, statement.data = self._copy_data(at)
                yield self._close(statement, stop)
                if line_end > stop:
                    yield from _Splitter(self.text, line_end, self.pattern).run(stop + 1)
            statement = self._new_statement()
        if statement.words:
            yield self._close(statement, self.end)

    def _new_statement(self) -> RawStatement:
        self.create = None
        return RawStatement(self.text, self.pattern)

    def _close(self, statement: RawStatement, end: int) -> RawStatement:
        statement.close(end)
        return statement

    def _read_tokens(self, statement: RawStatement, at: int) -> tuple[int, int]:
        """Read tokens into `statement` from `at` up to a token that ends or interrupts it.

        Returns the offset and the kind of that token: PUNCTUATION for the `;`, META for a meta-command, UNKNOWN for an unterminated token, END.
        """
        folded, constant = _FOLDED.get, _CONSTANTS.get
        add_kind, add_word, add_start = statement.kinds.append, statement.words.append, statement.starts.append
        rows: EqualRows | None = None
        while True:
            for match in islice(self.pattern.finditer(self.text, at, self.end), _MANY_TOKENS):
                kind: int = match.lastindex  # type: ignore[assignment]  # one group always matches
                word = folded(match[kind]) or constant(kind)
                if word is None:
                    start = match.start(kind)
                    word, at = self._read_other(statement, kind, match[kind], start)
                    if word is None:
                        return start, at
                    if at:
                        if word:
                            add_kind(kind)
                            add_word(word)
                            add_start(start)
                        break
                add_kind(kind)
                add_word(word)
                add_start(match.start(kind))
            else:
                at = match.end()
            if len(statement.words) >= _MANY_TOKENS:
                rows = rows or EqualRows(statement)
                rows.thin(statement)

    def _read_other(self, statement: RawStatement, kind: int, raw: str, start: int) -> tuple[str | None, int]:
        """Return the word of a token that is not in the table of folded words, and an offset.

        Where reading stops, the result is None and the kind of the end. Where reading continues at another offset, it is the word, empty for a
        comment, and that offset. Otherwise the offset is 0.
        """
        if kind in (lexer.WORD, lexer.OPERATOR, lexer.PUNCTUATION):
            if raw == ";":
                return (None, kind) if self._ends(statement.words) else (raw, 0)
            word = lexer.fold(raw) if kind == lexer.WORD else raw
            if len(_FOLDED) > _MOST_FOLDED:
                _FOLDED.clear()
            _FOLDED[raw] = word
            return word, 0
        if kind == lexer.DOLLAR_STRING:
            close = self.text.find(raw, start + len(raw), self.end)
            return (None, lexer.UNKNOWN) if close < 0 else ("'", close + len(raw))
        if kind == lexer.COMMENT_START:
            after = lexer.skip_comment(self.text, start, self.end)
            return (None, lexer.UNKNOWN) if after < 0 else ("", after)
        if kind in (lexer.META, lexer.END_OF_TEXT) or (kind == lexer.UNKNOWN and raw in "'\""):
            return None, kind
        return raw, 0

    def _ends(self, words: list[str]) -> bool:
        """Whether the `;` after these words ends their statement."""
        if words[:1] != ["create"]:
            return True
        if self.create is None:
            self.create = _Create(words)
        return self.create.ends(words)

    def _meta_command(self, at: int) -> tuple[MetaCommand, int]:
        """Return the meta-command at an offset, and the offset after it."""
        if self.text.startswith("\\;", at):
            return MetaCommand(Span(at, at + 2), ";", "", None), at + 2
        line_end = self.text.find("\n", at, self.end)
        line_end = self.end if line_end < 0 else line_end
        command, _, arguments = self.text[at + 1 : line_end].strip().partition(" ")
        data = None
        after = line_end
        if command == "copy" and _FROM_STDIN.search(arguments):
            _, after, data = self._copy_data(line_end)
        return MetaCommand(Span(at, at + len(self.text[at:line_end].rstrip())), command, arguments.strip(), data), after

    def _copy_data(self, at: int) -> tuple[int, int, Span]:
        r"""Return the end of the line of a COPY that ends at `at`, the offset at which the script continues, and the span of the rows.

        As with psql, the rows begin on the next line and end before a line that contains only `\.`, or at the end of the script.
        """
        line_end = self.text.find("\n", at, self.end)
        if line_end < 0:
            return self.end, self.end, Span(self.end, self.end)
        data_end = _DATA_END.search(self.text, line_end + 1, self.end)
        if data_end is None:
            return line_end, self.end, Span(line_end + 1, self.end)
        return line_end, data_end.end(), Span(line_end + 1, data_end.start())

    def _recover(self, statement: RawStatement, at: int) -> int:
        """Record an unterminated token, and return where the next statement may begin: after the first `;` at the end of a line; at the end of
        the script after the body of a routine or a DO, whose own statements end so."""
        kind = {"'": "quoted string", '"': "quoted identifier", "/": "comment", "$": "dollar-quoted string"}[self.text[at]]
        statement.unterminated = (at, kind)
        self.recoveries += 1
        is_body = kind == "dollar-quoted string" and (
            statement.words[:1] == ["do"] or not {"function", "procedure"}.isdisjoint(statement.words)
        )
        statement_end = _STATEMENT_END.search(self.text, at, self.end) if self.recoveries <= _RECOVERIES and not is_body else None
        return statement_end.end() if statement_end else self.end


def _copies_from_stdin(words: list[str]) -> bool:
    return words[:1] == ["copy"] and "stdin" in words and words[words.index("stdin") - 1] == "from"


class _Create:
    """The state of a CREATE statement that may contain `;`: in the parentheses of a rule, or in a body BEGIN ATOMIC … END.

    Each word is examined only once.
    """

    __slots__ = ("depth", "opens", "seen")

    def __init__(self, words: list[str]) -> None:
        head = words[1:4]
        self.opens = "rule" in head, "function" in head or "procedure" in head
        self.depth = 0
        self.seen = 0

    def ends(self, words: list[str]) -> bool:
        """Whether the `;` after these words ends the statement."""
        rule, routine = self.opens
        new_words = words[self.seen :]
        if rule:
            self.depth += new_words.count("(") - new_words.count(")")
        elif routine:
            if not self.depth and "atomic" in new_words:
                new_words = new_words[new_words.index("atomic") + 1 :]
                self.depth = 1
            if self.depth:
                self.depth += new_words.count("case") - new_words.count("end")
        self.seen = len(words)
        return self.depth <= 0
