"""What the output of fixes says about the files that they make."""

from collections.abc import Iterable, Iterator

from migsafe.fixes.edits import FileChange
from migsafe.fixes.layouts import LAYOUTS
from migsafe.sources import Plan


def reason_of_new_migrations(plan: Plan, changes: Iterable[FileChange]) -> str:
    """Returns why changes make new migrations; empty if they make none."""
    new = [change.after.lower() for change in changes if change.before is None and change.path.endswith((".sql", ".py"))]
    if not new:
        return ""
    is_alone = any(source.runner.one_statement_outside for source in plan.sources) and sum("concurrently" in text for text in new) > 1
    alone = " (there, one for each statement)" if is_alone else ""
    return f"a new migration is for statements that must run in a later transaction than those before, or outside any transaction{alone}"


def runner_notes(plan: Plan) -> Iterator[str]:
    """Yields what the runners of a plan need after their files have changed."""
    for name in dict.fromkeys(source.runner.name for source in plan.sources):
        note = LAYOUTS[name].note if name in LAYOUTS else ""
        if note:
            yield note
