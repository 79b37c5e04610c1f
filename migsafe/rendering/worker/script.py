"""Rendering one script: as many runs as it has ways to go, and what they come to together."""

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

from migsafe.rendering.messages import RenderedCall, RenderRequest
from migsafe.rendering.worker.alembic_offline import install
from migsafe.rendering.worker.database import Database
from migsafe.rendering.worker.environment_variables import EnvironmentVariables
from migsafe.rendering.worker.guards import ProcessExit, TimeUp
from migsafe.rendering.worker.imports import Builtins
from migsafe.rendering.worker.literal_reader import LiteralReader
from migsafe.rendering.worker.merging import merge_runs
from migsafe.rendering.worker.nondeterminism import depends_on_chance, seed_random
from migsafe.rendering.worker.script_file import ScriptFile
from migsafe.rendering.worker.script_run import Ask, Endless, Fork, Run, is_refusal
from migsafe.rendering.worker.unknown import Unknown

_RUNS = 8
_LEAST = 0.1
_GIVEN = "which comes from the project's own env.py"

_MISSING = frozenset(("IndexError", "KeyError", "StopIteration", "UnboundLocalError", "NoResultFound", "ObjectDeletedError"))

Guarded = Callable[[float], AbstractContextManager[None]]
"""What holds a script to its limits, for so many seconds."""
Watch = Callable[[Run | None], None]
"""Who is told which run goes on."""


class Outcome:
    """What one run came to: its pieces, the forks that it met, whether it has `refused` to go on, and what else ended it."""

    def __init__(self, run: Run, error: BaseException | None) -> None:
        self.run = run
        self.error = error
        self.rejected = error is not None and (
            is_refusal(run.file, error) or ((bool(run.choices) or not run.default_choice) and _misses_rows(error))
        )


class Route(NamedTuple):
    """A way to go through a script: what to decide at some forks, and at all others; and the fork that it is gone for, if it is for one."""

    choices: dict[Fork, bool]
    default_choice: bool
    fork: Fork | None = None

    def is_new(self, gone: Set[tuple[Fork, bool]]) -> bool:
        """Whether what it decides at its fork has not been decided there before."""
        return self.fork is None or (self.fork, not self.default_choice) not in gone


class ScriptResult(NamedTuple):
    """What a script sends; whether it has `broken` off in a way after which nothing is sure any more, None where it may have changed something
    else; and whether it would come to the same `lasting`ly."""

    calls: list[RenderedCall]
    broken: bool | None
    repeatable: bool = True


