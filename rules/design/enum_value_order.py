"""An enum value is added at the end of the order.

The order of the values decides ORDER BY, comparisons, min and max. Without BEFORE or AFTER a new value becomes the last. It cannot be moved
afterwards: a different order needs a new type.

Unsafe:
    ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'packed';

Safe:
    ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'packed' AFTER 'paid';

See: https://www.postgresql.org/docs/current/sql-altertype.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddEnumValue


@rule(category="design", severity=Severity.INFO)
def enum_value_order(op: AddEnumValue, at: Context) -> Finding | None:
    """Report a value that is added without BEFORE or AFTER."""
    if op.before is not None or op.after is not None:
        return None
    return at.finding(
        op,
        f"'{op.value}' becomes the last value of {op.type}: ORDER BY and comparisons use this order, and it cannot be changed later",
        help=f"ALTER TYPE {op.type} ADD VALUE {'IF NOT EXISTS ' if op.if_not_exists else ''}'{op.value}' AFTER '…';",
    )
