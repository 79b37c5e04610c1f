"""The statements of a script, and their operations."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.sql.grammar import parse
from migsafe.sql.lexer import pattern_for
from migsafe.sql.operations import Copy, Do, OpaqueCode, Operation, PsqlCommand
from migsafe.sql.plpgsql import body_operations
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.string_constants import KnownValues
from migsafe.text import Span

_RUNS_MORE = {
    "i": "psql reads another file here",
    "include": "psql reads another file here",
    "ir": "psql reads another file here",
    "include_relative": "psql reads another file here",
    "gexec": "psql runs the result of the query before it as SQL",
    "!": "psql runs a shell command here",
}


class Statement(Struct, frozen=True):
    """One statement of a migration.

    `index` is its number in the text, from 1; `span` goes from its first character to the last one before the `;`. It has at least one
    operation: Broken or Unparsed where the statement cannot be read. The operations inside a DO block, EXPLAIN ANALYZE and data-modifying WITH
    queries follow the operation of the statement itself.
    """

    index: int
    span: Span
    operations: tuple[Operation, ...]


def read(text: str, chunks: Sequence[Span] | None = None) -> Iterator[Statement]:
    """Yield the statements of a script in order, or only those of its `chunks`.

    It raises no error for any text. It reads one statement at a time, so a large script takes little memory.
    """
    index = 0
    pattern = pattern_for(text)
    for chunk in chunks if chunks is not None else (Span(0, len(text)),):
        for raw in split(text, chunk.start, chunk.end, pattern):
            index += 1
            operations = _psql(raw) if isinstance(raw, MetaCommand) else _operations(raw)
            yield Statement(index, raw.span, operations)


def single_statements(text: str) -> list[str]:
    """Return the texts of the statements of a script, each with the comments before it and a semicolon."""
    texts, start = [], 0
    for statement in split(text):
        texts.append(f"{text[start : statement.span.end].lstrip('; ').strip()};")
        start = statement.span.end
    return [*texts[:-1], texts[-1] + text[start:].removeprefix(";")] if texts else [text]


def read_routine(code: str, known: KnownValues) -> tuple[Operation, ...]:
    """Return the operations of the body of a PL/pgSQL routine that is called with the `known` parameters.

    Their spans are offsets in `routine_block(code)`.
    """
    for raw in split(routine_block(code)):
        if isinstance(raw, RawStatement):
            operations = parse(raw)
            block = operations[0]
            return body_operations(raw, block, _read_operations, known) if isinstance(block, Do) else operations
    return ()


def routine_block(code: str) -> str:
    """Return the body of a PL/pgSQL routine as a DO block, which has the same form."""
    tag = "$body$"
    while tag in code:
        tag = f"${tag.strip('$')}_$"
    return f"DO {tag}{code}{tag}"


def _operations(raw: RawStatement) -> tuple[Operation, ...]:
    operations = parse(raw)
    match operations[0]:
        case Do() as block:
            return (block, *body_operations(raw, block, _read_operations))
        case Copy() as copy if raw.data is not None:
            return (replace(copy, data=raw.data), *operations[1:])
    return operations


def _read_operations(text: str) -> Iterator[tuple[Operation, ...]]:
    return (statement.operations for statement in read(text))


def _psql(meta: MetaCommand) -> tuple[Operation, ...]:
    command = PsqlCommand(meta.span, command=meta.command, arguments=meta.arguments)
    reason = _RUNS_MORE.get(meta.command)
    return (command, OpaqueCode(meta.span, reason=reason, code=meta.arguments)) if reason else (command,)
