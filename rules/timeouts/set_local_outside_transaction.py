"""SET LOCAL outside a transaction does nothing.

It holds until the transaction ends in which it stands. A statement by itself is a transaction by itself, which ends with it: PostgreSQL warns,
and the setting is what it was. So a lock_timeout that seems to protect the next statement does not.

Unsafe:
    SET LOCAL statement_timeout = '10min';
    VACUUM orders;

Safe:
    SET statement_timeout = '10min';
    VACUUM orders;

See: https://www.postgresql.org/docs/current/sql-set.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Do, SetVariable


@rule(category="timeouts", severity=Severity.WARNING)
def set_local_outside_transaction(op: SetVariable, at: Context) -> Finding | None:
    """Report a SET LOCAL that is over as soon as it is said."""
    if not op.local or at.session.in_transaction_block or isinstance(at.statement.operations[0], Do) or op is not at.statement.operations[0]:
        return None
    value = f"'{op.value}'" if op.value is not None else "DEFAULT"
    return at.finding(
        op,
        f"SET LOCAL {op.variable} does nothing here: no transaction is open, so that it ends with the statement itself",
        help=f"SET {op.variable} = {value};",
    )
