"""From what a program sends to a half that is judged like any other."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from migsafe.rendering.messages import RenderedCall
from migsafe.sources import Call, Half, Program
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName
from migsafe.sql.statements import read
from migsafe.text import Script, Span

_DATA = (sql.Insert, sql.Update, sql.Delete, sql.Select, sql.Merge)
MARK_START = "⟨"
"""What a mark for something unknown begins with, in the SQL of a program."""
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)|(?P<word>(?:\w|⟨[^⟩]*⟩)+)", re.DOTALL)
_TEXTS = ("sql", "text", "value", "code", "comment")
"""Fields that hold what was written, not what is named."""


def rendered_half(half: Half, program: Program, pieces: Sequence[RenderedCall]) -> Half:
    """A half that sends these pieces, each on lines of its own."""
    text: list[str] = []
    calls: list[Call] = []
    length = 0
    for piece in pieces:
        start = length
        shown = msgspec.structs.replace(piece, sql=quote_marks(piece.sql)) if piece.unknown_marks and not piece.opaque else piece
        text.append(shown.sql if shown.opaque else f"{shown.sql};")
        length += len(text[-1]) + 1
        calls += _calls(shown, Span(start, start + len(text[-1])))
    script = Script(half.script.path, "".join(f"{one}\n" for one in text))
    finished = msgspec.structs.replace(program, calls=tuple(calls))
    return msgspec.structs.replace(half, script=script, chunks=tuple(call.sql_span for call in calls), program=finished)


def quote_marks(sql: str) -> str:
    """SQL in which marks that stand by themselves are quoted, as names."""
    return _TOKEN.sub(lambda found: f'"{found[0]}"' if MARK_START in found[0] and found["word"] else found[0], sql)


def _calls(piece: RenderedCall, span: Span) -> Iterator[Call]:
    place = Span(piece.start, piece.end)
    opaque = piece.opaque
    unclear = ""
    if piece.unknown_marks and not opaque:
        opaque, unclear = _doubts(piece)
    yield Call(span, place, opaque, piece.certain, piece.by_runner, unclear)


def _doubts(piece: RenderedCall) -> tuple[str, str]:
    """Why a statement with marks in it cannot be known, if it cannot; and what is not known of one that otherwise is."""
    why = "; ".join(dict.fromkeys(f"{unsure.mark[1:-1]} {unsure.reason.removeprefix('which ')}" for unsure in piece.unknown_marks))
    operations = [operation for statement in read(piece.sql) for operation in statement.operations]
    if not operations or any(isinstance(one, sql.Broken | sql.Unparsed | sql.Do | sql.OpaqueCode) for one in operations):
        return f"it is built from unknown values: {why}", ""
    if any(map(_names_unknown, operations)):
        return f"it names something unknown: {why}", ""
    if all(isinstance(one, _DATA) for one in operations):
        return "", ""  # which rows it reads or writes makes no difference to what it locks
    return "", f"{why}"


def _names_unknown(thing: Any) -> bool:
    """Whether something that an operation names is not known; of types and constants another may be in the place."""
    match thing:
        case TypeName():
            return False
        case Name():
            return any(part is not None and MARK_START in part for part in thing)
        case msgspec.Struct():
            fields = (getattr(thing, field) for field in thing.__struct_fields__ if field not in _TEXTS)
            return any((isinstance(one, str) and MARK_START in one) or _names_unknown(one) for one in fields)
        case tuple():
            return any(map(_names_unknown, thing))
    return False
