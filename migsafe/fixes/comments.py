"""Fixes of comments: suppressions that suppress nothing."""

import re
from collections.abc import Mapping, Sequence

from migsafe.fixes.edits import Edits, FileChange, NotFixed
from migsafe.linting.finding import Finding
from migsafe.patterns import lazy_pattern
from migsafe.text import Script, Span

_BEGINS_COMMENT = lazy_pattern(r"--|#")


def edit_comments(script: Script, comments: Sequence[tuple[Finding, str]]) -> Edits:
    """Returns the edits of a script that put other comments in place of those that findings are about; a line that has nothing else than a
    removed comment is removed."""
    text = script.text
    places: Mapping[Span, str] = {finding.span: comment for finding, comment in comments if _BEGINS_COMMENT.match(text, finding.span.start)}
    applied = tuple(finding for finding, _ in comments if finding.span in places)
    refused = tuple(NotFixed(finding, "its place in the script is not known") for finding, _ in comments if finding.span not in places)
    for place in sorted(places, reverse=True):
        text = _with_comment(text, place, places[place])
    return Edits((FileChange(script.path, script.text, text),) if applied else (), applied, refused)


def _with_comment(text: str, place: Span, comment: str) -> str:
    before, after = text[: place.start], text[place.end :]
    if comment:
        return before + comment + after
    before = before.rstrip(" \t")
    line_end = re.match(r"\r?\n|\Z", after)
    return before + (after[line_end.end() :] if line_end is not None and (not before or before.endswith("\n")) else after)
