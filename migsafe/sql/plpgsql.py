"""The SQL statements that run in the body of a DO block or a PL/pgSQL routine.

It follows the manual's chapter 41, PL/pgSQL. A body is divided at its semicolons like any script, and the words before a statement in such a
part (IF … THEN, LOOP, WHEN … THEN, BEGIN) are skipped. A statement in a branch, a loop or an exception handler is not certain to run.
"""

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from migsafe.sql.grammar import parse, problem
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import DOLLAR_STRING, STRINGS
from migsafe.sql.operations import Do, FeatureUse, OpaqueCode, Operation, Select
from migsafe.sql.plpgsql_constructs import Construct
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.string_constants import KnownValues, NotConstantError, constant_at, relocate
from migsafe.sql.templates import drops_invalid_index, operations_on_known_tables
from migsafe.sql.variables import Variables, is_assignment
from migsafe.sql.version_conditions import RELEASES, releases_where, version_variables
from migsafe.text import Span

ReadScript = Callable[[str], Iterable[tuple[Operation, ...]]]
"""A function that reads the SQL of a string as a script and yields the operations of each statement."""

_NOT_SQL = frozenset("null exit continue return raise assert get close fetch move pragma".split())
_QUERY_STARTS = frozenset(("select", "with", "values", "table", "insert", "update", "delete", "merge", "execute", "("))
INTO_STARTS = frozenset(("select", "with", "values", "insert", "update", "delete", "merge", "table"))


def body_operations(raw: RawStatement, block: Do, read_script: ReadScript, known: KnownValues | None = None) -> tuple[Operation, ...]:
    """Return the operations of the body of a DO block, with spans in the script.

    `read_script` reads the SQL of an EXECUTE with a constant string. `known` are the parameters of a function with known values.
    """
    if block.language != "plpgsql":
        return (OpaqueCode(block.span, reason=f"it is written in {block.language}", code=""),)
    start, end = block.body
    index = raw.starts.index(start)
    if raw.kinds[index] == DOLLAR_STRING:
        width = raw.text.index("$", start + 1) + 1 - start
        body = _Body(read_script, raw.text[start + width : end - width], known)
        return tuple(body.read(_raw_statements(raw.text, Span(start + width, end - width), raw.pattern)))
    constant = constant_at(Parser(raw), index)
    operations = _Body(read_script, constant.value, known).read(_raw_statements(constant.value, Span(0, len(constant.value))))
    return tuple(relocate(operation, constant.offsets) for operation in operations)


def _raw_statements(text: str, span: Span, pattern: re.Pattern[str] | None = None) -> Iterable[RawStatement]:
    return (raw for raw in split(text, span.start, span.end, pattern) if not isinstance(raw, MetaCommand))


