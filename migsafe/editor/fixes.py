"""Fixes: actions that ask for the fix of a finding, and the edit of the workspace that applies it."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path

from lsprotocol import types
from msgspec import Struct

from migsafe.documentation.fix import fix_reason
from migsafe.editor.diagnostics import about
from migsafe.editor.documents import Document, OpenFile
from migsafe.editor.positions import Places
from migsafe.errors import MigsafeError
from migsafe.library.fixes import Fixes
from migsafe.linting.finding import Finding
from migsafe.patterns import lazy_pattern
from migsafe.text import Span, common_start

COMMAND = "migsafe.fix"
"""The command of a fix. The whole history is judged again to apply one, so the edit is computed when the user has chosen it."""
_LINE = lazy_pattern(r"[^\n]*\n|[^\n]+")
_INSTEAD = "Save the files, and run `migsafe lint --fix`."


class AppliedFix(Struct, frozen=True):
    """The edit of a fix, and what remains to be done by the user, for a message; empty if nothing does."""

    edit: types.WorkspaceEdit
    remaining: str = ""


def fix_actions(document: Document, uri: str, params: types.CodeActionParams) -> Iterator[types.CodeAction]:
    """Yields an action for each finding that can be fixed in the lines of a range. One that is not safe says why."""
    rules = document.rules
    for finding in document.findings_in(document.places.lines(params.range)):
        if not finding.is_fixable:
            continue
        reason = fix_reason(rules[finding.rule]) if finding.rule in rules else ""
        unsafe = "" if finding.fix_is_safe else f" (unsafe: {reason})" if reason else " (unsafe)"
        title = f"Fix {finding.rule}{unsafe}"
        yield types.CodeAction(
            title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=about(finding, document, params.context.diagnostics),
            is_preferred=finding.fix_is_safe or None,
            command=types.Command(title, COMMAND, arguments=[uri, finding.rule, finding.message]),
        )


def applied_fix(document: Document, rule: str, message: str, opened: Mapping[str, OpenFile], client: types.ClientCapabilities) -> AppliedFix:
    """Returns the edit that fixes the finding of a rule with a message; `opened` are the files that the editor has open, by their paths. Raises
    MigsafeError if there is none, with the reason."""
    finding = next((each for each in document.findings if (each.rule, each.message) == (rule, message)), None)
    fixes = document.fix(finding) if finding is not None else None
    if finding is None or fixes is None:
        raise MigsafeError(f"the finding of {rule} no longer exists")
    if not fixes.changes:
        raise MigsafeError(f"{rule} is not fixed here: {_reason(fixes, finding)}")
    remaining = [f"after {step.after}:\n{step.sql}" for step in fixes.later]
    return AppliedFix(_workspace_edit(fixes, document.encoding, opened, client), "\n".join([*remaining, *fixes.notes]))


def _reason(fixes: Fixes, finding: Finding) -> str:
    """Returns why a finding is not fixed, as the end of a sentence."""
    reasons = [refused.reason for refused in fixes.refused if refused.finding.rule == finding.rule]
    return reasons[0] if reasons else "its safe way leaves a decision to you"


def _workspace_edit(fixes: Fixes, encoding: str, opened: Mapping[str, OpenFile], client: types.ClientCapabilities) -> types.WorkspaceEdit:
    """Returns the edit that makes the changes of fixes. Raises MigsafeError if the editor cannot make them."""
    edits = client.workspace.workspace_edit if client.workspace is not None else None
    creates = edits is not None and bool(edits.document_changes) and types.ResourceOperationKind.Create in (edits.resource_operations or ())
    changes: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    plain: dict[str, list[types.TextEdit]] = {}
    for change in sorted(fixes.changes, key=lambda change: change.before is not None):
        file = opened.get(change.path, OpenFile(Path(change.path).absolute().as_uri(), None, change.before or ""))
        if change.before is None:
            if not creates:
                raise MigsafeError(f"the fix writes {change.path}, and this editor lets no server create files", _INSTEAD)
            changes.append(types.CreateFile(file.uri, options=types.CreateFileOptions(overwrite=False)))
        elif file.text != change.before:
            raise MigsafeError(f"{change.path}: has changes that were not read", "Save it, and try again.")
        plain[file.uri] = _text_edits(change.before or "", change.after, encoding)
        changes.append(types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(file.uri, file.version), plain[file.uri]))
    return types.WorkspaceEdit(document_changes=changes) if creates else types.WorkspaceEdit(plain)


def _text_edits(before: str, after: str, encoding: str) -> list[types.TextEdit]:
    """Returns the edits of lines that turn one text into another."""
    old, new = _LINE.findall(before), _LINE.findall(after)
    # The time of a comparison grows with the square of the number of lines, and most are equal.
    same = common_start(old, new)
    same_end = common_start(old[same:][::-1], new[same:][::-1])
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    places = Places(before, encoding)
    changed, changing = old[same : len(old) - same_end], new[same : len(new) - same_end]
    return [
        types.TextEdit(places.range(Span(starts[same + first], starts[same + last])), "".join(changing[start:end]))
        for tag, first, last, start, end in SequenceMatcher(None, changed, changing, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
