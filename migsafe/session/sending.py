"""What a runner sends to the server for a migration, in order: its own BEGIN and COMMIT, and the statements of the script.

The simulated session and the replay share this module: `RunnerCommands` makes the decisions, `runner_steps` returns the steps for a real
connection.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import lru_cache, partial
from itertools import count, islice
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.sources import Half, Program, ProgramPath, Transaction
from migsafe.sql.operations import AddColumn, AlterColumnType, Begin, OpaqueCode, PsqlCommand
from migsafe.sql.statements import Statement, read
from migsafe.sql.templates import operations_on_known_tables
from migsafe.text import MARK_START, Span

_LONG = 1_000_000
"""The characters of a script above which its statements are read one by one each time, because all of them together take much memory."""


class SentStatement(NamedTuple):
    """A statement, and whether it is the `first` and the `last` of its chunk."""

    statement: Statement
    first: bool
    last: bool


class Command(Enum):
    """A command that the runner itself sends; for a query of several statements, what PostgreSQL does implicitly."""

    BEGIN = "BEGIN"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


class Block(Enum):
    """Why a transaction continues after a statement: it does not; a query of several statements; BEGIN, by the runner or the script."""

    NONE = 0
    IMPLICIT = 1
    EXPLICIT = 2


class RunnerCommands:
    """The decisions of a runner: which transactions it begins and ends around the statements of a migration.

    `started`: the runner has already begun its transaction, because an earlier part of the migration has been sent.
    """

    __slots__ = ("_one_query", "_started", "_wraps")

    def __init__(self, transaction: Transaction, *, one_query: bool = False, started: bool = False) -> None:
        self._wraps = transaction is Transaction.FILE
        self._one_query = one_query or transaction is Transaction.QUERY
        self._started = started

    def block_before(self, *, first: bool, last: bool) -> Block:
        """The block that begins before a statement which no block encloses; `first` and `last` say where it is in its chunk."""
        wraps, self._started = self._wraps and not self._started, True
        if wraps:
            return Block.EXPLICIT
        return Block.IMPLICIT if self._one_query and not (first and last) else Block.NONE

    @staticmethod
    def continues_after(block: Block, *, last: bool) -> bool:
        """Whether the transaction of a statement continues after it: a query commits at its end."""
        return block is Block.EXPLICIT or (block is Block.IMPLICIT and not last)

    @property
    def final_command(self) -> Command:
        """The command for a transaction that is open after the last statement: one that the script left open is lost with the connection."""
        return Command.COMMIT if self._wraps else Command.ROLLBACK


def runner_steps(
    half: Half,
    in_transaction: Callable[[], bool],
    statements: Iterable[SentStatement] | None = None,
    *,
    started: bool = False,
    ends: bool = True,
) -> Iterator[Command | SentStatement]:
    """Returns what the runner sends for a migration, in order. Each step must have been carried out before the next one is asked for.

    `in_transaction` says whether the connection has an open transaction. `statements` are a part of the migration's statements; `started`
    says that it is not the first part. Without `ends`, a transaction that is open after the last of them stays open. Raises UnreadableError.
    """
    runner = RunnerCommands(half.transaction, one_query=half.one_query, started=started)
    block = Block.NONE
    for step in sent_statements(half) if statements is None else statements:
        statement, first, last = step
        begins = isinstance(statement.operations[0], Begin)
        if not in_transaction():
            block = runner.block_before(first=first, last=last)
            if block is Block.EXPLICIT or (block is Block.IMPLICIT and not begins):
                yield Command.BEGIN
        yield step
        if not in_transaction():
            block = Block.NONE
        elif begins or block is Block.NONE:
            block = Block.EXPLICIT
        elif not runner.continues_after(block, last=last):
            yield Command.COMMIT
    if ends and in_transaction():
        yield runner.final_command


def sent_statements(half: Half, statements: Iterable[Statement] | None = None) -> Iterator[SentStatement]:
    """Returns the statements of a migration in order; without `statements`, reads them from its script. Raises UnreadableError."""
    ends = iter([chunk.end for chunk in half.chunks])
    end = -1
    previous: SentStatement | None = None
    for statement in statements if statements is not None else _statements(half):
        begins_chunk = statement.span.start >= end
        while statement.span.start >= end:
            end = next(ends)
        if previous is not None:
            yield previous._replace(last=begins_chunk)
        previous = SentStatement(statement, begins_chunk, last=True)
    if previous is not None:
        yield previous


def statements_of_paths(half: Half) -> Iterator[tuple[ProgramPath, Half, list[SentStatement]]]:
    """Yields each path of a program, what the half sends on it, and the statements of that, with their numbers in the whole half. Raises
    UnreadableError."""
    assert half.program is not None
    numbers = {sent.statement.span.start: sent.statement.index for sent in sent_statements(half)}
    for path in half.program.paths:
        on_path = half.on_path(path)
        statements = [
            sent._replace(statement=replace(sent.statement, index=numbers[sent.statement.span.start])) for sent in sent_statements(on_path)
        ]
        yield path, on_path, statements


def _statements(half: Half) -> Iterable[Statement]:
    text = half.script.text
    if half.program is not None:
        return _program_statements(text, half.program)
    return read(text, half.chunks) if len(text) > _LONG else _statements_of_script(text, half.chunks)


class _ReadOnce(Iterable[Statement]):
    """The statements that `read_all` yields, each read when it is first asked for."""

    def __init__(self, read_all: Callable[[], Iterator[Statement]]) -> None:
        self._read_all = read_all
        self._read: list[Statement] = []
        self._rest = read_all()

    def __iter__(self) -> Iterator[Statement]:
        for position in count():
            if position == len(self._read) and not self._read_next():
                return
            yield self._read[position]

    def _read_next(self) -> bool:
        try:
            statement = next(self._rest, None)
        except BaseException:
            # Ctrl-C ends a generator, and a run that was interrupted still reads its statements for the report.
            self._rest = islice(self._read_all(), len(self._read), None)
            raise
        if statement is not None:
            self._read.append(statement)
        return statement is not None


@lru_cache(maxsize=16)
def _statements_of_script(text: str, chunks: tuple[Span, ...]) -> Iterable[Statement]:
    """Returns all statements of a script. A replay asks for those of a migration about ten times: to predict, to send and to repeat it."""
    return _ReadOnce(partial(read, text, chunks))


def _program_statements(text: str, program: Program) -> Iterator[Statement]:
    """Returns the statements that a program sends; opaque code where rendering could not determine them."""
    index, is_open = 0, True
    for call in program.calls:
        span = call.sql_span
        if call.by_runner:
            # An autocommit_block() is between a COMMIT and a BEGIN of Alembic. In a transaction, an error would abort that.
            is_open = not text.startswith("COMMIT", span.start)
        for statement in (_opaque_statement(text, span, call.opaque),) if call.opaque else read(text, (span,)):
            index += 1
            operations = statement.operations
            if not call.certain:
                operations = tuple(replace(operation, certain=False) for operation in operations)
            if call.handled and not is_open:
                operations = tuple(replace(operation, caught=("others",)) for operation in operations)
            if call.new_enum:
                operations = tuple(
                    replace(operation, new_enum=call.new_enum) if isinstance(operation, AddColumn | AlterColumnType) else operation
                    for operation in operations
                )
            if call.unknown_part:
                operations = (*operations, OpaqueCode(statement.span, reason=call.unknown_part, code="", confined=True))
            yield Statement(index, statement.span, operations)


def _opaque_statement(text: str, span: Span, reason: str) -> Statement:
    """Returns the statement of a call whose SQL is not known; of an ALTER TABLE of a known table, only details are unknown."""
    code = text[slice(*span)]
    read_operations = (operation for statement in read(text, (span,)) for operation in statement.operations) if MARK_START in code else ()
    operations = operations_on_known_tables(read_operations)
    return Statement(1, span, (OpaqueCode(span, reason=reason, code=code, confined=bool(operations), operations=operations),))


def is_sent_to_server(statement: Statement) -> bool:
    """Whether a statement is sent to the server: psql carries out its own commands itself."""
    return not isinstance(statement.operations[0], PsqlCommand)
