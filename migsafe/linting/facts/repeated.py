"""One finding for a cause that a migration has several times: it is at the first place and names the others."""

from collections.abc import Sequence

from migsafe.linting.rule import Context, PastOperation

_MOST = 8


def other_places(at: Context, operations: Sequence[PastOperation]) -> str:
    """Returns the lines of all operations but the first, as the end of a message; empty for one operation."""
    half = at.migration.up
    first, *lines = dict.fromkeys(half.file.position(half.file_span(done.operation.span).start).line for done in operations)
    lines = sorted(line for line in lines if line != first)
    if not lines:
        return ""
    shown = [str(line) for line in lines[:_MOST]]
    more = f" and {len(lines) - _MOST} more" if len(lines) > _MOST else ""
    listed = ", ".join(shown) + more if more or len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"; likewise in line{'s' if len(lines) > 1 else ''} {listed}"
