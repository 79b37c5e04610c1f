"""A short lock_timeout is in effect during a statement with CONCURRENTLY.

CREATE INDEX, REINDEX and DROP INDEX CONCURRENTLY and DETACH PARTITION … CONCURRENTLY do not block other sessions, but they wait several times
for older transactions. These waits are lock waits, so lock_timeout cancels them. A build then fails and leaves an INVALID index, which every
write maintains and no query uses, and which makes the next run fail. DROP INDEX leaves the index INVALID. DETACH PARTITION leaves the
partition pending detach, which only DETACH PARTITION … FINALIZE completes. No SELECT, INSERT, UPDATE or DELETE waits behind these
statements, so they need no lock_timeout. A timeout that the runner sets, according to the configuration, is not reported.

Unsafe:
    SET lock_timeout = '2s';
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

Unsafe:
    SET lock_timeout = '2s';
    DROP INDEX CONCURRENTLY orders_status_idx;

Safe:
    SET lock_timeout = 0;
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
"""

from migsafe.linting.facts.concurrent_waits import remains, waited_for, waits_concurrently
from migsafe.linting.facts.timeouts import advice_without_timeouts, format_timeout, without_timeouts
from migsafe.linting.facts.wording import command_name, join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex, DetachPartition, Drop, Reindex


@rule(category="timeouts", severity=Severity.WARNING, fix="safe")
def lock_timeout_on_concurrent(op: CreateIndex | Reindex | Drop | DetachPartition, at: Context) -> Finding | None:
    """Report a statement that lock_timeout may cancel while it waits, if the script itself set the timeout."""
    timeout = at.session.settings.lock_timeout_ms
    if not timeout or timeout > at.limits.longest_lock_timeout or not waits_concurrently(op, at):
        return None
    tables = waited_for(op, at)
    return at.finding(
        op,
        f"{command_name(at, op)} waits for the transactions that use {join_names(tables) or 'the table'}, and lock_timeout = "
        f"{format_timeout(timeout)} cancels that wait: {remains(op)}",
        help=advice_without_timeouts(at, {"lock_timeout": timeout}),
        fix=without_timeouts(at, {"lock_timeout": timeout}),
        relations=tables,
    )
