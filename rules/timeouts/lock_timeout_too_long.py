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

from migsafe.linting.facts.timeouts import in_effect, spelt
from migsafe.linting.facts.wording import listed, stopped, verb
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Operation


@rule(category="timeouts", severity=Severity.WARNING)
def lock_timeout_too_long(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note every statement that may wait for too long, and report the first one when the migration ends."""
    if not isinstance(op, MigrationEnd):
        timeout = in_effect(at, "lock_timeout")
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
            f"{verb(at, done)} may wait {spelt(timeout)} for {effects[0].lock} on {listed([effect.relation for effect in effects])}, and "
            f"behind it every {stopped(blocks)}; more than {spelt(longest)} is too long",
            help=f"-- before it:\nSET lock_timeout = '{spelt(min(longest, 2000))}';",
            relations=[effect.relation for effect in effects],
            lock=effects[0].lock,
        )
