"""A short lock_timeout during CREATE INDEX CONCURRENTLY.

The build blocks nobody, but waits itself, twice, for the transactions that were there before it. These waits are waits for locks, so that
lock_timeout ends them: the statement fails, and leaves an INVALID index behind, which every write keeps up to date and no query uses. It also
makes the next run fail. Nobody waits behind a CONCURRENTLY build, so it needs no lock_timeout. Where the runner sets one, as the
configuration can say, that is not reported.

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
    """Report a build that may be given up while it waits, if the script itself has set the timeout."""
    timeout = at.session.settings.lock_timeout_ms
    waiting = [effect for effect in at.effects if effect.waits and not effect.new]
    # What PostgreSQL refuses in a transaction is another rule's.
    if not op.concurrently or not timeout or not waiting or at.session.in_block or timeout > at.limits.longest_lock_timeout:
        return None
    return at.finding(
        op,
        f"{command_name(at, op)} waits for the transactions that use {waiting[0].relation}, and lock_timeout, set to {format_timeout(timeout)}, gives that up: "
        "it fails, and leaves an INVALID index",
        help="-- before it:\nSET lock_timeout = 0;",
        relations=[effect.relation for effect in waiting],
    )