class _Body:
    """The state of the reader of a body: the constructs around the cursor, and the operations that have been read."""

    def __init__(self, read_script: ReadScript, text: str, known: KnownValues | None = None) -> None:
        self.read_script = read_script
        self.text = text
        self.variables = Variables(text, known or {})
        self.version_variables = version_variables(text) if "server_version_num" in text else frozenset()
        self.remaining: frozenset[int] = RELEASES
        """The releases on which no branch before the cursor has returned."""
        self.constructs: list[Construct] = []
        self.blocks: list[slice] = []
        """The operations of each block around the cursor, as slices of `operations`, without those of its handlers."""
        self.conditions: tuple[str, ...] = ()
        """The conditions of the handler around the cursor."""
        self.is_declaring = False
        self.may_have_returned = False
        """Whether a branch before the cursor may have returned."""
        self.operations: list[Operation] = []
        self.parsed_features: list[FeatureUse] = []

    def read(self, parts: Iterable[RawStatement]) -> list[Operation]:
        """Return the operations of all statements."""
        for raw in parts:
            if raw.unterminated is not None:
                self._add(parse(raw))
                continue
            try:
                self._read_part(Parser(raw))
            except Unexpected as unexpected:
                self._add((problem(raw, unexpected),))
        return [*self._with_values_of_variables(), *self.parsed_features]

    def _with_values_of_variables(self) -> Iterable[Operation]:
        """Yield the operations; in place of an EXECUTE of a variable, one for each expression that the body assigns to it."""
        for operation in self.operations:
            values = self.variables.assigned(operation.code.lower()) if isinstance(operation, OpaqueCode) else ()
            yield from (replace(operation, code=code) for code in values) if values else (operation,)

    def _add(self, operations: Iterable[Operation]) -> None:
        is_certain = self._is_unconditional and not self.may_have_returned
        running = self.remaining.intersection(*(construct.running for construct in self.constructs))
        releases = tuple(sorted(running)) if running != RELEASES else None
        if is_certain and releases is None:
            self.operations.extend(operations)
        else:
            self.operations.extend(replace(operation, certain=operation.certain and is_certain, releases=releases) for operation in operations)

    def _add_parsed(self, operations: Iterable[Operation]) -> None:
        """Add the operations of a statement that PostgreSQL parses before the body runs: what its grammar refuses, it refuses in any branch."""
        for operation in operations:
            if isinstance(operation, FeatureUse) and operation.feature.is_syntax:
                self.parsed_features.append(operation)
            else:
                self._add((operation,))

    @property
    def _is_unconditional(self) -> bool:
        """Whether the statement at the cursor runs if the code before it runs."""
        return all(construct.is_decided for construct in self.constructs)

    def _read_part(self, c: Parser) -> None:
        while not c.done and self._header(c):
            pass
        if self.is_declaring:
            self.variables.declare(c)
            return
        if c.done:
            return
        word = c.words[c.i]
        if is_assignment(c):
            self.variables.assign(c, tuple(self.constructs))
            return
        if word in _NOT_SQL:
            if word == "raise" and (c.words[c.i + 1] in ("", "exception") or c.kinds[c.i + 1] in STRINGS):
                self._release()
            if word == "return" and c.words[c.i + 1] == "query":
                c.i += 2
                self._statement(c, c.last)
            elif word == "return" and c.words[c.i + 1] != "next":
                if not self._is_unconditional:
                    self.may_have_returned = True
                elif any(construct.kind == "if" for construct in self.constructs):
                    self.remaining -= self.remaining.intersection(*(construct.running for construct in self.constructs))
            return
        if word == "open":
            while not c.done and c.words[c.i] != "for":
                c.i += 1
            c.i += 0 if c.done else 1
            if c.done:
                return
        self._statement(c, c.last)

    def _header(self, c: Parser) -> bool:
        """Skip one construct that can come before a statement, and return whether there was one."""
        word = c.words[c.i]
        skip = _HEADERS.get(word)
        if skip is None:
            return False
        if self.is_declaring and word != "begin":
            return False
        return skip(self, c)

    def _label(self, c: Parser) -> bool:
        c.i += 1
        c.label("a label")
        c.expect(">>")
        return True

    def _declare(self, c: Parser) -> bool:
        c.i += 1
        self.is_declaring = True
        return c.words[c.i] == "begin"  # a section without declarations

    def _begin(self, c: Parser) -> bool:
        c.i += 1
        self.is_declaring = False
        self.constructs.append(Construct("begin"))
        self.blocks.append(slice(len(self.operations), None))
        return True

    def _end(self, c: Parser) -> bool:
        while not c.done:
            c.i += 1
        if self.constructs:
            ended = self.constructs.pop()
            if ended.is_choice:
                self.variables.leave_choice(ended, tuple(self.constructs), may_skip=ended.kind == "if" and not ended.has_else)
            self.variables.leave(ended)
            if ended.kind in ("begin", "handler"):
                self.blocks.pop()
        return True

    def _if(self, c: Parser) -> bool:
        word, start = c.words[c.i], c.i + 1
        if word == "if":
            self._enter_choice("if")
        elif self.constructs:
            self._leave_branch(self.constructs[-1])
        self._skip_to(c, "then")
        if word != "when" and self.constructs and self.constructs[-1].kind == "if":
            self.constructs[-1].branch(releases_where(c.text(start, c.i - 1), self.version_variables))
        if word == "when" and self.constructs and self.constructs[-1].kind == "handler":
            self.conditions = tuple(re.split(r"\s+or\s+", c.text(start, c.i - 1).lower()))
            self._change_caught(lambda caught: (*caught, *self.conditions))
        return True

    def _release(self) -> None:
        """Record that a handler raises an error: then it does not catch the errors of its block."""
        if self.constructs and self.constructs[-1].kind == "handler":
            self._change_caught(lambda caught: caught[: -len(self.conditions)] if self.conditions else caught)
            self.conditions = ()

    def _change_caught(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        body = self.blocks[-1]
        self.operations[body] = [replace(operation, caught=change(operation.caught)) for operation in self.operations[body]]

    def _else(self, c: Parser) -> bool:
        c.i += 1
        if self.constructs:
            self.constructs[-1].has_else = True
            self._leave_branch(self.constructs[-1])
        if self.constructs and self.constructs[-1].kind == "if":
            self.constructs[-1].branch(RELEASES)
        return True

    def _enter_choice(self, kind: str) -> None:
        construct = Construct(kind)
        self.constructs.append(construct)
        self.variables.enter_choice(construct)

    def _leave_branch(self, construct: Construct) -> None:
        """End a branch; before the first WHEN of a CASE, there is none."""
        if construct.is_choice and construct.has_branch:
            self.variables.leave_branch(construct)
        elif not construct.is_choice:
            self.variables.leave(construct)
        construct.has_branch = True

    def _case(self, c: Parser) -> bool:
        self._enter_choice("case")
        c.i += 1
        while not c.done and c.words[c.i] != "when":
            c.i += 1
        return True

    def _exception(self, c: Parser) -> bool:
        c.i += 1
        if self.constructs and self.constructs[-1].kind == "begin":
            self.variables.leave(self.constructs[-1])
            self.constructs[-1] = Construct("handler")
            self.blocks[-1] = slice(self.blocks[-1].start, len(self.operations))
        return True

    def _loop(self, c: Parser) -> bool:
        c.i += 1
        self.variables.enter_loop()
        self.constructs.append(Construct("loop"))
        return True

    def _while(self, c: Parser) -> bool:
        self.variables.enter_loop()
        self.constructs.append(Construct("loop"))
        self._skip_to(c, "loop")
        return True

    def _for(self, c: Parser) -> bool:
        start = c.i
        self.variables.enter_loop()
        self._skip_to(c, "loop")
        after = c.i
        c.i = start
        while c.i < after and c.words[c.i] != "in":
            c.i += 1
        c.i += 1
        is_query = c.words[start] == "for" and c.words[c.i] in _QUERY_STARTS and ".." not in c.words[c.i : after]
        at = c.i
        if is_query and (c.words[c.i] != "(" or c.at_query()):
            self._statement(c, after - 1)
            c.i = at
            self.variables.iterate_query(c, c.words[start + 1])
        elif c.words[start] == "foreach":
            self.variables.iterate(c, c.words[start + 1])
        else:
            self.variables.iterate_subscripts(c, c.words[start + 1])
        c.i = after
        self.constructs.append(Construct("loop"))
        return True

    def _skip_to(self, c: Parser, word: str) -> None:
        """Skip all tokens up to a word, and the word. A CASE expression has its own THENs."""
        depth = 0
        while c.words[c.i] != word or depth:
            if c.done:
                c.fail(word.upper())
            depth += (c.words[c.i] == "case") - (c.words[c.i] == "end" and depth > 0)
            c.i += 1
        c.i += 1

    def _statement(self, c: Parser, end: int) -> None:
        """Read the SQL statement from the cursor up to token `end`."""
        word = c.words[c.i]
        if word == "execute":
            self._execute(c, end)
            return
        if word == "select":
            self._note_query(c, end)
        raw = sql_part(c, end)
        if word != "perform":
            self._add_parsed(_parsed(raw, self.read_script))
            return
        raw.words[0] = "select"
        self._add_parsed(_as_select(operation) for operation in parse(raw))

    def _note_query(self, c: Parser, end: int) -> None:
        """Record what SELECT … INTO assigns, if it assigns to one variable."""
        into = into_variables(c, end)
        if len(into) == 1 + 1 + (c.words[into.start + 1] == "strict" if into else 0):
            before, after = c.text(c.i + 1, into.start), c.text(into.stop, end)
            self.variables.note_query(c.words[into.stop - 1], before or after)

    def _execute_template(self, c: Parser, start: int, stop: int) -> OpaqueCode:
        """Return the operation of an EXECUTE of which parts are unknown, with the cursor at its expression. If it is an ALTER TABLE or a CREATE
        INDEX of a known table, only details of it are unknown."""
        reason, code = "EXECUTE runs SQL that is built from variables or query results", c.text(start + 1, stop)
        opaque = OpaqueCode(c.span(start, stop), reason=reason, code=code, of_invalid_index=drops_invalid_index(code, self.text))
        try:
            template = self.variables.template(c, stop)
        except NotConstantError:
            return opaque
        read = (operation for statement in self.read_script(template.value) for operation in statement)
        operations = tuple(relocate(operation, template.offsets) for operation in operations_on_known_tables(read))
        return replace(opaque, confined=bool(operations), operations=operations)

    def _execute(self, c: Parser, end: int) -> None:
        """Read EXECUTE expression [INTO …] [USING …]: dynamic SQL, as a script where it is constant."""
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
        has_alternatives = self.variables.has_alternatives(c, stop)
        try:
            constants = self.variables.values(c, stop)
        except NotConstantError:
            c.i = start + 1
            self._add((self._execute_template(c, start, stop),))
            return
        for constant in constants:
            for operations in self.read_script(constant.value):
                located = (relocate(operation, constant.offsets) for operation in operations)
                self._add(replace(operation, certain=False) if has_alternatives else operation for operation in located)


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


def sql_part(c: Parser, end: int) -> RawStatement:
    """Return the tokens from the cursor up to `end` as a statement, without the INTO that names PL/pgSQL variables."""
    tokens = c.tokens
    part = RawStatement(tokens.text, tokens.pattern)
    indexes = list(range(c.i, end))
    if c.words[c.i] in INTO_STARTS or c.words[c.i] == "perform":
        removed = into_variables(c, end)
        indexes = [i for i in indexes if i not in removed]
    part.kinds.extend(tokens.kinds[i] for i in indexes)
    part.words.extend(tokens.words[i] for i in indexes)
    part.starts.extend(tokens.starts[i] for i in indexes)
    part.close(tokens.starts[end])
    return part


def into_variables(c: Parser, end: int) -> range:
    """Return the tokens of INTO [STRICT] variable, … outside parentheses."""
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
    """Return a PERFORM as the SELECT that it runs."""
    if isinstance(operation, Select):
        sql = "SELECT" + operation.query.sql[len("PERFORM") :]
        return replace(operation, query=replace(operation.query, sql=sql))
    return operation


def _parsed(raw: RawStatement, read_script: ReadScript) -> tuple[Operation, ...]:
    operations = parse(raw)
    first = operations[0]
    return (first, *body_operations(raw, first, read_script)) if isinstance(first, Do) else operations
