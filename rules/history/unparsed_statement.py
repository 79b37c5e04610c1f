"""A statement that PostgreSQL may accept and migsafe cannot read.

Nothing is known of what it locks, rewrites or drops, so it is said rather than passed over. The usual cause is a template whose value
decides what the statement is.

Unsafe:
    ALTER TABLE orders {{ .Action }} COLUMN note;

Safe:
    ALTER TABLE {{ .Schema }}.orders ADD COLUMN note text;
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Unparsed


@rule(category="history", severity=Severity.WARNING)
def unparsed_statement(op: Unparsed, at: Context) -> Finding | None:
    """Report the statement, with the reason."""
    return at.finding(op, f"migsafe cannot read this statement, and judges nothing in it: {op.reason}")
