"""A lock_timeout that lets everybody wait for too long.

While a lock request waits, all who come later wait behind it. lock_timeout is how long that may last: longer than the application's own
patience, it protects nobody. A short one fails sooner, and the migration is simply run again. How long is too long is a matter of the
configuration: `longest-lock-timeout = "10s"`.

Unsafe:
    SET lock_timeout = '5min';
    ALTER TABLE orders ADD COLUMN note_2 text;

Safe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from collections.abc import Iterator

from migsafe.linting.facts.timeouts import format_timeout, timeout_in_effect
from migsafe.linting.facts.wording import blocked_statements, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Operation


@rule(category="timeouts", severity=Severity.WARNING)
def lock_timeout_too_long(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note every statement that may wait for too long, and report the first one when the migration ends."""
    if not isinstance(op, MigrationEnd):
        timeout = timeout_in_effect(at, "lock_timeout")
        if at.blocking_effects and timeout is not None and timeout > at.limits.longest_lock_timeout:
            at.notes.append((len(at.past), timeout))
        return
    for position, timeout in at.notes[:1]:
        done = at.past[position]
        effects = [effect for effect in done.effects if effect.blocks and not effect.new]
        blocks = max((effect.blocks for effect in effects), key=len)
        longest = at.limits.longest_lock_timeout
        yield at.finding(
            done,
            f"{command_name(at, done)} may wait {format_timeout(timeout)} for {effects[0].lock} on {join_names([effect.relation for effect in effects])}, and "
            f"behind it every {blocked_statements(blocks)}; more than {format_timeout(longest)} is too long",
            help=f"-- before it:\nSET lock_timeout = '{format_timeout(min(longest, 2000))}';",
            relations=[effect.relation for effect in effects],
            lock=effects[0].lock,
        )
