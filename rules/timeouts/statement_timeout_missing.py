"""A statement whose duration grows with a table has no time limit.

lock_timeout limits waiting, not working. A statement that has its lock and takes longer than expected keeps the lock, and its transaction
open, until it ends. statement_timeout cancels it, and PostgreSQL rolls it back. Off unless selected, because the right limit differs for
each table.

Unsafe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;

Safe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    -- next migration
    SET statement_timeout = '10min';
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
"""

from migsafe.linting.facts.timeouts import setting_before, timeout_in_effect
from migsafe.linting.facts.wording import command_name, join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Operation


@rule(
    category="timeouts",
    severity=Severity.WARNING,
    off=True,
    fix="unsafe",
    unsafe_because="the timeout can cancel the statement, however often it is repeated",
)
def statement_timeout_missing(op: Operation, at: Context) -> Finding | None:
    """Report a long statement without a statement_timeout."""
    # A CONCURRENTLY build that is cancelled leaves an INVALID index, so it needs no statement_timeout.
    slow = [effect for effect in at.slow_effects() if not effect.waits]
    if not slow or timeout_in_effect(at, "statement_timeout") != 0:
        return None
    return at.finding(
        op,
        f"{command_name(at, op)} runs for a time that grows with {join_names([effect.relation for effect in slow])}, and no statement_timeout "
        "limits it",
        help="-- before this statement:\nSET statement_timeout = '30s';",
        fix=setting_before(at, op, "statement_timeout", "'30s'", in_block=at.session.in_transaction_block),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )
