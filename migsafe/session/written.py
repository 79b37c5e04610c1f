"""The statements of a migration, and which of them a runner sends together."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from migsafe.sources import Half
from migsafe.sql.operations import PsqlCommand
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
    for statement in statements if statements is not None else read(half.script.text, half.chunks):
        begins = statement.span.start >= end
        while statement.span.start >= end:
            end = next(ends)
        if waiting is not None:
            yield waiting._replace(last=begins)
        waiting = Sent(statement, begins, last=True)
    if waiting is not None:
        yield waiting


def is_sent(statement: Statement) -> bool:
    """Whether a statement goes to the server at all: psql keeps its own commands to itself."""
    return not isinstance(statement.operations[0], PsqlCommand)
