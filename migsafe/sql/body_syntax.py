"""The syntax errors in the bodies of routines and DO blocks that PostgreSQL refuses when it creates the routine.

The structure of PL/pgSQL follows `src/pl/plpgsql/src/pl_gram.y`: the parser looks for THEN, LOOP and WHEN outside parentheses, and ends at each
semicolon. Queries and expressions are read with migsafe's own grammar. What this reader does not know (the details of RAISE, FETCH, GET and
declarations, options of the compiler, templates) it accepts.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from migsafe.sql.body_errors import BodyError, BodyProblem, Routine, UncertainBodyError
from migsafe.sql.body_scopes import RESERVED, Scopes
from migsafe.sql.grammar import parse
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import END, NUMBER, PLACEHOLDER, STRING, WORD
from migsafe.sql.operations import Broken, FeatureUse, Operation
from migsafe.sql.plpgsql import INTO_STARTS, into_variables, sql_part
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.statements import read
from migsafe.sql.variables import is_assignment


def body_error(code: str, language: str, routine: Routine) -> BodyError | None:
    """Return the first error of the body of a routine, None where there is none or none is certain."""
    return _read_body(code, language, routine)[0]


def body_features(code: str, language: str, routine: Routine) -> tuple[FeatureUse, ...]:
    """Return the uses of syntax that a release after 14 added, with their places in the body; none after an error."""
    return _read_body(code, language, routine)[1]


@lru_cache(512)
def _read_body(code: str, language: str, routine: Routine) -> tuple[BodyError | None, tuple[FeatureUse, ...]]:
    if language == "sql":
        return _sql_error(code), tuple(_syntax_uses(operation for statement in read(code) for operation in statement.operations))
    if language != "plpgsql":
        return None, ()
    divided = list(split(code))
    parts = [raw for raw in divided if not isinstance(raw, MetaCommand)]
    is_foreign = len(parts) < len(divided) or any(PLACEHOLDER in raw.kinds or raw.words[0] == "#" for raw in parts)
    if is_foreign or not parts:
        return None, ()
    reader = _Reader(code, parts, routine)
    try:
        reader.read()
    except BodyProblem as problem:
        return problem.error, ()
    except UncertainBodyError:
        return None, ()
    return None, tuple(reader.features)


def _syntax_uses(operations: Iterable[Operation]) -> Iterator[FeatureUse]:
    return (operation for operation in operations if isinstance(operation, FeatureUse) and operation.feature.is_syntax)


def _sql_error(code: str) -> BodyError | None:
    for statement in read(code):
        operation = statement.operations[0]
        if isinstance(operation, Broken):
            return BodyError(operation.span, operation.expected, operation.found)
    return None


_ENDS = {"begin": "", "handlers": "", "if": "if", "else of if": "if", "case": "case", "else of case": "case", "loop": "loop"}
"""The word after END by construct."""
_NOT_READ = frozenset("null exit continue raise get fetch move close open assert commit rollback pragma".split())
_VALUES = frozenset("new old null true false".split())
"""Words that are a whole expression in the bodies of triggers."""
_READ: set[tuple[str, str]] = set()
"""Queries and expressions without errors and newer syntax. A history creates its functions again and again, mostly with the same queries."""
_MOST_READ = _LONG = 4096


class _Reader:
    """A reader of the parts of a PL/pgSQL body, which semicolons end. `constructs` are those around the cursor, the innermost last."""

    def __init__(self, code: str, parts: list[RawStatement], routine: Routine) -> None:
        self.scopes = Scopes(routine)
        self.code = code
        self.parts = parts
        self.constructs: list[str] = []
        self.is_declaring = False
        self.is_finished = False
        self.needs_when = False
        self.features: list[FeatureUse] = []

    def read(self) -> None:
        for number, raw in enumerate(self.parts):
            if raw.unterminated is not None:
                raise UncertainBodyError
            self._read_part(Parser(raw), is_last=number == len(self.parts) - 1)
        if not self.is_finished:
            last = Parser(self.parts[-1])
            kind = _ENDS[self.constructs[-1]].upper() if self.constructs else ""
            expected = f"END {kind}".rstrip() if self.constructs else "BEGIN"
            place = last.span(last.last - 1, last.last)
            raise BodyProblem(BodyError(place, expected, "the end of the body", is_structure=True))

    def _fail(self, c: Parser, expected: str, at: int | None = None, *, structure: bool = True) -> None:
        at = c.i if at is None else at
        found = c.text(at, at + 1) if c.kinds[at] != END else "the end of the statement" if self._is_ended(c) else "the end of the body"
        raise BodyProblem(BodyError(c.span(at, at + 1) if c.kinds[at] != END else c.span(max(at - 1, 0), at), expected, found, structure))

    def _is_ended(self, c: Parser) -> bool:
        """Whether a semicolon ends the part."""
        if c.tokens is not self.parts[-1]:
            return True
        end = c.tokens.end_of(c.last - 1)
        rest = self.code[end:].lstrip()
        while rest.startswith(("--", "/*")):
            rest = rest.partition("\n")[2].lstrip() if rest.startswith("--") else rest.partition("*/")[2].lstrip()
        return rest.startswith(";")

    def _read_part(self, c: Parser, *, is_last: bool) -> None:
        if self.is_finished:
            self._fail(c, "the end of the body")
        while True:
            word = c.words[c.i] if c.kinds[c.i] == WORD or c.words[c.i] == "<<" else ""
            header = _HEADERS.get(word)
            if self.is_declaring and word not in ("begin", "declare", "<<"):
                self._declaration(c, word)
                break
            if self.needs_when and word != "when":
                self._fail(c, "WHEN")
            if not self.constructs and word not in ("begin", "declare", "<<"):
                self._fail(c, "DECLARE or BEGIN")
            if header is None:
                self._statement(c, word)
                break
            if header(self, c):
                break
            if c.done:
                if self._is_ended(c) or not is_last:
                    self._fail(c, "a statement" if not self.is_declaring else "a declaration")
                return
        if not self._is_ended(c) and not self.is_finished:
            c.i = c.last
            self._fail(c, '";"')

    def _declaration(self, c: Parser, word: str) -> None:
        if word in RESERVED:
            self._fail(c, "a declaration or BEGIN")
        if c.words[c.i + 1] == "" and word:
            self._fail(c, "a data type", c.i + 1)
        self.scopes.declare(c)

    # Headers return True at the end of a statement.

    def _label(self, c: Parser) -> bool:
        if c.words[c.i + 2] != ">>":
            raise UncertainBodyError
        self.scopes.label(c, c.i + 1)
        c.i += 3
        if c.words[c.i] not in ("declare", "begin", "loop", "while", "for", "foreach"):
            self._fail(c, "a block or a loop")
        return False

    def _declare(self, c: Parser) -> bool:
        c.i += 1
        if not self.is_declaring:
            self.scopes.open("block")
        self.is_declaring = True
        if c.done:
            self._fail(c, "a declaration or BEGIN")
        return False

    def _begin(self, c: Parser) -> bool:
        c.i += 1
        if not self.is_declaring:
            self.scopes.open("block")
        self.is_declaring = False
        self.constructs.append("begin")
        return False

    def _end(self, c: Parser) -> bool:
        construct = self.constructs.pop()
        c.i += 1
        kind = _ENDS[construct]
        if kind and c.words[c.i] != kind:
            self._fail(c, f"{kind.upper()}", c.i)
        c.i += bool(kind)
        if construct in ("begin", "handlers", "loop"):
            self.scopes.close(c)
            c.i += not c.done
        if not c.done:
            self._fail(c, '";"')
        self.is_finished = not self.constructs
        return True

    def _if(self, c: Parser) -> bool:
        c.i += 1
        self._until(c, "then")
        self.constructs.append("if")
        return False

    def _elsif(self, c: Parser) -> bool:
        if self.constructs[-1] != "if":
            self._fail(c, "a statement or END")
        c.i += 1
        self._until(c, "then")
        return False

    def _else(self, c: Parser) -> bool:
        if self.constructs[-1] not in ("if", "case"):
            self._fail(c, "a statement or END")
        self.constructs[-1] = f"else of {self.constructs[-1]}"
        c.i += 1
        return False

    def _case(self, c: Parser) -> bool:
        c.i += 1
        if c.words[c.i] != "when":
            self._until(c, "when")
            c.i -= 1
        self.constructs.append("case")
        return False

    def _when(self, c: Parser) -> bool:
        if self.constructs[-1] not in ("case", "handlers"):
            self._fail(c, "a statement or END")
        self.needs_when = False
        c.i += 1
        if self.constructs[-1] == "handlers":
            self._handled(c)
        self._until(c, "then", is_expression=self.constructs[-1] == "case")
        return False

    def _handled(self, c: Parser) -> None:
        for i in range(c.i, self._find(c, "then")):
            if c.words[i - 1] in ("when", "or") and c.words[i] != "sqlstate":
                self.scopes.handle(c, i)

    def _exception(self, c: Parser) -> bool:
        if self.constructs[-1] != "begin":
            if c.words[c.i + 1] == "when" and self.constructs[-1] != "handlers":
                self._fail(c, f"END {_ENDS[self.constructs[-1]].upper()}")
            raise UncertainBodyError
        if c.words[c.i + 1] != "when":
            raise UncertainBodyError
        c.i += 1
        self.constructs[-1] = "handlers"
        self.scopes.catch()
        self.needs_when = True
        return False

    def _loop(self, c: Parser) -> bool:
        c.i += 1
        self.scopes.open("loop")
        self.constructs.append("loop")
        return False

    def _while(self, c: Parser) -> bool:
        c.i += 1
        self._until(c, "loop")
        self.scopes.open("loop")
        self.constructs.append("loop")
        return False

    def _for(self, c: Parser) -> bool:
        word, start = c.words[c.i], c.i + 1
        end = self._find(c, "loop")
        i = start
        while i < end and c.words[i] != "in":
            i += 1
        if i == end:
            self._fail(c, "IN", end)
        declared: tuple[str, ...] = ()
        if word == "foreach":
            self.scopes.loop_over_array(c)
            if c.words[i + 1] != "array":
                self._fail(c, "ARRAY", i + 1)
            self._expression(c, i + 2, end)
        else:
            declared = self.scopes.loop_over(c, i, end)
            is_query = c.kinds[i + 1] == c.kinds[i + 2] == WORD and c.words[i + 1] != "execute" and i + 2 < end  # a cursor is one name
            if is_query and ".." not in c.words[i:end]:
                c.i = i + 1
                self._query(c, end)
        c.i = end + 1
        self.scopes.open("loop", declared)
        self.constructs.append("loop")
        return False

    def _find(self, c: Parser, word: str) -> int:
        """Return the index of a word outside parentheses."""
        depth = 0
        for i in range(c.i, c.last):
            if c.words[i] == word and not depth:
                return i
            depth += (c.words[i] in ("(", "[")) - (c.words[i] in (")", "]"))
            if depth < 0:
                self._fail(c, word.upper(), i)
        self._fail(c, '")"' if depth else word.upper(), c.last)
        raise AssertionError

    def _until(self, c: Parser, word: str, *, is_expression: bool = True) -> None:
        """Read an expression and the word that ends it."""
        end = self._find(c, word)
        if end == c.i:
            self._fail(c, "an expression", end)
        if is_expression:
            self._expression(c, c.i, end)
        c.i = end + 1

    def _statement(self, c: Parser, word: str) -> None:
        if word in RESERVED - {"execute", "null"}:
            self._fail(c, "a statement")
        end = c.last
        if is_assignment(c):
            self.scopes.assign(c, c.i)
            start = next(i for i in range(c.i, end) if c.words[i] in (":=", "="))
            if start + 1 < end:  # PostgreSQL accepts `variable := ;`
                self._expression(c, start + 1, end)
        elif word == "return":
            self._return(c, end)
        elif word == "execute":
            stop = next((i for i in range(c.i, end) if c.words[i] in ("into", "using")), end)
            self._expression(c, c.i + 1, stop)
            if c.words[stop] == "into":
                self.scopes.assign_all(c, stop + 1, end)
        elif word == "perform":
            self._expression(c, c.i + 1, end)
        elif word == "null" and c.i + 1 < end:
            self._fail(c, '";"', c.i + 1)
        elif word in ("exit", "continue"):
            self.scopes.leave(c)
        elif word == "open":
            self.scopes.open_cursor(c)
        elif word == "raise":
            self.scopes.raise_error(c, end)
        elif word not in _NOT_READ:
            self._query(c, end)

    def _return(self, c: Parser, end: int) -> None:
        self.scopes.give_back(c, end)
        following = c.words[c.i + 1]
        if following == "query":
            if c.kinds[c.i + 2] == WORD and c.words[c.i + 2] != "execute":
                c.i += 2
                self._query(c, end)
        elif c.i + 1 < end and not (following == "next" and c.i + 2 == end):
            self._expression(c, c.i + 1 + (following == "next"), end)

    def _query(self, c: Parser, end: int) -> None:
        variables = into_variables(c, end) if c.words[c.i] in INTO_STARTS else range(0)
        if variables:
            self.scopes.assign_all(c, variables.start + 1, end)
        self._check(c, sql_part(c, end))

    def _expression(self, c: Parser, start: int, end: int) -> None:
        """Read the tokens of an expression as PL/pgSQL does, as the rest of a SELECT."""
        if start >= end:
            self._fail(c, "an expression", end)
        if end == start + 1 and (c.kinds[start] in (NUMBER, STRING) or c.words[start] in _VALUES):
            return
        tokens = c.tokens
        raw = RawStatement(tokens.text, tokens.pattern)
        raw.kinds.append(WORD)
        raw.words.append("select")
        raw.starts.append(tokens.starts[start])
        raw.kinds.extend(tokens.kinds[start:end])
        raw.words.extend(tokens.words[start:end])
        raw.starts.extend(tokens.starts[start:end])
        raw.close(tokens.starts[end])
        self._check(c, raw)

    def _check(self, c: Parser, raw: RawStatement) -> None:
        code = raw.words[0], raw.text[raw.span.start : raw.span.end]  # an expression is read behind a SELECT that is not in its text
        if code in _READ:
            return
        operations = parse(raw)
        operation = operations[0]
        self.features.extend(_syntax_uses(operations))
        if isinstance(operation, Broken):
            raise BodyProblem(BodyError(operation.span, operation.expected, operation.found))
        if len(code[1]) < _LONG and not any(isinstance(operation, FeatureUse) for operation in operations):
            if len(_READ) > _MOST_READ:
                _READ.clear()
            _READ.add(code)


_HEADERS = {
    "<<": _Reader._label,
    "declare": _Reader._declare,
    "begin": _Reader._begin,
    "end": _Reader._end,
    "if": _Reader._if,
    "elsif": _Reader._elsif,
    "elseif": _Reader._elsif,
    "else": _Reader._else,
    "case": _Reader._case,
    "when": _Reader._when,
    "exception": _Reader._exception,
    "loop": _Reader._loop,
    "while": _Reader._while,
    "for": _Reader._for,
    "foreach": _Reader._for,
}
