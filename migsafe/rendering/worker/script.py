"""The rendering of one script: several runs with different decisions about unknown values, and their merged calls."""

import gc
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from functools import partial
from inspect import Parameter, iscoroutine, signature
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from msgspec.structs import replace

from migsafe.rendering.messages import RenderedCall, RenderedPath, RenderRequest
from migsafe.rendering.worker.alembic_offline import install
from migsafe.rendering.worker.database import Database
from migsafe.rendering.worker.env_arguments import added_name, evaluated_argument
from migsafe.rendering.worker.environment import as_value, read_environment
from migsafe.rendering.worker.environment_variables import EnvironmentVariables
from migsafe.rendering.worker.guards import ProcessExit, TimeUp
from migsafe.rendering.worker.imports import Builtins
from migsafe.rendering.worker.literal_reader import LiteralReader
from migsafe.rendering.worker.merging import merge_runs
from migsafe.rendering.worker.nondeterminism import depends_on_chance, seed_random
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.script_file import ScriptFile
from migsafe.rendering.worker.script_run import MAX_CALLS, Ask, Endless, Fork, Run, TooManyCalls, is_refusal
from migsafe.rendering.worker.unknown import Unknown
from migsafe.script_environment import UNKNOWN

_MAX_RUNS = 12
_MAX_ROW_RUNS = 6
"""After so many runs, decisions about rows are not tried both ways."""
_MIN_SECONDS = 0.1
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""The address of an object, which is another one in each run."""
_FROM_ENV = "which comes from the project's own env.py"

_MISSING = frozenset(("IndexError", "KeyError", "StopIteration", "UnboundLocalError", "NoResultFound", "ObjectDeletedError"))

Guarded = Callable[[float], AbstractContextManager[None]]
"""Applies the limits to a script, for a number of seconds."""
Watch = Callable[[Run | None], None]
"""Called with the run that begins, and with None when it ends."""


class Outcome:
    """The outcome of one run: the error that ended it, if any, and whether the script `rejected` the situation by raising it."""

    def __init__(self, run: Run, error: BaseException | None) -> None:
        self.run = run
        self.error = error
        is_other_path = bool(run.choices) or not run.default_choice
        lacks_rows = is_other_path and (run.misses_row or (error is not None and _misses_rows(error)))
        self.rejected = lacks_rows or (
            error is not None and (isinstance(error, SystemExit) or is_refusal(run.file, error, run.is_project_frame))
        )


class Route(NamedTuple):
    """The decisions of a run: at some forks, and at all others; and the fork that the run is meant to explore, if any."""

    choices: dict[Fork, bool]
    default_choice: bool
    fork: Fork | None = None

    def is_new(self, decided: Set[tuple[Fork, bool]]) -> bool:
        """Whether its decision at its fork has not been tried before."""
        return self.fork is None or (self.fork, not self.default_choice) not in decided


class ScriptResult(NamedTuple):
    """The calls of a script, and the paths on which they are if there are several.

    A script is `broken` if it ended in a way that may have damaged the worker, None if it may have changed modules. `repeatable`: it sends the
    same the next time. `has_untried_paths`: there are more paths than were tried.
    """

    calls: list[RenderedCall]
    broken: bool | None
    repeatable: bool = True
    paths: Sequence[RenderedPath] = ()
    has_untried_paths: bool = False


def render(request: RenderRequest, ask: Ask, guarded: Guarded, watch: Watch, project: ProjectCode) -> ScriptResult:
    """Returns the calls of a script."""
    try:
        file = ScriptFile(request.path, request.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return ScriptResult([_not_python(request.text, error)], False)
    if not request.run:
        return _read(file, request, ask, guarded, project)
    exploration = Exploration(file, request)
    while (route := exploration.next_route()) is not None:
        limits = partial(_limits, guarded, exploration)
        exploration.add(route, _tolerant_outcome(file, request, route, ask, limits, watch, project))
    return exploration.result()


def _not_python(text: str, error: Exception) -> RenderedCall:
    """Returns the only call of a script that Python does not compile, at the line of the error: a call must have a text."""
    line = error.lineno if isinstance(error, SyntaxError) and error.lineno is not None else 1
    reason = error.msg if isinstance(error, SyntaxError) else error
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: line - 1]))
    code = text[start : start + len(lines[line - 1])].rstrip() if line <= len(lines) else ""
    start, code = (start, code) if code.strip() else (0, text)
    return RenderedCall(code, start, start + len(code), f"Python does not compile the script: {reason}")


def _limits(guarded: Guarded, exploration: "Exploration") -> AbstractContextManager[None]:
    return guarded(exploration.seconds_left)


class Exploration:
    """The paths through a script: runs with different decisions at its forks, until each decision has been tried both ways."""

    def __init__(self, file: ScriptFile, request: RenderRequest) -> None:
        self._file = file
        self._request = request
        self._outcomes: list[Outcome] = []
        self._waiting = [Route({}, default_choice=True)]
        self._found: set[Fork] = set()
        self._decided: set[tuple[Fork, bool]] = set()
        self._about_rows: set[Fork] = set()
        self._broken = False
        self._deadline = time.monotonic() + request.seconds

    @property
    def seconds_left(self) -> float:
        """The time limit of the next run. The first run is always made; others while there is time."""
        return max(self._deadline - time.monotonic(), _MIN_SECONDS)

    def next_route(self) -> Route | None:
        """Returns the decisions of the next run; None if there is none, or a limit has been reached."""
        most = 1 if self._request.live else _MAX_RUNS
        if len(self._outcomes) >= most or self._broken or self._is_late():
            return None
        number = min(range(len(self._waiting)), key=lambda number: self._rank(self._waiting[number]), default=None)
        if number is None or not self._is_worthwhile(self._waiting[number]):
            return None
        return self._waiting.pop(number)

    def _is_worthwhile(self, route: Route) -> bool:
        """Whether a route is worth a run. Decisions about rows rarely change what a script locks."""
        is_tried, is_about_rows = self._rank(route)
        return not is_about_rows or not (is_tried or len(self._outcomes) >= _MAX_ROW_RUNS)

    def add(self, route: Route, outcome: Outcome) -> None:
        """Adds the outcome of a run, and the routes to the other decisions at its forks."""
        self._outcomes.append(outcome)
        run = outcome.run
        self._broken = outcome.error is not None and not isinstance(outcome.error, Exception | SystemExit)
        self._about_rows |= run.forks_about_rows
        if len(self._outcomes) == 1 and len(run.forks) > 1:
            self._waiting.append(Route({}, default_choice=False))  # most guards are independent: this run takes the other branch at all of them
        self._decided.update((fork, route.choices.get(fork, route.default_choice)) for fork in run.forks)
        for fork in run.forks:
            if fork not in self._found:
                self._found.add(fork)
                self._waiting.append(Route({**route.choices, fork: not route.default_choice}, route.default_choice, fork))

    def result(self) -> ScriptResult:
        """Returns the calls on all paths."""
        untried = self._untried()
        if untried:
            _mark_untried(self._outcomes[0].run, untried)
        accepted = [outcome for outcome in self._outcomes if not outcome.rejected] or [self._ended_early()]
        merged = merge_runs([outcome.run.calls for outcome in accepted])
        calls, paths = merged.calls, merged.paths([outcome.run.assumptions for outcome in accepted])
        if not calls and (untried or any(outcome.run.called_unknown for outcome in self._outcomes)):
            calls = [_nothing(self._file, self._request.function)]
        broken = self._broken or (False if self._file.is_self_contained else None)
        # A script that reaches a limit is not run again until it, what it depends on, or the limit changes.
        return ScriptResult(calls, broken, not depends_on_chance(self._file.nodes), paths, bool(untried))

    def _ended_early(self) -> Outcome:
        """Returns the first run of a script that ends each run with an error of its own. If that depends on something unknown, it may continue
        in production."""
        first = self._outcomes[0]
        if first.error is not None and first.run.met_unknown and not self._request.live:
            text_range = self._file.error_range(first.error.__traceback__) or self._file.first_line_of(self._request.function)
            first.run.send_opaque(f"it ends here with {_described(first.error)}", text_range)
        return first

    def _rank(self, route: Route) -> tuple[bool, bool]:
        """Decisions that have not been tried come first, those about the schema and settings before those about rows."""
        return not route.is_new(self._decided), route.fork in self._about_rows

    def _untried(self) -> list[Route]:
        """Returns the routes to decisions that have not been tried. Those about rows do not count: they rarely change what a script locks."""
        if self._request.live:
            return []
        return [route for route in self._waiting if route.fork is not None and self._rank(route) == (False, False)]

    def _is_late(self) -> bool:
        return bool(self._outcomes) and time.monotonic() >= self._deadline - self._request.seconds / 2


def _misses_rows(error: BaseException) -> bool:
    """Whether an error comes from missing rows that the script relies on."""
    message = str(error)
    return (
        type(error).__name__ in _MISSING
        or message.startswith("Could not refresh instance")
        or (isinstance(error, TypeError | AttributeError) and "NoneType" in message)
    )


def _mark_untried(run: Run, untried: Sequence[Route]) -> None:
    """Marks all calls after the first fork with an untried decision as uncertain."""
    first = min(
        (run.calls_before_fork[fork] for route in untried for fork in route.choices if fork in run.calls_before_fork), default=len(run.calls)
    )
    run.calls[first:] = [replace(piece, certain=False) for piece in run.calls[first:]]


def _nothing(file: ScriptFile, function: str) -> RenderedCall:
    start, end = file.first_line_of(function)
    return RenderedCall(file.text[start:end], start, end, "it sends nothing here, because it depends on unknown values")


def _read(file: ScriptFile, request: RenderRequest, ask: Ask, guarded: Guarded, project: ProjectCode) -> ScriptResult:
    """Returns the calls of a script that can be read from its syntax tree."""
    run = Run(file, project, {}, ask)
    run.in_transaction = request.in_transaction
    run.environment = read_environment(request.environment)
    database = Database(run)
    operations = install(run, database)
    try:
        with guarded(request.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            LiteralReader(run, operations, database).read_function(request.function)
    except BaseException as error:  # a tree may be too deep or too large
        _end(run, error, request.function)
    return ScriptResult(run.calls, False)


def _tolerant_outcome(
    file: ScriptFile,
    request: RenderRequest,
    route: Route,
    ask: Ask,
    limits: Callable[[], AbstractContextManager[None]],
    watch: Watch,
    project: ProjectCode,
) -> Outcome:
    """Returns the outcome of a run; a run that ends with an exception is repeated, and continues after the statement that failed."""
    outcome = _outcome(file, request, route, ask, limits(), watch, project)
    while (
        isinstance(outcome.error, Exception)
        and not isinstance(outcome.error, MemoryError | RecursionError)
        and not outcome.rejected
        and not request.live
    ):
        if not file.tolerate(outcome.error, f"fails here with {_described(outcome.error)}"):
            break
        outcome = _outcome(file, request, route, ask, limits(), watch, project)
    return outcome


def _described(error: BaseException) -> str:
    message = " ".join(_ADDRESS.sub("", str(error)).split())[:200]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _outcome(
    file: ScriptFile,
    request: RenderRequest,
    route: Route,
    ask: Ask,
    limits: AbstractContextManager[None],
    watch: Watch,
    project: ProjectCode,
) -> Outcome:
    run = Run(file, project, route.choices, ask, default_choice=route.default_choice)
    run.version = request.pg_version
    run.live = request.live
    run.in_transaction = request.in_transaction
    run.environment = read_environment(request.environment)
    module = ModuleType(re.sub(r"\W", "_", Path(request.path).name))
    module.__file__ = str(Path(request.path).absolute())
    module.__dict__["__builtins__"] = Builtins(project, request.path, optional=lambda: file.optional_imports)
    database = Database(run)
    install(run, database)
    before, path = dict(os.environ), list(sys.path)
    project.begin(run, database)
    project.added_name = partial(added_name, run)
    error: BaseException | None = None
    sys.modules[module.__name__] = module
    seed_random()
    watch(run)
    try:
        with limits, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with EnvironmentVariables(run, project.owner):
                _run(file, module, run, request.function)
    except BaseException as raised:  # a script may raise anything
        error = raised
        _end(run, raised, request.function)
    finally:
        watch(None)
        sys.modules.pop(module.__name__, None)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(before)
        gc.enable()
    return Outcome(run, error)


def _run(file: ScriptFile, module: ModuleType, run: Run, function: str) -> None:
    exec(file.code, module.__dict__)  # noqa: S102  # this is what the process is for
    entry = module.__dict__.get(function)
    if entry is None:
        return
    run.active = True
    if isinstance(entry, Unknown):
        run.send_opaque(f"{function}() is {entry}, {run.reasons[str(entry)]}", file.first_line_of(function))
        return
    result = entry(**_arguments(entry, run))
    if iscoroutine(result):
        result.close()


def _arguments(function: Callable[..., Any], run: Run) -> dict[str, Any]:
    """Returns what the project's env.py passes for the parameters of a function; unknown values if that is not known."""
    from alembic import op  # noqa: PLC0415

    arguments: dict[str, Any] = {}
    passed = run.environment.arguments
    for parameter in signature(function).parameters.values():
        if parameter.name in passed and passed[parameter.name] != UNKNOWN:
            arguments[parameter.name] = as_value(run, parameter.name, passed[parameter.name])
        elif parameter.kind is Parameter.VAR_KEYWORD:
            arguments.update({name: as_value(run, name, value) for name, value in passed.items() if name not in arguments})
        elif parameter.default is Parameter.empty and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            arguments[parameter.name] = op if parameter.name == "op" else evaluated_argument(run, parameter.name, _FROM_ENV)
    return arguments


def _end(run: Run, error: BaseException, function: str) -> None:
    """Records how a script ended early."""
    text_range = run.file.error_range(error.__traceback__) or run.file.first_line_of(function)
    match error:
        case Endless():
            reason = "it waits in a loop for something that only a database knows"
        case TooManyCalls():
            reason = f"it sends more than {MAX_CALLS:,} statements; those after them are not rendered"
        case SystemExit():
            reason = "it ends the process here, with sys.exit()"
        case MemoryError():
            reason = "it needs more memory than the limit"
        case RecursionError():
            reason = "its calls are nested too deeply"
        case TimeUp():
            reason = "it exceeds the time limit"
        case ProcessExit():
            reason = "it ends the process here"
        case _:
            reason = f"it ends here with {_described(error)}"
    # On a database, an error that the script raises is its answer to what it met there.
    if run.live or not is_refusal(run.file, error, run.is_project_frame):
        run.send_opaque(reason, text_range)
