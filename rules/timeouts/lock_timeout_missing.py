"""A lock that stops reads or writes is waited for without a limit.

A lock request waits until every transaction is over that uses the table: a report, a backup, a session that somebody forgot. All who come
later wait behind the request, though they could go on beside the transaction that it waits for. So one slow SELECT and one quick ALTER TABLE
stop a table for as long as the SELECT takes. With lock_timeout PostgreSQL gives the request up after that time; the migration fails, everybody
goes on, and the migration is run again.

The timeout must be in effect where the lock is asked for: SET LOCAL does nothing outside a transaction and ends with it, RESET and 0 switch it
off, a rollback takes it back. Where the runner, the role or the database sets one, say so: `lock-timeout = "2s"` in the configuration.

Unsafe:
    ALTER TABLE orders ADD COLUMN note_2 text;

Safe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from collections.abc import Iterator

from migsafe.linting.facts.timeouts import timeout_in_effect
from migsafe.linting.facts.wording import blocked_statements, command_name, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.sql.operations import Operation, ResetVariable, SetVariable


@rule(category="timeouts", severity=Severity.WARNING)
def lock_timeout_missing(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note every statement that may wait without a limit, and report the first one when the migration ends."""
    if not isinstance(op, MigrationEnd):
        if at.blocking_effects and timeout_in_effect(at, "lock_timeout") == 0:
            at.notes.append(len(at.past))
        return
    done = [at.past[position] for position in at.notes]
    if done:
        yield _reported(at, done[0], len({one.statement.index for one in done}))


def _reported(at: Context, first: PastOperation, statements: int) -> Finding:
    effects = [effect for effect in first.effects if effect.blocks and not effect.new]
    worst = max(effects, key=lambda effect: effect.lock.strength)
    blocks = max((effect.blocks for effect in effects), key=len)
    tables = join_names([effect.relation for effect in effects])
    others = statements - 1
    more = f"; so does {others} other statement of this migration" if others == 1 else f"; so do {others} others here" if others else ""
    why = _why(at, first)
    return at.finding(
        first,
        f"{command_name(at, first)} asks for {worst.lock} on {tables}, and {why}: it waits for every transaction that uses "
        f"{'it' if len(effects) == 1 else 'them'}, and behind it every {blocked_statements(blocks)} waits{more}",
        help=_help(at, first),
        relations=[effect.relation for effect in effects],
        lock=worst.lock,
    )


def _why(at: Context, first: PastOperation) -> str:
    """Why none is in effect."""
    for done in at.past[: at.past.index(first)][::-1]:
        match done.operation:
            case SetVariable(variable="lock_timeout", local=True) if done.transaction != first.transaction:
                return "the SET LOCAL lock_timeout before it did not outlast its transaction"
            case SetVariable(variable="lock_timeout") | ResetVariable(variable="lock_timeout" | None):
                return "lock_timeout is switched off"
    return "no lock_timeout is in effect"


def _help(at: Context, first: PastOperation) -> str:
    position = at.past.index(first)
    statement = first.statement
    together = any(one.transaction == first.transaction and one.statement is not statement for one in at.past[:position])
    before = "-- before the first statement of the migration" if together or position else "-- before it"
    return f"{before}:\nSET lock_timeout = '2s';"
