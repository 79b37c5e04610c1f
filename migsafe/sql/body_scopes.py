"""The names in a PL/pgSQL body that the compiler resolves when the routine is created: variables, labels, conditions of exceptions.

It follows `src/pl/plpgsql/src/pl_gram.y` and `pl_comp.c`. Tables, columns and types are resolved later, when a statement runs.
"""

from functools import cache
from pathlib import Path

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.sql.body_errors import BodyError, BodyProblem, Routine
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import ESCAPE_STRING, PARAMETER, QUOTED, STRING, WORD

_ROW_TRIGGER = "new old tg_name tg_when tg_level tg_op tg_relid tg_relname tg_table_name tg_table_schema tg_nargs tg_argv".split()
_EVENT_TRIGGER = "tg_event tg_tag".split()
_OF_ROUTINES = {"trigger": _ROW_TRIGGER, "event_trigger": _EVENT_TRIGGER}
_OF_HANDLERS = ("sqlstate", "sqlerrm")
RESERVED = frozenset(
    "begin by case declare else end execute for foreach from if in into loop not null or strict then to using when while".split()
)
"""The key words that PL/pgSQL reserves (pl_reserved_kwlist.h)."""
_KEYWORDS = RESERVED | frozenset(
    """absolute alias and array assert backward begin by call case chain close collate column column_name commit constant constraint
    constraint_name continue current cursor datatype debug declare default detail diagnostics do dump else elseif elsif end errcode error
    exception execute exit fetch first for foreach forward from get hint if import in info insert into is last log loop merge message
    message_text move next no not notice null open option or perform pg_context pg_datatype_name pg_exception_context pg_exception_detail
    pg_exception_hint pg_routine_oid print_strict_params prior query raise relative return returned_sqlstate reverse rollback row_count rowtype
    schema schema_name scroll slice sqlstate stacked strict table table_name then to type use_column use_variable using variable_conflict
    warning when while""".split()
)
"""The key words of PL/pgSQL (pl_reserved_kwlist.h, pl_unreserved_kwlist.h): a variable may have the name of some of them."""
_LEVELS = frozenset("debug log info notice warning exception".split())
_OPTIONS = frozenset("message detail hint errcode column constraint datatype table schema".split())
_FORMAT = lazy_pattern(r"%%|(%)")


class _Scope(Struct):
    """A block or a loop, with the variables that it declares; True for a constant."""

    kind: str
    label: str | None
    variables: dict[str, bool]


