"""A short statement_timeout, or transaction_timeout, is in effect during a statement with CONCURRENTLY.

CREATE INDEX, REINDEX and DROP INDEX CONCURRENTLY and DETACH PARTITION … CONCURRENTLY take as long as the oldest transactions that use the
table, and the builds also read it twice. A timeout of seconds cancels them: a build leaves an INVALID index, which every write maintains and
no query uses, and which makes the next run fail; DROP INDEX leaves the index INVALID; DETACH PARTITION leaves the partition pending detach.
They do not block other sessions, so they may take their time. PostgreSQL 17 and newer also have transaction_timeout, which ends the session.

Timeouts of more than ten minutes are not reported.

Unsafe:
    SET statement_timeout = '5s';
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

Safe:
    SET statement_timeout = 0;
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
    https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from migsafe import versions
from migsafe.linting.facts.concurrent_waits import remains, waited_for, waits_concurrently
from migsafe.linting.facts.timeouts import advice_without_timeouts, format_timeout, without_timeouts
from migsafe.linting.facts.wording import command_name, join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex, DetachPartition, Drop, Reindex

_SHORT = 600_000


@rule(category="timeouts", severity=Severity.WARNING, fix="safe")
def statement_timeout_on_concurrent(op: CreateIndex | Reindex | Drop | DetachPartition, at: Context) -> Finding | None:
    """Report a statement that a timeout for statements or transactions may cancel."""
    names: tuple[str, ...] = ("statement_timeout", "transaction_timeout")
    if at.catalog.pg_version < versions.TRANSACTION_TIMEOUT:
        names = names[:1]
    limits = {name: timeout for name in names if (timeout := at.session.settings.duration_ms(name)) and timeout <= _SHORT}
    if not limits or not waits_concurrently(op, at):
        return None
    tables = waited_for(op, at)
    set_timeouts = " and ".join(f"{name} = {format_timeout(timeout)}" for name, timeout in limits.items())
    return at.finding(
        op,
        f"{command_name(at, op)} takes as long as the transactions that use {join_names(tables) or 'the table'}, and {set_timeouts} "
        f"cancel{'s' if len(limits) == 1 else ''} it: {remains(op)}",
        help=advice_without_timeouts(at, limits),
        fix=without_timeouts(at, limits),
        relations=tables,
    )
