"""A statement requests a blocking lock without a lock_timeout.

A lock request waits until every transaction that uses the table has ended: a report, a backup, a forgotten session. All later queries wait
behind the request, even those that do not conflict with the running transactions. So one slow SELECT and one quick ALTER TABLE together
block a table for as long as the SELECT takes. With lock_timeout PostgreSQL cancels the statement after that time: the migration fails, the
queries continue, and the migration is run again.

The timeout must be in effect when the lock is requested: SET LOCAL has no effect outside a transaction and ends with it, RESET and 0 switch
the timeout off, and a rollback undoes it. If the runner, the role or the database sets one, configure it: `lock-timeout = "2s"`.

migsafe reads the timeouts that projects set outside their migrations: in Alembic's env.py, in `PGOPTIONS` and the URLs of databases in
files of settings, in Flyway's `initSql` and `beforeMigrate.sql`, in a program that runs the migrations and has the name
(`scripts/migrate.ts`), and with ALTER ROLE or ALTER DATABASE in an earlier migration. As long as neither these nor a migration sets one, a run
has one finding, at the first statement, with the number of the other migrations. It names the one place where the project can set the timeout.

Unsafe:
    ALTER TABLE orders ADD COLUMN note_2 text;

Safe:
    SET lock_timeout = '2s';
    ALTER TABLE orders ADD COLUMN note_2 text;

See: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from migsafe.linting.facts.timeouts import setting_before, timeout_in_effect
from migsafe.linting.facts.unknown_tables import index_of_unknown_table
from migsafe.linting.facts.wording import blocked_statements, command_name, locked_relations
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.objects import RelationKind
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources.plain import PLAIN
from migsafe.sources.runner import Runner
from migsafe.sources.runners import RUNNERS
from migsafe.sql.operations import CreateIndex, DetachPartition, Drop, Operation, Reindex, ResetVariable, SetVariable

_FLASK_CONNECTION = "in the environment of the command, `PGOPTIONS='-c lock_timeout=2s' flask db upgrade`"
"""Flask-Migrate uses the engine of the application, which has no timeout for its own queries (its templates/flask/env.py, get_engine)."""


class _State(Struct):
    positions: list[int] = []
    """The statements without a timeout, by their position in the migration."""
    in_block: bool = False
    """Whether the first one is in a transaction with others."""


@rule(category="timeouts", severity=Severity.WARNING, once=True, fix="safe")
def lock_timeout_missing(op: Operation | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record every statement that may wait without a limit, and report the first one when the migration ends."""
    if not isinstance(op, MigrationEnd):
        requests = any(map(_can_block, at.effects)) or index_of_unknown_table(op, at) is not None
        if requests and not _is_concurrent(op) and timeout_in_effect(at, "lock_timeout") == 0:
            state = at.state(_State)
            state.in_block = at.session.in_transaction_block if not state.positions else state.in_block
            state.positions.append(at.position)
        return
    unlimited = [at.past[position] for position in at.state(_State).positions]
    if unlimited:
        yield _reported(at, unlimited[0], len({done.statement.index for done in unlimited}))


def _is_concurrent(op: Operation) -> bool:
    """Whether a timeout would do harm: it leaves an INVALID index, or a partition that is pending detach."""
    return isinstance(op, CreateIndex | Reindex | Drop | DetachPartition) and op.concurrently


def _can_block(effect: Effect) -> bool:
    """Whether reads or writes of an existing relation wait behind a lock that is requested on it. Rows of a materialized view are only read."""
    if effect.kind == RelationKind.MATERIALIZED.value and effect.strongest_lock is not LockMode.ACCESS_EXCLUSIVE:
        return False
    return not effect.new and bool(effect.blocks or effect.strongest_lock.blocks)


def _reported(at: Context, first: PastOperation, statements: int) -> Finding:
    effects = [effect for effect in first.effects if _can_block(effect)]
    locks = _requested(effects) if effects else _unknown_table(first.operation)
    strongest = (max(effect.strongest_lock, effect.index_lock or effect.strongest_lock) for effect in effects)
    worst = max(strongest, default=LockMode.ACCESS_EXCLUSIVE)
    blocks = max((max(effect.blocks, effect.strongest_lock.blocks, key=len) for effect in effects), key=len, default=worst.blocks)
    others = statements - 1
    other_statements = f"; the same is true of {others} more statement{'' if others == 1 else 's'} in this migration" if others else ""
    never_set = not at.predictor.has_lock_timeout
    project = "; no migration and no setting of the project sets one" if never_set else ""
    return at.finding(
        first,
        f"{command_name(at, first)} requests {locks} {_without_timeout(at, first)}: while it waits for running transactions, "
        f"every {'SELECT' if _are_only_read(effects) else blocked_statements(blocks)} waits behind it{project}{other_statements}",
        help=_help(at, first, never_set=never_set),
        fix=setting_before(at, first.operation, "lock_timeout", "'2s'", in_block=at.state(_State).in_block),
        relations=[effect.relation for effect in effects],
        lock=worst,
        cause="project" if never_set else "",
        others=others,
    )


def _requested(effects: list[Effect]) -> str:
    """Returns the locks that can block, with their relations. A lock on an index blocks every query that could use the index."""
    on_indexes = {effect.relation: effect.index_lock for effect in effects if effect.index_lock and not effect.strongest_lock.blocks}
    on_tables = {effect.relation: effect.strongest_lock for effect in effects if effect.relation not in on_indexes}
    parts = [locked_relations(on_tables)] if on_tables else []
    return " and ".join((*parts, *(f"{lock} on an index of {relation}" for relation, lock in on_indexes.items())))


def _are_only_read(effects: list[Effect]) -> bool:
    return bool(effects) and all(effect.kind == RelationKind.MATERIALIZED.value for effect in effects)


def _unknown_table(op: Operation) -> str:
    """Returns the locks of a statement on an index that the history does not know."""
    name = op.names[0] if isinstance(op, Drop) else op.name if isinstance(op, Reindex) else ""
    return f"{LockMode.ACCESS_EXCLUSIVE} on the index {name}{' and its table' if isinstance(op, Drop) else ''}"


def _without_timeout(at: Context, first: PastOperation) -> str:
    """Returns why no lock_timeout is in effect, as the end of a clause."""
    for done in at.past[: at.past.index(first)][::-1]:
        match done.operation:
            case SetVariable(variable="lock_timeout", local=True) if done.transaction != first.transaction:
                return "after the transaction of SET LOCAL lock_timeout has ended"
            case SetVariable(variable="lock_timeout") | ResetVariable(variable="lock_timeout" | None):
                return "with lock_timeout switched off"
    return "without a lock_timeout"


def _help(at: Context, first: PastOperation, *, never_set: bool) -> str:
    position = at.past.index(first)
    statement = first.statement
    together = any(done.transaction == first.transaction and done.statement is not statement for done in at.past[:position])
    before = "before the first statement of the migration" if together or position else "before this statement"
    runner = _runner(at)
    lines = [f"-- once for the project: {runner.connection_advice}", f"-- or {before}:"] if never_set else [f"-- {before}:"]
    again = "; each try does all the work again" if any(effect.final_lock is not None for effect in first.effects) else ""
    return "\n".join((*lines, "SET lock_timeout = '2s';", f"-- when it expires, retry a few times with a pause: {runner.retry_advice}{again}"))


def _runner(at: Context) -> Runner:
    runner = next((runner for runner in RUNNERS if runner.name == at.migration.runner), PLAIN)
    program = at.migration.up.program
    if program is None or not program.environment or not msgspec.json.decode(program.environment, type=ScriptEnvironment).is_flask:
        return runner
    return msgspec.structs.replace(runner, connection_advice=_FLASK_CONNECTION, retry_advice="run `flask db upgrade` again")
