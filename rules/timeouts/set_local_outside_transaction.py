"""SET LOCAL outside a transaction has no effect.

Its setting lasts until the end of the current transaction. Outside a transaction block each statement is its own transaction, so the
setting ends with SET LOCAL itself, and PostgreSQL only warns. A lock_timeout that seems to protect the next statement does not.

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

_LIMITS = (
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "work_mem",
)
"""The parameters that decide neither what a later statement does nor where. With search_path or role it could end in another schema."""


@rule(
    category="timeouts",
    severity=Severity.WARNING,
    fix="unsafe",
    unsafe_because="the setting takes effect, so a timeout can cancel a later statement",
)
def set_local_outside_transaction(op: SetVariable, at: Context) -> Finding | None:
    """Report a SET LOCAL whose setting ends with the statement itself."""
    if not op.local or at.session.in_transaction_block or isinstance(at.statement.operations[0], Do) or op is not at.statement.operations[0]:
        return None
    value = f"'{op.value}'" if op.value is not None else "DEFAULT"
    return at.finding(
        op,
        f"SET LOCAL {op.variable} has no effect: no transaction is open, so the setting ends with this statement",
        help=f"SET {op.variable} = {value};",
        fix=f"SET {op.variable} = {value};\n-- at the end of the migration:\nRESET {op.variable};" if op.variable in _LIMITS else "",
    )
