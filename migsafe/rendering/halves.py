"""Halves with the SQL that a program sends, which are treated like those of SQL files."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import msgspec

from migsafe.patterns import lazy_pattern
from migsafe.rendering.handled_errors import handling_spans
from migsafe.rendering.messages import BUILT_FROM_UNKNOWN, DATABASE_ONLY, NAMES_UNKNOWN, RenderedCall, RenderedPath, RenderResult
from migsafe.rendering.script_failures import failing_calls
from migsafe.sources import Call, Half, Program, ProgramPath
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName
from migsafe.sql.statements import read
from migsafe.text import MARK_START, Script, Span

_DATA = (sql.Insert, sql.Update, sql.Delete, sql.Select, sql.Merge)
_TOKEN = lazy_pattern(
    r"'[^']*+(?:''[^']*+)*+'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)|(?P<word>(?:\w|⟨[^⟩]*⟩)+)",
    re.DOTALL,
)
_BEFORE_NUMBER = lazy_pattern(r"\b(?:(?:RE)?START|INCREMENT|MINVALUE|MAXVALUE|CACHE)\s+(?:WITH\s+|BY\s+)?$", re.IGNORECASE)
"""What precedes a number in the options of a sequence."""
_SCHEMA = lazy_pattern(
    rf"(?P<before>\bSCHEMA\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?)?\"?(?P<mark>{MARK_START}[^⟩]*⟩)\"?(?(before)(?=\s|;|$)|(?=\.))", re.IGNORECASE
)
"""A mark in the place of a schema."""
_TEXTS = ("sql", "text", "value", "code", "comment")
"""Fields that contain source text, not names."""


def rendered_half(half: Half, program: Program, rendered: RenderResult) -> Half:
    """Returns a half that sends the rendered calls, each on separate lines."""
    text: list[str] = []
    calls: list[Call] = []
    length, handling = 0, handling_spans(program.script.text)
    for call in rendered.calls:
        start = length
        shown = _with_quoted_marks(call) if call.unknown_marks and not call.opaque else call
        text.append(shown.sql if shown.opaque else f"{shown.sql};")
        length += len(text[-1]) + 1
        calls.append(_call(shown, Span(start, start + len(text[-1])), handling))
    script = Script(half.script.path, "".join(f"{line}\n" for line in text))
    paths = tuple(_path(path, calls) for path in rendered.paths)
    finished = msgspec.structs.replace(program, calls=tuple(calls), paths=paths, has_untried_paths=rendered.has_untried_paths)
    failures = failing_calls(finished, script.text, half.unsure_names)
    return msgspec.structs.replace(half, script=script, chunks=tuple(call.sql_span for call in calls), program=finished, failures=failures)


def _with_quoted_marks(call: RenderedCall) -> RenderedCall:
    """Returns the call with its marks quoted, as names; each quote moves the SQL after it."""
    quoted = [token.span() for token in _TOKEN.finditer(call.sql) if MARK_START in token[0] and token["word"]]
    edges = sorted(edge for span in quoted for edge in span)
    segments = tuple(
        segment._replace(
            sql_start=segment.sql_start + bisect_left(edges, segment.sql_start), sql_end=segment.sql_end + bisect_left(edges, segment.sql_end)
        )
        for segment in call.segments
    )
    return msgspec.structs.replace(call, sql=quote_marks(call.sql), segments=segments)


def quote_marks(sql: str) -> str:
    """Returns SQL in which marks outside of strings are quoted, as names; in the place of a number they become the placeholder of a template,
    which is as long."""

    def quoted(token: re.Match[str]) -> str:
        if MARK_START not in token[0] or not token["word"]:
            return token[0]
        if token[0].startswith(MARK_START) and _BEFORE_NUMBER.search(sql, max(token.start() - 40, 0), token.start()):
            return f"{{{{{token[0][1:-1]}}}}}"
        return f'"{token[0]}"'

    return _TOKEN.sub(quoted, sql)


def _path(path: RenderedPath, calls: Sequence[Call]) -> ProgramPath:
    own = tuple(msgspec.structs.replace(calls[number], certain=number not in path.uncertain) for number in path.calls)
    return ProgramPath(own, path.assumptions)


def _call(rendered: RenderedCall, span: Span, handling: Sequence[Span]) -> Call:
    file_span = Span(rendered.start, rendered.end)
    opaque = rendered.opaque
    unknown_part = ""
    if rendered.unknown_marks and not opaque:
        opaque, unknown_part = _unknown_parts(rendered)
    segments = tuple(segment.moved(span.start) for segment in rendered.segments)
    return Call(
        span,
        file_span,
        opaque,
        rendered.certain,
        rendered.by_runner,
        unknown_part,
        segments,
        rendered.raises,
        rendered.repeated,
        rendered.new_enum,
        rendered.skipped_when_done,
        any(part.start <= file_span.start and file_span.end <= part.end for part in handling),
    )


def _unknown_parts(call: RenderedCall) -> tuple[str, str]:
    """Returns why a statement with marks cannot be known at all, or else which part of it is unknown."""
    text = _with_schemas(call)
    if MARK_START not in text and not any(isinstance(operation, sql.Do) for each in read(call.sql) for operation in each.operations):
        return "", ""
    why = "; ".join(dict.fromkeys(f"{unknown.mark[1:-1]} {unknown.reason.removeprefix('which ')}" for unknown in call.unknown_marks))
    operations = [operation for statement in read(text) for operation in statement.operations]
    if not operations or any(isinstance(operation, sql.Broken | sql.Unparsed | sql.Do | sql.OpaqueCode) for operation in operations):
        return f"{BUILT_FROM_UNKNOWN}{why}", ""
    if any(map(_names_unknown, operations)):
        if all(isinstance(operation, sql.Insert) for operation in operations):
            return "", ""  # it blocks nobody, whichever table it is
        return f"{NAMES_UNKNOWN}{why}", ""
    if all(isinstance(operation, _DATA) for operation in operations):
        return "", ""  # the locks do not depend on the rows that it reads or writes
    if all(isinstance(operation, sql.AlterSequence | sql.CreateSequence) for operation in operations):
        return "", ""  # nor on the numbers of a sequence
    if not any(isinstance(operation, sql.CreateEnum | sql.AddEnumValue) for operation in operations) and _are_constants(text):
        return "", ""  # nor on a constant, such as a default
    return "", why


def _with_schemas(call: RenderedCall) -> str:
    """Returns the SQL of a call with names in place of marks that stand for schemas: those of a setting, or of another value that is the same
    wherever its mark is, so that objects in one schema are known to be."""
    stable = {unknown.mark for unknown in call.unknown_marks if unknown.reason != DATABASE_ONLY and "…" not in unknown.mark}
    return _SCHEMA.sub(lambda match: f"{match['before'] or ''}unknown_schema" if match["mark"] in stable else match[0], call.sql)


def _are_constants(text: str) -> bool:
    """Whether all marks in SQL are in string constants."""
    return all(token[0].startswith("'") for token in _TOKEN.finditer(text) if MARK_START in token[0])


def _names_unknown(value: Any) -> bool:
    """Whether an object that an operation names is unknown. Types and constants do not count, nor does the name of a new index or constraint:
    the locks do not depend on it."""
    match value:
        case TypeName():
            return False
        case Name():
            return any(part is not None and MARK_START in part for part in value)
        case msgspec.Struct():
            ignored = (*_TEXTS, "name") if isinstance(value, sql.CreateIndex | sql.Constraint) else _TEXTS
            fields = (getattr(value, name) for name in value.__struct_fields__ if name not in ignored)
            return any((isinstance(field, str) and MARK_START in field) or _names_unknown(field) for field in fields)
        case tuple():
            return any(map(_names_unknown, value))
    return False
