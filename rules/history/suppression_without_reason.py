"""A suppression that does not say why it does no harm.

Who reads the migration next year, or reviews it today, cannot tell a decision from a habit. A reason is required: without one the suppression
does not hold, and what it names is still reported.

Unsafe:
    -- migsafe: ignore[opaque-code]
    SELECT 1;

Safe:
    -- migsafe: ignore[index-not-concurrent] orders is empty until launch
    CREATE INDEX orders_qty_idx ON orders (qty);
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.suppressions import Suppression


@rule(category="history", severity=Severity.WARNING)
def suppression_without_reason(op: Suppression, at: Context) -> Finding | None:
    """Report a suppression with names and nothing after them."""
    if not op.understood or op.reason:
        return None
    return at.finding(op, "this suppression does not hold, because it gives no reason: say behind the bracket why it does no harm here")
