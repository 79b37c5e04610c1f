"""One run of a script: the SQL that it sends, the unknown parts of it, and its decisions about unknown values."""

import ast
import re
from collections.abc import Callable
from linecache import getline
from types import FrameType
from typing import Any, Literal

from msgspec.structs import replace
from sqlalchemy.sql import ClauseElement

from migsafe import versions
from migsafe.assumption import Assumption
from migsafe.rendering.messages import DATABASE_ONLY, EXECUTE, FOR_EACH_OBJECT, FOR_EACH_ROW, WHILE_ROWS, Answer, RenderedCall, UnknownMark
from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.guards import Forbidden
from migsafe.rendering.worker.inert import inert_base
from migsafe.rendering.worker.known_types import known_type
from migsafe.rendering.worker.live_results import Result, execution_result
from migsafe.rendering.worker.loops import Loops
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.script_file import ScriptFile, TextRange
from migsafe.rendering.worker.sql_positions import sql_segments
from migsafe.rendering.worker.sqlalchemy_internals import is_writing_objects
from migsafe.rendering.worker.types import NamedType
from migsafe.rendering.worker.unknown import MARK, Unknown, name_of, reason_of
from migsafe.script_environment import ScriptEnvironment

Fork = tuple[tuple[str, int], ...]
"""A place where a script decides about an unknown value: the function and instruction of each of its frames on the stack."""

Ask = Callable[[str, tuple[str | None, ...], tuple[str, ...]], Answer]

_MAX_SAME_CHOICE = 50
"""How often a script may decide the same at one fork before it is regarded as a loop that waits for something."""
_MAX_DECISIONS = 1000
MAX_CALLS = 5_000
"""How many statements of a script are rendered."""
_LONGEST_CONDITION = 80
_REFUSING = ("raise ", "assert ")
_EXECUTING = frozenset(("execute", "exec_driver_sql", "scalar", "scalars"))
_SQL = re.compile(
    r"\s*(?:select|with|insert|update|delete|merge|create|alter|drop|truncate|set|reset|grant|revoke|comment|lock|do|call)\b",
    re.IGNORECASE,
)
"""The beginning of a statement."""


_STRINGS = re.compile(r"'[^']*+(?:''[^']*+)*+'|\"[^\"]*\"")
_NONE = re.compile(r"[=,(]\s*None\b")
"""Python's None as a value in SQL, where it is the name of a column."""
_OF_QUERY = re.compile(r"\bquery\([^()]*\)")
"""The name of an object that a query of a session returns."""


class Endless(BaseException):
    """The script waits in a loop for something that never happens here."""


class TooManyCalls(BaseException):
    """The script sends more statements than are rendered."""


