"""A suppression of a rule that does not exist.

It suppresses nothing: the name is misspelled, or the rule was renamed.

Unsafe:
    -- migsafe: ignore[index-not-concurent] orders is empty until launch
    SELECT 1;

Safe:
    -- migsafe: ignore[index-not-concurrent] orders is empty until launch
    CREATE INDEX orders_qty_idx ON orders (qty);
"""

from collections.abc import Iterator

from migsafe.errors import did_you_mean
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.suppressions import Suppression


@rule(category="history", severity=Severity.WARNING, no_fix="only the author knows which rule was meant")
def unknown_rule(op: Suppression, at: Context) -> Iterator[Finding]:
    """Report each unknown rule name, with the nearest known one."""
    for name in op.unknown:
        yield at.finding(op, f"there is no rule {name}. {did_you_mean(name, op.known, '`migsafe rules` lists them.')}")
