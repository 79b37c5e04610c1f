"""The statements of a migration, and which of them a runner sends together."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.sources import Half, Program
from migsafe.sql.operations import OpaqueCode, PsqlCommand
from migsafe.sql.statements import Statement, read


class Sent(NamedTuple):
    """A statement, and whether it is the `first` and the `last` of the chunk in which it stands."""

    statement: Statement
    first: bool
    last: bool


def sent(half: Half, statements: Iterable[Statement] | None = None) -> Iterator[Sent]:
    """The statements of a migration in order; its script is read for them if they are not given. Raises UnreadableError."""
    ends = iter([chunk.end for chunk in half.chunks])
    end = -1
    waiting: Sent | None = None
    for statement in statements if statements is not None else _written(half):
        begins = statement.span.start >= end
        while statement.span.start >= end:
            end = next(ends)
        if waiting is not None:
            yield waiting._replace(last=begins)
        waiting = Sent(statement, begins, last=True)
    if waiting is not None:
        yield waiting


def _written(half: Half) -> Iterator[Statement]:
    return read(half.script.text, half.chunks) if half.program is None else _of_program(half.script.text, half.program)


def _of_program(text: str, program: Program) -> Iterator[Statement]:
    """The statements that a program sends, as far as it is known what they are, and whether they run."""
    index = 0
    for call in program.calls:
        opaque = (
            (Statement(1, call.sql_span, (OpaqueCode(call.sql_span, reason=call.opaque, code=text[slice(*call.sql_span)]),)),)
            if call.opaque
            else None
        )
        for statement in opaque or read(text, (call.sql_span,)):
            index += 1
            operations = statement.operations
            if not call.certain:
                operations = tuple(replace(one, certain=False) for one in operations)
            if call.unknown_part:
                operations = (*operations, OpaqueCode(statement.span, reason=call.unknown_part, code="", confined=True))
            yield Statement(index, statement.span, operations)


def is_sent(statement: Statement) -> bool:
    """Whether a statement goes to the server at all: psql keeps its own commands to itself."""
    return not isinstance(statement.operations[0], PsqlCommand)
