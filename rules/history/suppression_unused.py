"""A suppression that suppresses nothing.

The rule that it names looked and found nothing there: the statement has been mended, or the comment stands on the wrong line. What is left
lying around hides the next finding. A suppression holds for the statement or the operation below it, or on whose line it stands;
`ignore-file` for all of the file, and only above its first statement. It always names the rules that it means.

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


@rule(category="history", severity=Severity.WARNING)
def suppression_unused(op: Suppression, at: Context) -> Iterator[Finding]:
    """Report a suppression that does not hold anywhere, and each of its rules that found nothing."""
    if not op.understood:
        yield at.finding(op, "this suppresses nothing: it must name the rules", help="-- migsafe: ignore[rule-a, rule-b] the reason")
    elif op.misplaced:
        yield at.finding(op, "this suppresses nothing: ignore-file holds only above the first statement of the file")
    elif op.holds:
        where = "in this file" if op.whole_file else "here"
        for name in op.unused:
            yield at.finding(op, f"{name} reports nothing {where}: the suppression can go")