class Run:
    """One run. `choices` are the decisions at forks, `default_choice` the one at all other forks."""

    def __init__(self, file: ScriptFile, project: ProjectCode, choices: dict[Fork, bool], ask: Ask, *, default_choice: bool = True) -> None:
        self.file = file
        self.project = project
        self.choices = choices
        self.default_choice = default_choice
        self.forks: dict[Fork, int] = {}
        self.assumptions: dict[Fork, Assumption] = {}
        """What the run assumes, by fork."""
        self.forks_about_rows: set[Fork] = set()
        """The forks at which the script decides about a row, or whether there is one."""
        self.calls_before_fork: dict[Fork, int] = {}
        """The number of calls before the script first came to a fork."""
        self.calls: list[RenderedCall] = []
        self.reasons: dict[str, str] = {}
        self.active = False
        self.met_unknown = False
        self.called_unknown = False
        """Whether the script has called something unknown that may send SQL."""
        self.version = versions.DEFAULT
        self.live = False
        self.environment = ScriptEnvironment()
        self.raises = ""
        """The call around the current one that raises an error in production."""
        self.committed_at = -1
        """How many calls there were when the script last committed: without a further one, its connection is in no transaction."""
        self.result: Result | None = None
        """The result of the last statement on a live server."""
        self._refused: int | None = None
        self.in_transaction = True
        self.current_range: TextRange | None = None
        self.connect: Callable[[], Any] | None = None
        """Returns the connection of the simulated database."""
        self._ask = ask
        self._loops = 0
        self._rounds = Loops(file.loop_lines, file.path, self.is_project_frame)
        self.result_uses = 0
        """How often the script has used a result that is unknown, or decided about something unknown."""
        self.misses_row = False
        """Whether the script has written the None of a missing row into SQL, although it relies on the row."""
        self.last_sql = ""
        """The last statement that the script has sent."""
        self.is_exhausted = False
        """Whether the last statement finds no more rows."""
        self._used_by_library: list[Unknown] = []
        self.sends_list = False
        """Whether the statement that is being sent has a list of sets of values."""

    # What the script sends

    @property
    def is_committed(self) -> bool:
        """Whether the script has just ended the transaction of env.py, and its connection is in none (measured with SQLAlchemy 2)."""
        return self.environment.autobegun and self.committed_at == len(self.calls)

    def send(self, sql: str, *, by_runner: bool = False) -> None:
        """Records a statement, and the call that sends it."""
        text_range = self.current_range or self.frame_range()
        # Alembic quotes each part of a schema with dots (alembic/ddl/base.py, quote_dotted); no mark has a quote of its own.
        sql = MARK.sub(lambda mark: mark[0].replace('"', ""), sql) if '".' in sql else sql
        marks = [UnknownMark(mark, self.reasons[mark]) for mark in dict.fromkeys(MARK.findall(sql)) if mark in self.reasons]
        hidden = [value for value in self._used_by_library if str(value) not in sql]
        opaque = f"it depends on {name_of(hidden[0])}, {reason_of(hidden[0])}" if hidden else ""
        self._used_by_library.clear()
        if self._repeats(str(sql), by_runner=by_runner):
            return
        if self.forks_about_rows and not self.live and _NONE.search(_STRINGS.sub("", sql)):
            self.misses_row = True
        if len(self.calls) >= MAX_CALLS:
            raise TooManyCalls
        segments = sql_segments(self.file, str(sql), text_range) if not by_runner and not opaque else ()
        repeated = self._repeated(marks)
        certain = not self._loops
        self.calls.append(RenderedCall(str(sql), *text_range, opaque, tuple(marks), certain, by_runner, segments, self.raises, repeated))
        if self.live and not opaque and not marks:
            self._execute(len(self.calls) - 1, str(sql))

    def mark_enum(self, values: tuple[str, ...], first: int) -> None:
        """Records that the calls from a number on name an enum with these values, which they do not create."""
        self.calls[first:] = [replace(call, new_enum=values) for call in self.calls[first:]]

    def _repeated(self, marks: list[UnknownMark]) -> str:
        """Returns how often a call is made that sends unknown values: of a row in a loop, of a list of them, or of the objects of a session."""
        if not any(mark.reason == DATABASE_ONLY for mark in marks):
            return ""
        frame = caller(2)
        if is_writing_objects(frame):
            return FOR_EACH_OBJECT
        return FOR_EACH_ROW if self.sends_list or self._rounds.is_for_each_row(frame) else ""

    def _repeats(self, sql: str, *, by_runner: bool) -> bool:
        """Whether a call in a loop that ends when rows run out is made again."""
        repetition = None if self.live else self._rounds.repetition(caller(), sql, len(self.calls), self.result_uses)
        if not by_runner:
            self.last_sql = sql
            self.is_exhausted = repetition is not None and repetition.is_exhausted
        if repetition is not None:
            self.calls[repetition.call] = replace(self.calls[repetition.call], repeated=WHILE_ROWS)
        return repetition is not None

    def _execute(self, number: int, sql: str) -> None:
        """Executes the last statement on the live server."""
        if self._refused is not None:
            self.calls[self._refused] = replace(self.calls[self._refused], opaque="PostgreSQL rejects it, and the script continues without it")
        self.result, self._refused = None, number
        self.result = execution_result(self._ask(EXECUTE, (sql,), ()).value, sql)
        self._refused = None

    def send_opaque(self, reason: str, text_range: TextRange | None = None) -> None:
        """Records a call whose SQL is unknown."""
        start, end = text_range or self.current_range or self.frame_range()
        self.calls.append(RenderedCall(self.file.text[start:end], start, end, reason, certain=not self._loops))

    def frame_range(self, frame: FrameType | None = None) -> TextRange:
        """Returns the range of the script's innermost call."""
        inner = next(self.file.script_frames(frame or caller()), None)
        return self.file.frame_range(inner) if inner is not None else self.file.full_range

    def ask(self, name: str, *arguments: str | None) -> Answer:
        """Asks the schema, in the state after the statements sent so far."""
        if any(isinstance(argument, Unknown) for argument in arguments):
            return Answer(known=False)
        plain = tuple(argument if argument is None else str(argument) for argument in arguments)
        return self._ask(name, plain, tuple(call.sql for call in self.calls if not call.opaque))

    # What unknown values use

    def is_project_frame(self, frame: FrameType) -> bool:
        """Whether a frame belongs to the script or to code of its project."""
        return self.is_project_file(frame.f_code.co_filename)

    def is_project_file(self, name: str | None) -> bool:
        """Whether a file is the script or code of its project."""
        return self.project.is_project_file(name)

    def decide(self, frame: FrameType, name: str = "", reason: str = "", *, about_rows: bool = False) -> bool:
        """Returns the decision at a fork: about the value of a name that is unknown for a reason, or whether a query returns rows."""
        if self.live:
            # The server knows its rows, so the unknown value is a setting or missing code, and what follows is uncertain.
            self._loops += 1
        self.result_uses += 1
        fork = self._fork(frame)
        self.calls_before_fork.setdefault(fork, len(self.calls))
        times = self.forks[fork] = self.forks.get(fork, 0) + 1
        if times > _MAX_DECISIONS:
            raise Endless
        choice = self.choices.get(fork, self.default_choice)
        if about_rows or reason == DATABASE_ONLY:
            self.forks_about_rows.add(fork)
        if fork not in self.assumptions:
            about: Literal["", "rows", "value"] = "rows" if about_rows else "value" if reason == DATABASE_ONLY else ""
            self.assumptions[fork] = Assumption(*self._condition(frame, name), choice, about)
        is_later_round = times % 2 == 0 if self._rounds.ends_loop(frame) else times > _MAX_SAME_CHOICE
        return choice is not is_later_round

    def _condition(self, frame: FrameType, name: str) -> tuple[str, int]:
        """Returns the source of the condition that a frame evaluates, or the name of the unknown value; and its line."""
        own = next(self.file.script_frames(frame), None)
        line = own.f_lineno if own is not None else 1
        project_frame: FrameType | None = frame
        while project_frame is not None and not self.is_project_frame(project_frame):
            project_frame = project_frame.f_back
        # In a helper module, the line is that of the script's call of the helper.
        source = self.file.condition(own) if own is not None and own is project_frame else ""
        return source if 0 < len(source) <= _LONGEST_CONDITION else name or source[:_LONGEST_CONDITION], line

    def note_call(self, value: Unknown, frame: FrameType, arguments: tuple[Any, ...]) -> None:
        """Records a call of an unknown function, which may send anything."""
        if not self.active:
            return
        call = self.file.call_of(frame) if frame.f_code.co_filename == self.file.path else None
        sends_nothing = reason_of(value) == DATABASE_ONLY or self.project.is_foreign(name_of(value), reason_of(value))
        self.called_unknown = self.called_unknown or not sends_nothing
        if (self.file.is_expression_statement(call) and not sends_nothing) or any(map(_can_send, arguments)):
            self.send_opaque(f"it calls {name_of(value)}, {reason_of(value)}", self.frame_range(frame))

    def note_change(self, value: Unknown, frame: FrameType) -> None:
        """Records a change of an unknown object. What a module has, without a call, is not an object of a session; what a query of a session
        has returned is a single row."""
        if _OF_QUERY.search(name_of(value)):
            return
        is_result = name_of(value).endswith((")", "]")) or reason_of(value) == DATABASE_ONLY
        if self.active and is_result and self.is_project_frame(frame) and not self.project.is_foreign(name_of(value), reason_of(value)):
            self.send_opaque(f"it changes {name_of(value)}, {reason_of(value)}", self.frame_range(frame))

    def note_library_use(self, value: Unknown) -> None:
        """Records that a library depends on the value."""
        if self.active:
            self._used_by_library.append(value)

    def note_mark(self, mark: str, reason: str) -> None:
        """Records why a value is unknown."""
        self.reasons[mark] = reason
        self.met_unknown = self.met_unknown or (self.active and not self.project.is_foreign(mark[1:-1], reason))

    def known_type(self, value: Unknown, arguments: tuple[Any, ...], named: dict[str, Any]) -> object:
        """Returns the type that a call of the value returns, if it is known."""
        return known_type(value, arguments, named)

    def send_through(self, value: Unknown, arguments: tuple[Any, ...]) -> object:
        """Sends the SQL that a method of an unknown connection or session sends; returns its result, None if the SQL is not known."""
        method = name_of(value).rpartition(".")[2]
        if not self.active or self.connect is None or method not in _EXECUTING or not arguments or isinstance(arguments[0], Unknown):
            return None
        if not isinstance(arguments[0], ClauseElement) and not (isinstance(arguments[0], str) and _SQL.match(arguments[0])):
            return None
        result = self.connect().execute(*arguments)
        return result if method in ("execute", "exec_driver_sql") else getattr(result, method)()

    def as_base(self, value: Unknown) -> type:
        """Returns a base class for classes in place of the value."""
        return inert_base(value)

    def as_type(self, value: Unknown) -> object:
        """Returns a type for SQLAlchemy in place of the value."""
        return NamedType(f'"{value!s}"')

    def add_uncertainty(self, delta: int) -> None:
        """Enters (1) or leaves (-1) code that runs an unknown number of times."""
        self._loops += delta

    def _fork(self, frame: FrameType | None) -> Fork:
        places = []
        while frame is not None:
            if self.is_project_frame(frame):
                places.append((frame.f_code.co_name, frame.f_lasti))
            frame = frame.f_back
        return tuple(places)


def _can_send(argument: object) -> bool:
    """Whether a function could send SQL with this argument."""
    home = type(argument).__module__
    if isinstance(argument, Unknown):
        return False
    return (
        home.startswith(("alembic.", "migsafe.rendering.worker"))
        or getattr(argument, "__name__", "") in ("alembic.op", "alembic.context")
        or (home.startswith("sqlalchemy.") and type(argument).__name__ in ("Session", "ModelConnection", "Engine", "MetaData", "sessionmaker"))
    )


def is_refusal(file: ScriptFile, error: BaseException, is_own_code: Callable[[FrameType], bool]) -> bool:
    """Whether a script, or a module of its project, has ended with its own `raise` or `assert`, because its conditions are not met."""
    if isinstance(error, Forbidden):
        return False
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    line = traceback.tb_lineno
    if traceback.tb_frame.f_code.co_filename != file.path:
        return is_own_code(traceback.tb_frame) and getline(traceback.tb_frame.f_code.co_filename, line).lstrip().startswith(_REFUSING)
    return any(isinstance(node, ast.Raise | ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno) for node in file.nodes)
