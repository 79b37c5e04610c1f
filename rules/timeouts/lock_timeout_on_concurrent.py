"""A short lock_timeout is in effect during CREATE INDEX CONCURRENTLY.

The build does not block other sessions, but it waits several times for older transactions. These waits are lock waits, so lock_timeout
cancels them: the statement fails and leaves an INVALID index, which every write maintains and no query uses, and which makes the next run
fail. No SELECT, INSERT, UPDATE or DELETE waits behind a CONCURRENTLY build, so it needs no lock_timeout. A timeout that the runner sets,
according to the configuration, is not reported.

Unsafe:
    SET lock_timeout = '2s';
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

Safe:
    SET lock_timeout = 0;
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from migsafe.linting.facts.timeouts import format_timeout
from migsafe.linting.facts.wording import command_name
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex, Reindex


@rule(category="timeouts", severity=Severity.WARNING)
def lock_timeout_on_concurrent(op: CreateIndex | Reindex, at: Context) -> Finding | None:
    """Report a build that lock_timeout may cancel while it waits, if the script itself set the timeout."""
    timeout = at.session.settings.lock_timeout_ms
    waiting = [effect for effect in at.effects if effect.waits and not effect.new]
    # concurrently-in-transaction reports a build inside a transaction.
    if not op.concurrently or not timeout or not waiting or at.session.in_block or timeout > at.limits.longest_lock_timeout:
        return None
    return at.finding(
        op,
        f"{command_name(at, op)} waits for the transactions that use {waiting[0].relation}, and lock_timeout = {format_timeout(timeout)} "
        "cancels that wait: the build fails and leaves an INVALID index",
        help="-- before this statement:\nSET lock_timeout = 0;",
        relations=[effect.relation for effect in waiting],
    )
