"""A statement that works through a table has no time limit.

lock_timeout ends waiting, not working. A statement that has its lock and takes longer than anybody thought keeps it, and its
transaction open, until it is done. statement_timeout ends it, and PostgreSQL undoes what it did. Off unless selected: what is too long is
different for every table.

Unsafe:
    ALTER TABLE orders VALIDATE CONSTRAINT orders_qty_check;

Safe:
    SET statement_timeout = '10min';
    ALTER TABLE orders VALIDATE CONSTRAINT orders_qty_check;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT
"""

from migsafe.linting.facts.timeouts import timeout_in_effect
from migsafe.linting.facts.wording import command_name, join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Operation


@rule(category="timeouts", severity=Severity.WARNING, off=True)
def statement_timeout_missing(op: Operation, at: Context) -> Finding | None:
    """Report work that nothing ends."""
    # A build that is given up half-way leaves an INVALID index: another hazard.
    slow = [effect for effect in at.slow() if not effect.waits]
    if not slow or timeout_in_effect(at, "statement_timeout") != 0:
        return None
    return at.finding(
        op,
        f"{command_name(at, op)} works through {join_names([effect.relation for effect in slow])}, and no statement_timeout ends it if that takes too long",
        help="-- before it:\nSET statement_timeout = '30s';",
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )
