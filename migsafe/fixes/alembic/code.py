"""Python lines that send SQL through Alembic's operations, in the style of a script."""

from collections.abc import Iterable, Sequence

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.steps import Step
from migsafe.patterns import lazy_pattern
from migsafe.rendering.op_calls import AUTOCOMMIT_BLOCK, executed_text, statement_call

NEW_BLOCK = "  # migsafe: new block"
"""The mark of a block that a fix has written, until neighbouring blocks are merged."""

_OP = lazy_pattern(r"^op\.")
_SA = lazy_pattern(r"\bsa\.text\(")
_NAME_ARGUMENT = lazy_pattern(r'^(op\.(?:create_\w+_constraint|create_foreign_key|create_index)\(\s*)("(?:[^"\\]|\\.)*")')


class Style(Struct, frozen=True):
    """How a script names things: `op` is its expression for Alembic's operations, `sa` its name for SQLAlchemy, empty if it has none. With
    `final_names`, a naming convention of the project would change the names of constraints that are not marked as final."""

    op: str = "op"
    sa: str = ""
    indent: str = "    "
    newline: str = "\n"
    final_names: bool = False

    @property
    def autocommit(self) -> str:
        """The line that begins an autocommit block."""
        return AUTOCOMMIT_BLOCK.replace("op.", f"{self.op}.", 1)


class Piece(Struct, frozen=True):
    """Consecutive lines of code that make one statement. `outside` a transaction, it needs an autocommit block. The lines after the first are
    indented from the first one's column; `absolute`: they have the indentation of the script. `needs_sqlalchemy` if they use its `text`.
    `main`: it is the flagged statement, as it is or changed, to which suppressions above it belong. `comments` are the lines above it."""

    lines: tuple[str, ...]
    outside: bool = False
    absolute: bool = False
    needs_sqlalchemy: bool = False
    main: bool = False
    comments: tuple[str, ...] = ()


def with_comments(pieces: Sequence[Piece], comments: Sequence[str]) -> list[Piece]:
    """Returns pieces with comments: above the main one if a comment suppresses findings, otherwise above the first one."""
    suppress = any("migsafe:" in comment for comment in comments)
    at = next((number for number, piece in enumerate(pieces) if piece.main), 0) if suppress else 0
    if not comments:
        return list(pieces)
    return [replace(piece, comments=(*comments, *piece.comments)) if number == at else piece for number, piece in enumerate(pieces)]


def step_code(step: Step, style: Style, *, as_text: bool = False) -> Piece:
    """Returns the code of a step; `as_text` as `op.execute` with SQL."""
    lines = executed_text(step.text) if as_text else statement_call(step.statement, step.text)
    code = "\n".join(lines)
    if style.final_names:
        code = _NAME_ARGUMENT.sub(r"\1op.f(\2)", code).replace("op.f(", f"{style.op}.f(", 1)
    needs_sqlalchemy = not as_text and _SA.search(code) is not None and not code.startswith("op.execute(")
    if needs_sqlalchemy:
        code = _SA.sub(f"{style.sa or 'sa'}.text(", code)
    return Piece(tuple(_OP.sub(f"{style.op}.", code).splitlines()), step.outside, needs_sqlalchemy=needs_sqlalchemy)


def kept_code(source: str, *, outside: bool) -> Piece:
    """Returns a statement of a script as it is written."""
    return Piece(tuple(source.splitlines()), outside, absolute=True)


def assemble(pieces: Sequence[Piece], style: Style, indentation: str, *, in_autocommit: bool = False) -> str:
    """Returns the code of pieces, the first line without its indentation, and without the last line end."""
    lines: list[str] = []
    in_block = False
    for piece in pieces:
        wrapped = piece.outside and not in_autocommit
        if wrapped and not in_block:
            lines.append(f"{indentation}{style.autocommit}{NEW_BLOCK}")
        in_block = wrapped
        deeper = style.indent if wrapped else ""
        lines += (f"{indentation}{deeper}{comment}" for comment in piece.comments)
        lines += _indented(piece, indentation, deeper)
    return style.newline.join(lines).removeprefix(indentation)


def _indented(piece: Piece, indentation: str, deeper: str) -> Iterable[str]:
    inside = _lines_in_strings(piece.lines)
    for number, line in enumerate(piece.lines):
        if number in inside and (piece.absolute or _has_text_with_line_end(piece.lines)):
            yield line
        elif not line.strip():
            yield ""
        elif number and piece.absolute:
            yield deeper + line
        else:
            yield indentation + deeper + line


def _lines_in_strings(lines: Sequence[str]) -> set[int]:
    """Returns the numbers of the lines that begin inside a string literal."""
    if len(lines) == 1:
        return set()
    source = PythonSource("\n".join(lines) + "\n")
    inside: set[int] = set()
    for node in source.nodes(cst.SimpleString, cst.FormattedString):
        start, end = source.span(node)
        first = source.text.count("\n", 0, start)
        inside.update(range(first + 1, first + 1 + source.text.count("\n", start, end)))
    return inside


def _has_text_with_line_end(lines: Sequence[str]) -> bool:
    """Whether SQL in generated code may have a string literal of several lines, which must not be indented."""
    is_block = any(line.startswith("DO ") for line in lines[:2])
    return any(line.count("'") % 2 or ("$" in line and not is_block) for line in lines)
