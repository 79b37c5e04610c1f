"""The body of a DO block: which SQL statements of it run.

After the manual's chapter 41, PL/pgSQL: a body is cut at its semicolons like any script, and what stands before a statement in such a
piece (IF … THEN, LOOP, WHEN … THEN, BEGIN) is stepped over. A statement that a branch, a loop or an exception handler decides about is
not certain to run.
"""

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from migsafe.sql.constants import KnownValues, NotConstantError, constant_at, relocate
from migsafe.sql.grammar import parse, problem
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import DOLLAR_STRING, STRINGS
from migsafe.sql.operations import Do, OpaqueCode, Operation, Select
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.variables import Variables
from migsafe.text import Span

ReadScript = Callable[[str], Iterable[tuple[Operation, ...]]]
"""What reads the SQL of a string, as a script of its own."""

_NOT_SQL = frozenset("null exit continue return raise assert get close fetch move pragma".split())
_QUERY_STARTS = frozenset(("select", "with", "values", "table", "insert", "update", "delete", "merge", "execute", "("))
_INTO_STARTS = frozenset(("select", "with", "values", "insert", "update", "delete", "merge", "table"))


def body_operations(raw: RawStatement, block: Do, run: ReadScript, known: KnownValues | None = None) -> tuple[Operation, ...]:
    """The operations of the body of the DO block that a statement is, their spans those of the script. `run` reads the SQL of a constant
    EXECUTE; `known` are the parameters of a function whose values are."""
    if block.language != "plpgsql":
        return (OpaqueCode(block.span, reason=f"it is written in {block.language}", code=""),)
    start, end = block.body
    index = raw.starts.index(start)
    if raw.kinds[index] == DOLLAR_STRING:
        width = raw.text.index("$", start + 1) + 1 - start
        body = _Body(run, raw.text[start + width : end - width], known)
        return tuple(body.read(_raw_statements(raw.text, Span(start + width, end - width), raw.pattern)))
    constant = constant_at(Parser(raw), index)
    found = _Body(run, constant.value, known).read(_raw_statements(constant.value, Span(0, len(constant.value))))
    return tuple(relocate(operation, constant.offsets) for operation in found)


def _raw_statements(text: str, span: Span, pattern: re.Pattern[str] | None = None) -> Iterable[RawStatement]:
    return (raw for raw in split(text, span.start, span.end, pattern) if not isinstance(raw, MetaCommand))


