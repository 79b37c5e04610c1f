"""Neighbouring autocommit blocks, which become one."""

from collections.abc import Iterator

import libcst as cst

from migsafe.fixes.alembic.code import NEW_BLOCK
from migsafe.fixes.alembic.places import is_autocommit
from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits


def merge_blocks(text: str) -> str:
    """Returns a script in which each new autocommit block that follows another one, or is followed by one, is a part of that."""
    if NEW_BLOCK not in text:
        return text
    source = PythonSource(text)
    return apply_edits(text, _edits(source)).replace(NEW_BLOCK, "")


def _edits(source: PythonSource) -> Iterator[TextEdit]:
    for node in source.nodes(cst.IndentedBlock):
        assert isinstance(node, cst.IndentedBlock)
        for first, second in zip(node.body, node.body[1:], strict=False):
            if is_autocommit(first) and is_autocommit(second) and (_is_new(source, first) or _is_new(source, second)):
                yield from _joined(source, first, second)


def _is_new(source: PythonSource, block: cst.BaseStatement) -> bool:
    start = source.span(block).start
    return NEW_BLOCK in source.text[start : source.next_line(start)]


def _joined(source: PythonSource, first: cst.BaseStatement, second: cst.BaseStatement) -> Iterator[TextEdit]:
    """Yields the edits that remove the head of the second block, and indent the comments above it."""
    head = source.span(second).start
    start = source.next_line(source.span(first).end)
    while start < source.line_start(head):
        end = source.next_line(start)
        if source.text[start:end].strip() and source.indentation(start) == source.indentation(head):
            yield TextEdit(start, start, source.indent)
        start = end
    yield TextEdit(source.line_start(head), source.next_line(head), "")
