"""The rendering of one script: several runs with different decisions about unknown values, and their merged calls."""

import gc
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from inspect import Parameter, iscoroutine, signature
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from msgspec.structs import replace

from migsafe.rendering.messages import RenderedCall, RenderedPath, RenderRequest
from migsafe.rendering.worker.alembic_offline import install
from migsafe.rendering.worker.database import Database
from migsafe.rendering.worker.environment import read_environment
from migsafe.rendering.worker.environment_variables import EnvironmentVariables
from migsafe.rendering.worker.guards import ProcessExit, TimeUp
from migsafe.rendering.worker.imports import Builtins
from migsafe.rendering.worker.literal_reader import LiteralReader
from migsafe.rendering.worker.merging import merge_runs
from migsafe.rendering.worker.nondeterminism import depends_on_chance, seed_random
from migsafe.rendering.worker.script_file import ScriptFile
from migsafe.rendering.worker.script_run import Ask, Endless, Fork, Run, is_refusal
from migsafe.rendering.worker.unknown import Unknown

_MAX_RUNS = 8
_MIN_SECONDS = 0.1
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
        self.rejected = error is not None and (
            is_refusal(run.file, error) or ((bool(run.choices) or not run.default_choice) and _misses_rows(error))
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


def render(request: RenderRequest, ask: Ask, guarded: Guarded, watch: Watch) -> ScriptResult:
    """Returns the calls of a script."""
    try:
        file = ScriptFile(request.path, request.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return ScriptResult([RenderedCall("", 0, 0, f"it is not Python: {error}")], False)
    if not request.run:
        return _read(file, request, ask, guarded)
    outcomes: list[Outcome] = []
    waiting = [Route({}, default_choice=True)]
    tried: set[Fork] = set()
    decided: set[tuple[Fork, bool]] = set()
    broken = False
    deadline = time.monotonic() + request.seconds
    # The first run is always made; others while there is time.
    late = False
    while waiting and len(outcomes) < (1 if request.live else _MAX_RUNS) and not broken and not late:
        seconds = max(deadline - time.monotonic(), _MIN_SECONDS)
        route = waiting.pop(next((position for position, candidate in enumerate(waiting) if candidate.is_new(decided)), 0))
        outcome = _outcome(file, request, route, ask, guarded(seconds), watch)
        outcomes.append(outcome)
        broken = isinstance(outcome.error, BaseException) and not isinstance(outcome.error, Exception)
        if len(outcomes) == 1 and len(outcome.run.forks) > 1:
            waiting.append(Route({}, default_choice=False))  # most guards are independent: this run takes the other branch at all of them
        decided.update((fork, route.choices.get(fork, route.default_choice)) for fork in outcome.run.forks)
        for fork in outcome.run.forks:
            if fork not in tried:
                tried.add(fork)
                waiting.append(Route({**route.choices, fork: not route.default_choice}, route.default_choice, fork))
        late = time.monotonic() >= deadline - request.seconds / 2
    if waiting and not request.live:
        _mark_untried(outcomes[0].run, waiting)
    accepted = [outcome for outcome in outcomes if not outcome.rejected] or outcomes[:1]
    merged = merge_runs([outcome.run.calls for outcome in accepted])
    calls, paths = merged.calls, merged.paths([outcome.run.decisions for outcome in accepted])
    if not calls and any(outcome.run.met_unknown for outcome in outcomes):
        calls = [_nothing(file, request.function)]
    incomplete = (late and bool(waiting)) or any(_depends_on_machine(outcome.error) for outcome in outcomes)
    repeatable = not incomplete and not depends_on_chance(file.tree)
    broken_worker = broken or (False if file.is_self_contained else None)
    return ScriptResult(calls, broken_worker, repeatable, paths, bool(waiting) and not request.live)


def _depends_on_machine(error: BaseException | None) -> bool:
    """Whether the error depends on the speed or memory of the machine."""
    return isinstance(error, MemoryError | TimeUp)


def _misses_rows(error: BaseException) -> bool:
    """Whether an error comes from missing rows that the script relies on."""
    return type(error).__name__ in _MISSING or (isinstance(error, TypeError | AttributeError) and "NoneType" in str(error))


def _mark_untried(run: Run, untried: Sequence[Route]) -> None:
    """Marks all calls after the first fork with an untried decision as uncertain."""
    first = min(
        (run.calls_before_fork[fork] for route in untried for fork in route.choices if fork in run.calls_before_fork), default=len(run.calls)
    )
    run.calls[first:] = [replace(piece, certain=False) for piece in run.calls[first:]]


def _nothing(file: ScriptFile, function: str) -> RenderedCall:
    start, end = file.first_line_of(function)
    return RenderedCall(file.text[start:end], start, end, "it sends nothing here, because it depends on unknown values")


def _read(file: ScriptFile, request: RenderRequest, ask: Ask, guarded: Guarded) -> ScriptResult:
    """Returns the calls of a script that can be read from its syntax tree."""
    run = Run(file, (), {}, ask)
    run.in_transaction = request.in_transaction
    run.environment = read_environment(request.environment)
    operations = install(run, Database(run))
    repeatable = True
    try:
        with guarded(request.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            LiteralReader(run, operations).read_function(request.function)
    except BaseException as error:  # a tree may be too deep or too large
        _end(run, error, request.function)
        repeatable = not _depends_on_machine(error)
    return ScriptResult(run.calls, False, repeatable)


def _outcome(file: ScriptFile, request: RenderRequest, route: Route, ask: Ask, limits: AbstractContextManager[None], watch: Watch) -> Outcome:
    run = Run(file, request.folders, route.choices, ask, default_choice=route.default_choice)
    run.version = request.pg_version
    run.live = request.live
    run.in_transaction = request.in_transaction
    run.environment = read_environment(request.environment)
    module = ModuleType(re.sub(r"\W", "_", Path(request.path).name))
    module.__file__ = str(Path(request.path).absolute())
    module.__dict__["__builtins__"] = Builtins(run)
    database = Database(run)
    install(run, database)
    before, path = dict(os.environ), list(sys.path)
    error: BaseException | None = None
    sys.modules[module.__name__] = module
    seed_random()
    watch(run)
    try:
        with limits, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with EnvironmentVariables(run):
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
    """Returns unknown values for the parameters of a function that the project's env.py passes."""
    from alembic import op  # noqa: PLC0415

    arguments: dict[str, Any] = {}
    for parameter in signature(function).parameters.values():
        if parameter.default is Parameter.empty and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            arguments[parameter.name] = op if parameter.name == "op" else Unknown(run, parameter.name, _FROM_ENV)
    return arguments


def _end(run: Run, error: BaseException, function: str) -> None:
    """Records how a script ended early."""
    text_range = run.file.error_range(error.__traceback__) or run.file.first_line_of(function)
    message = " ".join(str(error).split())
    message = f": {message[:200]}" if message else ""
    match error:
        case Endless():
            reason = "it waits in a loop for something that only a database knows"
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
            reason = f"it ends here with {type(error).__name__}{message}"
    if not is_refusal(run.file, error):
        run.send_opaque(reason, text_range)
