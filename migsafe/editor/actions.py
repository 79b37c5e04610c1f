"""Code actions: suppressions with a reason."""

import re
from collections.abc import Iterator, Sequence

from lsprotocol import types

from migsafe.editor.diagnostics import about
from migsafe.editor.documents import Document
from migsafe.linting.finding import Finding
from migsafe.linting.suppressions import ABOUT_SUPPRESSIONS

PLACEHOLDER = "write here why this is safe"
"""The reason that the user replaces. Without a reason, a suppression has no effect."""


class Edits:
    """How a client takes the edits of a document: `versioned` for a version of it, with `snippets`, whose placeholder it selects."""

    def __init__(self, uri: str, version: int | None, client: types.ClientCapabilities) -> None:
        workspace = client.workspace
        edits = workspace.workspace_edit if workspace is not None else None
        self._uri = uri
        self._version = version
        self._versioned = edits is not None and bool(edits.document_changes)
        self._snippets = self._versioned and edits is not None and bool(edits.snippet_edit_support)

    def insertion(self, at: types.Position, before: str, placeholder: str, after: str) -> types.WorkspaceEdit:
        """Returns the edit that inserts a text, in which the user replaces the placeholder."""
        range = types.Range(at, at)
        if self._snippets:
            snippet = types.SnippetTextEdit(range, types.StringValue(f"{before}${{1:{placeholder}}}{after}"))
            return self._workspace_edit([snippet])
        return self._workspace_edit([types.TextEdit(range, f"{before}{placeholder}{after}")])

    def _workspace_edit(self, edits: Sequence[types.TextEdit | types.SnippetTextEdit]) -> types.WorkspaceEdit:
        if not self._versioned:
            return types.WorkspaceEdit({self._uri: [edit for edit in edits if isinstance(edit, types.TextEdit)]})
        document = types.OptionalVersionedTextDocumentIdentifier(self._uri, self._version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, edits)])


def suppressions(document: Document, edits: Edits, params: types.CodeActionParams) -> Iterator[types.CodeAction]:
    """Yields an action for each finding in the lines of a range: it writes the comment that suppresses the finding, above the statement."""
    for finding in document.findings_in(document.places.lines(params.range)):
        if finding.rule in ABOUT_SUPPRESSIONS:
            continue
        line = _commented_line(document, finding)
        indent = re.match(r"[ \t]*", document.text[line:])
        assert indent is not None
        mark = "#" if document.language == "python" else "--"
        line_end = "\r\n" if "\r\n" in document.text else "\n"
        before = f"{indent[0]}{mark} migsafe: ignore[{finding.rule}] "
        yield types.CodeAction(
            f"Suppress {finding.rule}, with a reason",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=about(finding, document, params.context.diagnostics),
            edit=edits.insertion(document.places.position(line), before, PLACEHOLDER, line_end),
        )


def _commented_line(document: Document, finding: Finding) -> int:
    """Returns the start of the line above which a suppression is written: that of the operation, or of the call of a script that sends it."""
    start = finding.span.start
    if document.language == "python":
        for half, prediction, place in document.statements():
            if prediction.statement.index == finding.statement and half.file_span(prediction.statement.span).start <= start <= place.end:
                start = place.start
                break
    return document.places.line_start(start)
