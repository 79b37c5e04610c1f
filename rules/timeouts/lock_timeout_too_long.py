"""A lock_timeout is so long that it does not protect the application.

While a lock request waits, all later queries of the table wait behind it. lock_timeout limits this time; a limit longer than the
application's own timeouts does not help. With a short timeout the migration fails earlier and is run again. The configuration sets the
maximum: `longest-lock-timeout = "10s"`.

Unsafe:
    SET lock_timeout = '5min';
    ALTER TABLE orders ADD COLUMN note_2 text;

Safe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.timeouts import format_timeout, setting_before, timeout_in_effect
from migsafe.linting.facts.wording import blocked_statements, command_name, locked_relations
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import CreateIndex, DetachPartition, Drop, Operation, Reindex


class _State(Struct):
    waits: list[tuple[int, int, bool]] = []
    """The positions of statements that may wait for too long, each with its timeout in milliseconds, and whether it is in a transaction."""


@rule(category="timeouts", severity=Severity.WARNING, once=True, fix="safe")
def lock_timeout_too_long(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record every statement that may wait for too long, and report the first one when the migration ends."""
    if not isinstance(op, MigrationEnd):
        timeout = timeout_in_effect(at, "lock_timeout")
        is_concurrent = isinstance(op, CreateIndex | Reindex | Drop | DetachPartition) and op.concurrently  # a shorter timeout would do harm
        if at.blocking_effects and not is_concurrent and timeout is not None and timeout > at.limits.longest_lock_timeout:
            at.state(_State).waits.append((at.position, timeout, at.session.in_transaction_block))
        return
    for position, timeout, in_block in at.state(_State).waits[:1]:
        done = at.past[position]
        effects = [effect for effect in done.effects if effect.blocks and not effect.new]
        blocks = max((effect.blocks for effect in effects), key=len)
        locks = locked_relations({effect.relation: effect.lock for effect in effects})
        longest = at.limits.longest_lock_timeout
        value = f"'{format_timeout(min(longest, 2000))}'"
        yield at.finding(
            done,
            f"{command_name(at, done)} may wait up to {format_timeout(timeout)} for {locks}, and every "
            f"{blocked_statements(blocks)} waits behind it: the configured maximum is {format_timeout(longest)}",
            help=f"-- before this statement:\nSET lock_timeout = {value};",
            fix=setting_before(at, done.operation, "lock_timeout", value, in_block=in_block),
            relations=[effect.relation for effect in effects],
            lock=effects[0].lock,
        )