def render(request: RenderRequest, ask: Ask, guarded: Guarded, watch: Watch) -> ScriptResult:
    """What comes of a script."""
    try:
        file = ScriptFile(request.path, request.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return ScriptResult([RenderedCall("", 0, 0, f"it is not Python: {error}")], False)
    if not request.run:
        return _read(file, request, ask, guarded)
    outcomes: list[Outcome] = []
    waiting = [Route({}, default_choice=True)]
    tried: set[Fork] = set()
    gone: set[tuple[Fork, bool]] = set()
    broken = False
    until = time.monotonic() + request.seconds
    # One way is gone however long it takes; others as long as there is time left for them.
    late = False
    while waiting and len(outcomes) < (1 if request.live else _RUNS) and not broken and not late:
        left = max(until - time.monotonic(), _LEAST)
        way = waiting.pop(next((place for place, one in enumerate(waiting) if one.is_new(gone)), 0))
        outcome = _outcome(file, request, way, ask, guarded(left), watch)
        outcomes.append(outcome)
        broken = isinstance(outcome.error, BaseException) and not isinstance(outcome.error, Exception)
        if len(outcomes) == 1 and len(outcome.run.forks) > 1:
            waiting.append(Route({}, default_choice=False))  # most guards do not depend on each other: this is the other way at all of them
        gone.update((fork, way.choices.get(fork, way.default_choice)) for fork in outcome.run.forks)
        for fork in outcome.run.forks:
            if fork not in tried:
                tried.add(fork)
                waiting.append(Route({**way.choices, fork: not way.default_choice}, way.default_choice, fork))
        late = time.monotonic() >= until - request.seconds / 2
    if waiting and not request.live:
        _doubt_untried(outcomes[0].run, waiting)
    passed = [outcome for outcome in outcomes if not outcome.rejected] or outcomes[:1]
    pieces = merge_runs([outcome.run.calls for outcome in passed])
    if not pieces and any(outcome.run.met_unknown for outcome in outcomes):
        pieces = [_nothing(file, request.function)]
    hurried = (late and bool(waiting)) or any(_hangs_on_machine(outcome.error) for outcome in outcomes)
    return ScriptResult(pieces, broken or (False if file.is_self_contained else None), not hurried and not depends_on_chance(file.tree))


def _hangs_on_machine(error: BaseException | None) -> bool:
    """Whether a faster or larger machine would have come further."""
    return isinstance(error, MemoryError | TimeUp)


def _misses_rows(error: BaseException) -> bool:
    """Whether an error is what comes of rows that are not there, though the script relies on them."""
    return type(error).__name__ in _MISSING or (isinstance(error, TypeError | AttributeError) and "NoneType" in str(error))


def _doubt_untried(run: Run, untried: Sequence[Route]) -> None:
    """Be sure of nothing that comes after a fork of which only one way was gone."""
    first = min(
        (run.calls_before_fork[fork] for way in untried for fork in way.choices if fork in run.calls_before_fork), default=len(run.calls)
    )
    run.calls[first:] = [replace(piece, certain=False) for piece in run.calls[first:]]


def _nothing(file: ScriptFile, function: str) -> RenderedCall:
    start, end = file.first_line_of(function)
    return RenderedCall(file.text[start:end], start, end, "it sends nothing here, because it depends on unknown values")


def _read(file: ScriptFile, request: RenderRequest, ask: Ask, guarded: Guarded) -> ScriptResult:
    """What a script sends as far as that can be read from its syntax tree."""
    run = Run(file, (), {}, ask)
    run.in_transaction = request.in_transaction
    operations = install(run, Database(run))
    lasting = True
    try:
        with guarded(request.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            LiteralReader(run, operations).read_function(request.function)
    except BaseException as error:  # a tree may be as deep or as wide as somebody has made it
        _end(run, error, request.function)
        lasting = not _hangs_on_machine(error)
    return ScriptResult(run.calls, False, lasting)


def _outcome(file: ScriptFile, request: RenderRequest, way: Route, ask: Ask, limits: AbstractContextManager[None], watch: Watch) -> Outcome:
    run = Run(file, request.folders, way.choices, ask, default_choice=way.default_choice)
    run.version = request.pg_version
    run.live = request.live
    run.in_transaction = request.in_transaction
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
    except BaseException as raised:  # whatever a script raises is its own
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
    found = module.__dict__.get(function)
    if found is None:
        return
    run.active = True
    if isinstance(found, Unknown):
        run.send_opaque(f"{function}() is {found}, {run.reasons[str(found)]}", file.first_line_of(function))
        return
    result = found(**_arguments(found, run))
    if iscoroutine(result):
        result.close()


def _arguments(function: Callable[..., Any], run: Run) -> dict[str, Any]:
    """What a function gets that wants more than Alembic gives: the project's env.py has its own way to call it."""
    from alembic import op  # noqa: PLC0415

    found: dict[str, Any] = {}
    for parameter in signature(function).parameters.values():
        if parameter.default is Parameter.empty and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            found[parameter.name] = op if parameter.name == "op" else Unknown(run, parameter.name, _GIVEN)
    return found


def _end(run: Run, error: BaseException, function: str) -> None:
    """Take note of how a script broke off."""
    place = run.file.error_range(error.__traceback__) or run.file.first_line_of(function)
    said = " ".join(str(error).split())
    said = f": {said[:200]}" if said else ""
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
            reason = f"it ends here with {type(error).__name__}{said}"
    if not is_refusal(run.file, error):
        run.send_opaque(reason, place)