class Scopes:
    """The blocks and loops around the reader, the innermost last."""

    def __init__(self, routine: Routine) -> None:
        names = (*routine.parameters, "found", *_OF_ROUTINES.get(routine.returns, ()))
        self.routine = routine
        self._scopes = [_Scope("block", routine.name or "inline_code_block", dict.fromkeys(names, False))]
        self._label: str | None = None

    def label(self, c: Parser, i: int) -> None:
        """Keeps the label of the next block or loop."""
        self._label = c.identifier(i)

    def open(self, kind: str, variables: tuple[str, ...] = ()) -> None:
        """Begins a block or a loop."""
        self._scopes.append(_Scope(kind, self._label, dict.fromkeys(variables, False)))
        self._label = None

    def catch(self) -> None:
        """Begins the exception handlers of the current block."""
        self._scopes[-1].variables |= dict.fromkeys(_OF_HANDLERS, True)

    def close(self, c: Parser) -> None:
        """Ends a block or a loop, whose label may be next."""
        scope = self._scopes.pop()
        if not _is_name(c, c.i):
            return
        _refuse_keyword(c, c.i)
        name = c.identifier(c.i)
        if scope.label is None:
            _fail(c, c.i, f'end label "{name}" specified for unlabeled block')
        elif name != scope.label:
            _fail(c, c.i, f'end label "{name}" differs from block\'s label "{scope.label}"')

    def declare(self, c: Parser) -> None:
        """Reads the declaration of a variable."""
        if not _is_name(c, c.i):
            return
        name = c.identifier(c.i)
        variables = self._scopes[-1].variables
        if name in variables:
            _fail(c, c.i, f'duplicate declaration at or near "{c.text(c.i, c.i + 1)}"')
        words = c.words[c.i + 1 : c.last]
        is_cursor = "cursor" in words[:3]
        has_value = any(word in (":=", "=", "default") for word in words)
        not_null = any(words[i : i + 2] == ["not", "null"] for i in range(len(words)))
        if not_null and not has_value and not is_cursor and words[0] != "alias":
            _fail(c, c.i, f'variable "{name}" must have a default value, since it\'s declared NOT NULL')
        variables[name] = words[0] == "constant"

    def assign(self, c: Parser, i: int) -> int:
        """Checks that the variable at a token can be set, and returns the index behind its name."""
        if c.kinds[i] == PARAMETER:
            return i + 1
        if not _is_name(c, i):
            return i
        names = [c.identifier(i)]
        i += 1
        while c.words[i] == "." and _is_name(c, i + 1) and len(names) < 3:  # the scanner reads names of up to three parts
            names.append(c.identifier(i + 1))
            i += 2
        constant = self._constant(names[0])
        if constant is None and names[0] not in _KEYWORDS:
            _fail(c, i - 1, f'"{".".join(names)}" is not a known variable')
        if constant and len(names) == 1:
            _fail(c, i - 1, f'variable "{names[0]}" is declared CONSTANT')
        return i

    def assign_all(self, c: Parser, i: int, end: int) -> None:
        """Checks the variables of INTO, whose first token is `i`."""
        i += c.words[i] == "strict"
        while i < end:
            i = self.assign(c, i)
            if c.words[i] != ",":
                return
            i += 1

    def is_known(self, c: Parser, i: int) -> bool:
        """Whether a token is the name of a variable, a block or a loop, or of something that is not read."""
        return not _is_name(c, i) or c.identifier(i) in _KEYWORDS or self._constant(c.identifier(i)) is not None

    def _constant(self, name: str) -> bool | None:
        """Returns whether a variable is a constant; None if there is none, and no label of that name."""
        for scope in reversed(self._scopes):
            if name in scope.variables:
                return scope.variables[name]
            if name == scope.label:
                return False
        return None

    def loop_over(self, c: Parser, position: int, end: int) -> tuple[str, ...]:
        """Checks the variable of FOR, whose IN is at `position`, and returns those that the loop declares."""
        start, following = c.i + 1, position + 1
        if not _is_name(c, start):
            return ()
        is_single = position == start + 1
        depth = 0
        for i in range(following, end):
            depth += (c.words[i] in ("(", "[")) - (c.words[i] in (")", "]"))
            if c.words[i] == ".." and not depth:
                return (c.identifier(start),) if is_single else ()
        is_cursor = _is_name(c, following) and c.identifier(following) not in _KEYWORDS and self.is_known(c, following)
        if is_cursor:
            return (c.identifier(start),) if is_single else ()
        if is_single and not self.is_known(c, start):
            error = "loop variable of loop over rows must be a record variable or list of scalar variables"
            _fail(c, start, error)
        if not is_single:
            self.assign_all(c, start, position)
        return ()

    def loop_over_array(self, c: Parser) -> None:
        """Checks the variable of FOREACH."""
        if not self.is_known(c, c.i + 1):
            _fail(c, c.i + 1, "loop variable of FOREACH must be a known variable or list of variables")

    def leave(self, c: Parser) -> None:
        """Checks EXIT or CONTINUE."""
        word, i = c.words[c.i].upper(), c.i + 1
        if not _is_name(c, i) or c.words[i] == "when":
            if all(scope.kind != "loop" for scope in self._scopes):
                suffix = ", unless it has a label" if word == "EXIT" else ""
                _fail(c, c.i, f"{word} cannot be used outside a loop{suffix}")
            return
        name = c.identifier(i)
        scope = next((scope for scope in reversed(self._scopes) if scope.label == name), None)
        if scope is None:
            _fail(c, i, f'there is no label "{name}" attached to any block or loop enclosing this statement')
        elif word == "CONTINUE" and scope.kind == "block":
            _fail(c, i, f'block label "{name}" cannot be used in CONTINUE')

    def give_back(self, c: Parser, end: int) -> None:
        """Checks whether RETURN may have a value, and must have one."""
        routine, following = self.routine, c.words[c.i + 1]
        has_value = c.i + 1 < end
        if following in ("next", "query") and has_value:
            if not routine.returns_set:
                _fail(c, c.i, f"cannot use RETURN {following.upper()} in a non-SETOF function")
            if following == "next" and routine.has_outputs and c.i + 2 < end:
                _fail(c, c.i + 2, "RETURN NEXT cannot have a parameter in function with OUT parameters")
            return
        if not has_value:
            if not (routine.returns_set or routine.returns_nothing or routine.has_outputs):
                _fail(c, c.i, 'missing expression at or near ";"')
            return
        if routine.returns_set:
            _fail(c, c.i + 1, "RETURN cannot have a parameter in function returning set")
        if routine.returns_nothing:
            where = "a procedure" if routine.kind == "procedure" else "function returning void"
            _fail(c, c.i + 1, f"RETURN cannot have a parameter in {where}")
        if routine.has_outputs:
            _fail(c, c.i + 1, "RETURN cannot have a parameter in function with OUT parameters")

    def raise_error(self, c: Parser, end: int) -> None:
        """Checks the condition of RAISE, or the number of values for its format."""
        i = c.i + 1 + (c.words[c.i + 1] in _LEVELS)
        if c.kinds[i] in (STRING, ESCAPE_STRING):
            self._check_format(c, i, end)
        elif c.kinds[i] == WORD and c.words[i] not in ("using", "sqlstate") and i < end:
            self.handle(c, i)
        self._check_options(c, i, end)

    def _check_options(self, c: Parser, i: int, end: int) -> None:
        depth, in_options = 0, False
        for position in range(i, end):
            word = c.words[position]
            depth += (word in ("(", "[")) - (word in (")", "]"))
            in_options = in_options or (word == "using" and not depth)
            is_first = in_options and not depth and word in ("using", ",") and c.kinds[position + 1] == WORD
            if is_first and c.words[position + 1] not in _OPTIONS:
                _fail(c, position + 1, f'unrecognized RAISE statement option at or near "{c.text(position + 1, position + 2)}"')

    def open_cursor(self, c: Parser) -> None:
        """Checks the variable of OPEN."""
        if not self.is_known(c, c.i + 1):
            _fail(c, c.i + 1, f'"{c.identifier(c.i + 1)}" is not a known variable')

    def _check_format(self, c: Parser, i: int, end: int) -> None:
        if c.words[i + 1] not in (",", "using") and i + 1 < end:
            _fail(c, i + 1, f'syntax error at or near "{c.text(i + 1, i + 2)}"')
        wanted = sum(match[1] is not None for match in _FORMAT.finditer(c.text(i, i + 1)))
        given, depth = 0, 0
        for position in range(i + 1, end):
            word = c.words[position]
            depth += (word in ("(", "[")) - (word in (")", "]"))
            if word == "using" and not depth:
                break
            given += word == "," and not depth
        if given != wanted:
            few = "many" if given > wanted else "few"
            _fail(c, c.i, f"too {few} parameters specified for RAISE")

    def handle(self, c: Parser, i: int) -> None:
        """Checks the name of a condition."""
        _refuse_keyword(c, i)
        if c.kinds[i] == WORD and c.words[i] not in _conditions():
            _fail(c, i, f'unrecognized exception condition "{c.words[i]}"')


def _is_name(c: Parser, i: int) -> bool:
    return c.kinds[i] in (WORD, QUOTED)


def _refuse_keyword(c: Parser, i: int) -> None:
    """Refuses a reserved word as a name."""
    if c.kinds[i] == WORD and c.words[i] in RESERVED:
        _fail(c, i, f'syntax error at or near "{c.text(i, i + 1)}"')


def _fail(c: Parser, i: int, error: str) -> None:
    raise BodyProblem(BodyError(c.span(i, i + 1), is_structure=True, error=error))


@cache
def _conditions() -> frozenset[str]:
    """Returns the names of errors and warnings (errcodes.txt of PostgreSQL 14 to 18)."""
    return frozenset((*(Path(__file__).parent / "conditions.txt").read_text().split(), "others"))
