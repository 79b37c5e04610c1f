"""The calls that a fix of several statements at once replaces."""

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from migsafe.fixes.alembic.code import Piece, Style, kept_code, step_code
from migsafe.fixes.alembic.places import CallPlace, find_place
from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.steps import Refused, Step
from migsafe.fixes.edits import ChosenFix
from migsafe.sources.migration import Call, Half
from migsafe.sql.statements import read


class ReplacedCall(NamedTuple):
    """A call, its place, and the SQL that it sends."""

    call: Call
    place: CallPlace
    sql: str


def find_replaced(source: PythonSource, fix: ChosenFix, half: Half, function: str) -> list[ReplacedCall]:
    """Returns the calls that send the statements which a fix replaces, in order. Raises Refused unless they follow each other."""
    calls = half.program.calls if half.program is not None else ()
    starts = [span.start for span in fix.finding.replaces]
    numbers = [number for number, call in enumerate(calls) if any(call.file_span.start <= start < call.file_span.end for start in starts)]
    if len(numbers) < 2:
        raise Refused("it replaces several statements at once")
    between = [calls[number] for number in range(numbers[0], numbers[-1]) if number not in numbers]
    if any(not call.by_runner for call in between):
        raise Refused("it replaces several statements at once, between which are others")
    replaced = [
        ReplacedCall(calls[number], find_place(source, calls[number], function), half.script.text[slice(*calls[number].sql_span)])
        for number in numbers
    ]
    for call, place, _ in replaced:
        if place.conditional or place.batch is not None or place.other_block or len(list(read(half.script.text, [call.sql_span]))) != 1:
            raise Refused("it replaces several statements at once, which are not calls of their own")
    return replaced


def code_of_steps(source: PythonSource, style: Style, replaced: Sequence[ReplacedCall], steps: Sequence[Step]) -> list[Piece]:
    """Returns the code of the steps that replace calls; a step that is the statement of one of the calls keeps how it is written. Raises
    Refused if a value of the script would be lost."""
    written = {_normal(each.sql): each.place for each in replaced}
    pieces, kept = [], set()
    for step in steps:
        place = written.get(_normal(step.text))
        if place is None:
            pieces.append(step_code(step, style))
        else:
            kept.add(id(place.line))
            pieces.append(kept_code(source.source(place.line), outside=step.outside))
    for _, place, _ in replaced:
        if id(place.line) not in kept and any(isinstance(node, cst.FormattedStringExpression) for node in _nodes_in(source, place)):
            raise Refused("the statement is built from values of the script")
    return pieces


def _nodes_in(source: PythonSource, place: CallPlace) -> list[cst.CSTNode]:
    nodes = source.nodes(cst.FormattedStringExpression)
    return [node for node in nodes if place.line in source.parents(node)]


def _normal(text: str) -> str:
    return " ".join(text.split()).rstrip("; ")
