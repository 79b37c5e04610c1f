"""The revisions that follow an edited one: the new revisions become their parents."""

import re
from collections.abc import Iterator

import libcst as cst

from migsafe.fixes.alembic.python_source import NotPython, PythonSource
from migsafe.fixes.alembic.steps import Refused
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits
from migsafe.fixes.edits import FileChange
from migsafe.patterns import lazy_pattern
from migsafe.sources.alembic import RevisionFile
from migsafe.sources.source import Source

_REVISES = lazy_pattern(r"^Revises:[^\n]*$", re.MULTILINE)


def children_with_parent(source: Source, old: str, new: str) -> Iterator[FileChange]:
    """Yields the changes of all revisions that follow `old`, so that they follow `new`. Raises Refused if one cannot be changed."""
    selected = set(source.selected_paths)
    for file in source.files:
        if isinstance(file, RevisionFile) and old in file.revision.down_revisions:
            if source.compared and file.up.path not in selected:
                raise Refused(f"the revision {file.id} ({file.up.path}), which follows it, has been merged")
            yield FileChange(file.up.path, file.up.text, _with_parent(file, old, new))


def _with_parent(file: RevisionFile, old: str, new: str) -> str:
    refused = Refused(f"down_revision of the revision {file.id} ({file.up.path}), which follows it, is not written as a string")
    try:
        source = PythonSource(file.up.text)
    except NotPython as error:
        raise refused from error
    place = file.revision.parents_span
    if place is None:
        raise refused
    edits = []
    for node in source.nodes(cst.SimpleString):
        span = source.span(node)
        if isinstance(node, cst.SimpleString) and place.start <= span.start < place.end and node.evaluated_value == old:
            edits.append(TextEdit(*span, f"{node.prefix}{node.quote}{new}{node.quote}"))
    if not edits:
        raise refused
    header = source.module.body[0] if source.module.body else None
    if isinstance(header, cst.SimpleStatementLine) and source.text[slice(*source.span(header))].endswith(('"""', "'''")):
        edits += _in_docstring(source, source.span(header).start, source.span(header).end, old, new)
    return apply_edits(file.up.text, edits)


def _in_docstring(source: PythonSource, start: int, end: int, old: str, new: str) -> Iterator[TextEdit]:
    """Yields the edit of the line “Revises: …” in the docstring."""
    match = _REVISES.search(source.text, start, end)
    if match is not None:
        yield TextEdit(match.start(), match.end(), re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, match[0]))
