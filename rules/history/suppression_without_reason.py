"""A suppression without a reason.

Reviewers and later readers cannot tell a decision from a habit. A reason is required: without one the suppression does not apply, and the
finding is still reported.

Unsafe:
    -- migsafe: ignore[opaque-code]
    SELECT 1;

Safe:
    -- migsafe: ignore[index-not-concurrent] orders is empty until launch
    CREATE INDEX orders_qty_idx ON orders (qty);
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.suppressions import Suppression


@rule(category="history", severity=Severity.WARNING, no_fix="only the author knows the reason")
def suppression_without_reason(op: Suppression, at: Context) -> Finding | None:
    """Report a suppression that names rules and gives no reason."""
    if not op.understood or op.reason:
        return None
    return at.finding(op, "this suppression does not apply because it gives no reason: state after the bracket why this is safe here")
