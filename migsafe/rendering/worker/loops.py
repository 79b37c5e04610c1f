"""Loops that end when rows run out.

A `while` loop that changes rows in batches ends when a query returns no row, or a statement changes none. Here only its first round finds rows:
the same call that sends the same SQL again is the same operation, which is repeated, and its result is empty.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from migsafe.rendering.worker.frames import current_point
from migsafe.rendering.worker.unknown import Unknown

_CONSTANT = re.compile(r"'[^']*+(?:''[^']*+)*+'|⟨[^⟩]*⟩|\b\d+(?:\.\d+)?\b")
_STEERING = re.compile(r"\s*(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET|RESET)\b", re.IGNORECASE)
_ENDLESS_ITERATORS = frozenset(("iter", "count", "cycle", "repeat"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

Place = tuple[tuple[str, int, int], ...]


def steers_session(sql: str) -> bool:
    """Whether a statement steers the transaction or the session. Each round of a loop needs its own: without them, its other statements would
    run outside a transaction."""
    return _STEERING.match(sql) is not None


class LoopLines(NamedTuple):
    """The lines of a file that are in loops that run until something has happened, those of the conditions that end them, and the names of the
    variables of `for` loops, by the lines in their bodies."""

    inside: frozenset[int] = frozenset()
    conditions: frozenset[int] = frozenset()
    variables: Mapping[int, frozenset[str]] = {}


class Repetition:
    """A call in a loop: its number among the calls, its SQL, what the run had used of results before it, and whether its result was empty."""

    def __init__(self, call: int, sql: str, uses: int) -> None:
        self.call = call
        self.sql = sql
        self.uses = uses
        self.is_exhausted = False


class Loops:
    """The loops that one run goes through."""

    def __init__(self, lines: LoopLines, path: str, is_project_frame: Callable[[FrameType], bool]) -> None:
        self._lines = {path: lines}
        self._is_project_frame = is_project_frame
        self._repetitions: dict[tuple[Place, str], Repetition] = {}

    def repetition(self, frame: FrameType, sql: str, number: int, uses: int) -> Repetition | None:
        """Returns the earlier call that this one repeats. `uses` counts what the run has used of unknown results, `number` the calls.

        The result of the second round is empty. A third round is the first one of another loop.
        """
        frames = list(self._project_frames(frame))
        if steers_session(sql) or not any(each.f_lineno in self._lines_of(each).inside for each in frames):
            return None
        place = tuple((each.f_code.co_filename, *current_point(each)) for each in frames)
        key = place, _CONSTANT.sub("?", sql)
        earlier = self._repetitions.get(key)
        is_next_round = earlier is not None and earlier.uses != uses
        if earlier is None or not (is_next_round and (not earlier.is_exhausted or earlier.sql == sql)):
            self._repetitions[key] = Repetition(number, sql, uses)
            return None
        earlier.is_exhausted, earlier.uses = not earlier.is_exhausted, uses
        return earlier

    def ends_loop(self, frame: FrameType) -> bool:
        """Whether a decision in a frame ends a loop or continues it."""
        innermost = next(self._project_frames(frame), None)
        return innermost is not None and innermost.f_lineno in self._lines_of(innermost).conditions

    def is_for_each_row(self, frame: FrameType) -> bool:
        """Whether a frame is in a loop over the rows of a query."""
        for each in self._project_frames(frame):
            names = self._lines_of(each).variables.get(each.f_lineno, ())
            if names and any(_holds_unknown(each.f_locals.get(name)) for name in names):
                return True
        return False

    def _project_frames(self, frame: FrameType | None) -> Iterator[FrameType]:
        while frame is not None:
            if self._is_project_frame(frame):
                yield frame
            frame = frame.f_back

    def _lines_of(self, frame: FrameType) -> LoopLines:
        path = frame.f_code.co_filename
        if path not in self._lines:
            self._lines[path] = _lines_of_module(path)
        return self._lines[path]


@cache
def _lines_of_module(path: str) -> LoopLines:
    try:
        return loop_lines(ast.walk(ast.parse(Path(path).read_bytes())))
    except (OSError, SyntaxError, ValueError):
        return LoopLines()


def loop_lines(nodes: Iterable[ast.AST]) -> LoopLines:
    """Returns the lines of the loops of a module with these nodes that run until something has happened."""
    inside: set[int] = set()
    conditions: set[int] = set()
    variables: dict[int, frozenset[str]] = {}
    for node in nodes:
        if isinstance(node, ast.For | ast.AsyncFor):
            names = frozenset(inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name))
            for line in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1):
                variables[line] = variables.get(line, frozenset()) | names
        if not _is_loop(node):
            continue
        inside.update(_line_range(node))
        if isinstance(node, ast.While):
            conditions.update(_line_range(node.test))
        for inner in _own_nodes(node):
            if isinstance(inner, ast.If) and any(isinstance(part, ast.Break | ast.Return) for part in ast.walk(inner)):
                conditions.update(_line_range(inner.test))
    return LoopLines(frozenset(inside), frozenset(conditions), variables)


def _holds_unknown(value: object) -> bool:
    """Whether a value is unknown, or a row or object with unknown values."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, tuple | list):
        return any(isinstance(item, Unknown) for item in value)
    attributes = value.values() if isinstance(value, dict) else getattr(value, "__dict__", {}).values()
    return any(isinstance(item, Unknown) for item in attributes)


def _is_loop(node: ast.AST) -> bool:
    match node:
        case ast.While():
            return True
        case ast.For(iter=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name in _ENDLESS_ITERATORS
    return False


def _own_nodes(loop: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a loop, without those of functions that it defines."""
    for node in ast.iter_child_nodes(loop):
        if not isinstance(node, _FUNCTIONS):
            yield node
            yield from _own_nodes(node)


def _line_range(node: ast.AST) -> range:
    first = int(getattr(node, "lineno", 1))
    return range(first, int(getattr(node, "end_lineno", None) or first) + 1)
