"""Changes of files as unified diffs."""

import difflib
import re

from migsafe.fixes.edits import FileChange


def unified_diff(change: FileChange) -> str:
    """Returns the change of a file as a unified diff, as git apply reads it."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (change.before or "", change.after))
    path = change.path.lstrip("/")  # git removes the first part of the names, up to the first slash
    lines = difflib.unified_diff(before, after, f"a/{path}" if change.before is not None else "/dev/null", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