class _Body:
    """What reading a body has to remember: the constructs it is in, and what has been found."""

    def __init__(self, run: ReadScript, text: str, known: KnownValues | None = None) -> None:
        self.run = run
        self.variables = Variables(text, known or {})
        self.inside: list[str] = []
        self.begun: list[slice] = []
        """The operations of each block around the cursor, in `found`; its handlers' are not among them."""
        self.conditions: tuple[str, ...] = ()
        """Those of the handler around the cursor."""
        self.declaring = False
        self.may_have_ended = False
        """Whether a branch before the cursor may have returned."""
        self.found: list[Operation] = []

    def read(self, pieces: Iterable[RawStatement]) -> list[Operation]:
        """The operations of all pieces."""
        for raw in pieces:
            if raw.unterminated is not None:
                self._add(parse(raw))
                continue
            try:
                self._piece(Parser(raw))
            except Unexpected as unexpected:
                self._add((problem(raw, unexpected),))
        return self.found

    def _add(self, operations: Iterable[Operation]) -> None:
        certain = self._surely and not self.may_have_ended
        self.found.extend(operations if certain else (replace(operation, certain=False) for operation in operations))

    @property
    def _surely(self) -> bool:
        """Whether what stands at the cursor runs, if what comes before it does."""
        return all(construct == "begin" for construct in self.inside)

    def _piece(self, c: Parser) -> None:
        while not c.done and self._header(c):
            pass
        if self.declaring:
            self.variables.declare(c)
            return
        if c.done:
            return
        word = c.words[c.i]
        if _is_assignment(c):
            self.variables.assign(c)
            return
        if word in _NOT_SQL:
            if word == "raise" and (c.words[c.i + 1] in ("", "exception") or c.kinds[c.i + 1] in STRINGS):
                self._release()
            if word == "return" and c.words[c.i + 1] == "query":
                c.i += 2
                self._statement(c, c.last)
            elif word == "return" and c.words[c.i + 1] != "next" and not self._surely:
                self.may_have_ended = True
            return
        if word == "open":
            while not c.done and c.words[c.i] != "for":
                c.i += 1
            c.i += 0 if c.done else 1
            if c.done:
                return
        self._statement(c, c.last)

    def _header(self, c: Parser) -> bool:
        """Step over one thing that may stand before a statement; whether there was one."""
        word = c.words[c.i]
        reader = _HEADERS.get(word)
        if reader is None:
            return False
        if self.declaring and word != "begin":
            return False
        return reader(self, c)

    def _label(self, c: Parser) -> bool:
        c.i += 1
        c.label("a label")
        c.expect(">>")
        return True

    def _declare(self, c: Parser) -> bool:
        c.i += 1
        self.declaring = True
        return False

    def _begin(self, c: Parser) -> bool:
        c.i += 1
        self.declaring = False
        self.inside.append("begin")
        self.begun.append(slice(len(self.found), None))
        return True

    def _end(self, c: Parser) -> bool:
        while not c.done:
            c.i += 1
        if self.inside and self.inside.pop() in ("begin", "handler"):
            self.begun.pop()
        return True

    def _if(self, c: Parser) -> bool:
        word, start = c.words[c.i], c.i + 1
        if word == "if":
            self.inside.append("if")
        self._to(c, "then")
        if word == "when" and self.inside and self.inside[-1] == "handler":
            self.conditions = tuple(re.split(r"\s+or\s+", c.text(start, c.i - 1).lower()))
            self._catch(lambda already: (*already, *self.conditions))
        return True

    def _release(self) -> None:
        """A handler that raises the error again, or another one, has caught nothing."""
        if self.inside and self.inside[-1] == "handler":
            self._catch(lambda already: already[: -len(self.conditions)] if self.conditions else already)
            self.conditions = ()

    def _catch(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        body = self.begun[-1]
        self.found[body] = [replace(operation, caught=change(operation.caught)) for operation in self.found[body]]

    def _else(self, c: Parser) -> bool:
        c.i += 1
        return True

    def _case(self, c: Parser) -> bool:
        self.inside.append("case")
        c.i += 1
        while not c.done and c.words[c.i] != "when":
            c.i += 1
        return True

    def _exception(self, c: Parser) -> bool:
        c.i += 1
        if self.inside and self.inside[-1] == "begin":
            self.inside[-1] = "handler"
            self.begun[-1] = slice(self.begun[-1].start, len(self.found))
        return True

    def _loop(self, c: Parser) -> bool:
        c.i += 1
        self.inside.append("loop")
        return True

    def _while(self, c: Parser) -> bool:
        self.inside.append("loop")
        self._to(c, "loop")
        return True

    def _for(self, c: Parser) -> bool:
        start = c.i
        self._to(c, "loop")
        after = c.i
        c.i = start
        while c.i < after and c.words[c.i] != "in":
            c.i += 1
        c.i += 1
        is_query = c.words[start] == "for" and c.words[c.i] in _QUERY_STARTS and ".." not in c.words[c.i : after]
        if is_query and (c.words[c.i] != "(" or c.at_query()):
            self._statement(c, after - 1)
        elif c.words[start] == "foreach":
            self.variables.iterate(c, c.words[start + 1], after - 1)
        c.i = after
        self.inside.append("loop")
        return True

    def _to(self, c: Parser, word: str) -> None:
        """Step over everything up to and with a word; a CASE expression has THENs of its own."""
        depth = 0
        while c.words[c.i] != word or depth:
            if c.done:
                c.fail(word.upper())
            depth += (c.words[c.i] == "case") - (c.words[c.i] == "end" and depth > 0)
            c.i += 1
        c.i += 1

    def _statement(self, c: Parser, end: int) -> None:
        """The SQL statement from the cursor up to token `end`."""
        word = c.words[c.i]
        if word == "execute":
            self._execute(c, end)
            return
        raw = _part(c, end)
        if word != "perform":
            self._add(_parsed(raw, self.run))
            return
        raw.words[0] = "select"
        self._add(_as_select(operation) for operation in parse(raw))

    def _execute(self, c: Parser, end: int) -> None:
        """EXECUTE expression [INTO …] [USING …]: dynamic SQL, read where it is constant."""
        start = c.i
        c.i += 1
        stop = c.i
        while stop < end and c.words[stop] not in ("into", "using"):
            if c.words[stop] in ("(", "["):
                saved, c.i = c.i, stop
                c.skip_group()
                stop, c.i = c.i, saved
            else:
                stop += 1
        try:
            constants = self.variables.values(c, stop)
        except NotConstantError:
            code = c.text(start + 1, stop)
            self._add((OpaqueCode(c.span(start, stop), reason="the SQL that EXECUTE runs is built while it runs", code=code),))
            return
        for constant in constants:
            for operations in self.run(constant.value):
                self._add(relocate(operation, constant.offsets) for operation in operations)


_HEADERS: dict[str, Callable[[_Body, Parser], bool]] = {
    "<<": _Body._label,
    "declare": _Body._declare,
    "begin": _Body._begin,
    "end": _Body._end,
    **dict.fromkeys(("if", "elsif", "elseif", "when"), _Body._if),
    "else": _Body._else,
    "case": _Body._case,
    "exception": _Body._exception,
    "loop": _Body._loop,
    "while": _Body._while,
    **dict.fromkeys(("for", "foreach"), _Body._for),
}


def _is_assignment(c: Parser) -> bool:
    """Whether `variable := expression` or `variable = expression` comes next; fields and subscripts may follow the variable."""
    i = c.i + 1
    while c.words[i] in (".", "["):
        if c.words[i] == ".":
            i += 2
            continue
        saved, c.i = c.i, i
        c.skip_group()
        i, c.i = c.i, saved
    return c.words[i] in (":=", "=")


def _part(c: Parser, end: int) -> RawStatement:
    """The tokens from the cursor up to `end` as a statement of its own, without the INTO that names PL/pgSQL's variables."""
    tokens = c.tokens
    part = RawStatement(tokens.text, tokens.pattern)
    keep = list(range(c.i, end))
    if c.words[c.i] in _INTO_STARTS or c.words[c.i] == "perform":
        cut = _variables(c, end)
        keep = [i for i in keep if i not in cut]
    part.kinds.extend(tokens.kinds[i] for i in keep)
    part.words.extend(tokens.words[i] for i in keep)
    part.starts.extend(tokens.starts[i] for i in keep)
    part.close(tokens.starts[end])
    return part


def _variables(c: Parser, end: int) -> range:
    """The tokens of INTO [STRICT] variable, … outside parentheses."""
    depth = 0
    for i in range(c.i, end):
        word = c.words[i]
        depth += (word == "(") - (word == ")")
        if word == "into" and not depth and c.words[i - 1] not in ("insert", "merge"):
            stop = i + 1 + (c.words[i + 1] == "strict")
            while True:
                stop += 1
                while stop < end and c.words[stop] in (".", "["):
                    stop = stop + 2 if c.words[stop] == "." else stop + 3
                if stop < end and c.words[stop] == ",":
                    stop += 1
                    continue
                return range(i, stop)
    return range(0)


def _as_select(operation: Operation) -> Operation:
    """PERFORM is a SELECT in all but its first word."""
    if isinstance(operation, Select):
        sql = "SELECT" + operation.query.sql[len("PERFORM") :]
        return replace(operation, query=replace(operation.query, sql=sql))
    return operation


def _parsed(raw: RawStatement, run: ReadScript) -> tuple[Operation, ...]:
    operations = parse(raw)
    first = operations[0]
    return (first, *body_operations(raw, first, run)) if isinstance(first, Do) else operations
