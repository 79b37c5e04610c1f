"""A statement that PostgreSQL may accept and migsafe cannot read.

Its locks, rewrites and drops are unknown, so it is reported instead of skipped. The usual cause is a template whose value decides what the
statement does.

Unsafe:
    ALTER TABLE orders {{ .Action }} COLUMN note;

Safe:
    ALTER TABLE {{ .Schema }}.orders ADD COLUMN note text;
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Unparsed


@rule(category="history", severity=Severity.WARNING, no_fix="migsafe cannot read the statement")
def unparsed_statement(op: Unparsed, at: Context) -> Finding | None:
    """Report the statement, with the reason."""
    return at.finding(op, f"migsafe cannot read this statement and does not check it: {op.reason}")
