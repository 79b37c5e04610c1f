"""A suppression that suppresses nothing.

The rule that it names reported nothing there: the statement was fixed, or the comment is on the wrong line. A leftover suppression hides
the next finding. A suppression applies to the statement or operation on its line or below it; `ignore-file` applies to the whole file, and
only above its first statement. It must name its rules.

Unsafe:
    -- migsafe: ignore[index-not-concurrent] the table is small
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

Unsafe, because it names no rule:
    -- migsafe: ignore
    SELECT 1;

Safe:
    -- migsafe: ignore[index-not-concurrent] orders is empty until launch
    CREATE INDEX orders_qty_idx ON orders (qty);
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.suppressions import Suppression


@rule(category="history", severity=Severity.WARNING, no_fix="fixes edit statements, not comments")
def suppression_unused(op: Suppression, at: Context) -> Iterator[Finding]:
    """Report a suppression that applies nowhere, and each of its rules that reported nothing."""
    if not op.understood:
        yield at.finding(op, "this suppresses nothing: it must name the rules", help="-- migsafe: ignore[rule-a, rule-b] the reason")
    elif op.misplaced:
        yield at.finding(op, "this suppresses nothing: ignore-file is only valid above the first statement of the file")
    elif op.applies:
        where = "in this file" if op.whole_file else "here"
        for name in op.unused:
            yield at.finding(op, f"{name} reports nothing {where}: remove the suppression")
