"""The findings of a replay. They have the same form as the linter's, so that every report format can write them."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import Finding, Severity
from migsafe.lock import LockMode
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.lock_timeouts import LockTimeout
from migsafe.replaying.queries.findings import in_steps, query_findings
from migsafe.replaying.recording.records import StatementRecord, Wait, waiting_queries
from migsafe.replaying.replay import ReplayedMigration
from migsafe.replaying.row_failures import Emptying, RowCause
from migsafe.sql.operations import Name
from migsafe.terminal.quantities import format_duration, format_size
from migsafe.text import Span

CATEGORY = "replay"

_EXPERIMENTS = {
    "rerun": ("replay-not-rerunnable", Severity.WARNING),
    "crash": ("replay-crash-leaves-it-stuck", Severity.ERROR),
    "round trip": ("replay-way-back-fails", Severity.WARNING),
    "agreement": ("replay-differs-from-prediction", Severity.INFO),
}


def findings_of(replayed: ReplayedMigration, budgets: Budgets) -> Iterator[Finding]:
    """Yields what failed, what exceeded a budget, and what was left out."""
    recording = replayed.recording
    statements = recording.statements
    if recording.failure is not None and not (recording.failure.is_interruption or recording.failure.is_disk_full):
        rejected = "" if recording.failure.lost else f"PostgreSQL rejects the statement{_whose_rows(replayed)}: "
        message = f"{rejected}{recording.failure.message}{replayed.likely_cause}"
        yield _finding(replayed, "replay-fails", Severity.ERROR, message, statements[-1])
    if replayed.emptying is not None and not _fails_without_rows(replayed):
        yield _emptied(replayed, replayed.emptying)
    if replayed.lock_timeout is not None:
        yield _timed_out(replayed, replayed.lock_timeout)
    for statement in statements:
        if statement.skip_reason:
            severity = Severity.WARNING if statement in replayed.left_out else Severity.INFO
            message = f"not run and not part of this replay: {statement.skip_reason}"
            yield _finding(replayed, "replay-left-out", severity, message, statement)
    for relation in recording.deadlocks:
        queries = recording.deadlocked_queries.get(relation, ())
        such_as = f", such as {join_queries(queries)}," if queries else ""
        message = (
            f"the migration and queries on {relation}{such_as} waited for each other (a deadlock): PostgreSQL would have aborted one of them"
        )
        deadlock = _finding(replayed, "replay-deadlock", Severity.WARNING, message, _first_blocking(statements, relation), (relation,))
        yield replace(deadlock, queries=queries)
    if budgets.blocked is not None:
        yield from _blocked(replayed, budgets.blocked)
    if budgets.hold is not None:
        yield from _held(replayed, budgets.hold)
    wal = sum(statement.wal_bytes for statement in statements)
    if budgets.wal is not None and wal > budgets.wal:
        largest = max(statements, key=lambda statement: statement.wal_bytes)
        message = (
            f"the migration writes {format_size(wal)} of WAL, {format_size(largest.wal_bytes)} of it in this statement; "
            f"the budget is {format_size(budgets.wal)}"
        )
        yield _finding(replayed, "replay-wal-over-budget", Severity.ERROR, message, largest)
    for outcome in replayed.outcomes:
        if outcome.passed is False and not outcome.harmless:
            yield _failed_experiment(replayed, outcome)
    if replayed.queries is not None:
        for found in query_findings(replayed.queries):
            cause = _statement(replayed, found.statement)
            finding = _finding(replayed, found.rule, found.severity, found.message, cause, found.relations)
            help = in_steps(found, cause.statement.operations if cause is not None else ())
            yield replace(finding, queries=found.queries, help=help)


def _fails_without_rows(replayed: ReplayedMigration) -> bool:
    """Whether a migration that failed on generated rows fails with the same message when the tables are empty."""
    failure, emptying = replayed.recording.failure, replayed.emptying
    return failure is not None and emptying is not None and failure.message == emptying.message


def _whose_rows(replayed: ReplayedMigration) -> str:
    if _fails_without_rows(replayed):
        return " on the generated rows, and with empty tables"
    match replayed.row_cause:
        case RowCause.ANY:
            return " on every table that has rows"
        case RowCause.EXISTING:
            return " on the generated rows, and production may have such rows too"
    return ""


def _emptied(replayed: ReplayedMigration, emptying: Emptying) -> Finding:
    """Returns the finding about a failure on generated rows, after which the migration was run again with empty tables."""
    tables = ", ".join(sorted(map(str, emptying.tables)))
    again = f"The migration was run again after {tables} had been emptied: its times are not those of tables with rows"
    statement = _statement(replayed, emptying.statement)
    if emptying.cause is RowCause.ANY:
        message = f"PostgreSQL rejects the statement on every table that has rows: {emptying.message}. {again}"
        return _finding(replayed, "replay-fails", Severity.ERROR, message, statement)
    if emptying.is_possible_in_production:
        check = f". Before the migration, this finds them in production: {emptying.check}" if emptying.check else ""
        known = f"{max(emptying.in_production, 0.001):.1%} of production's rows are such rows, according to its statistics"
        possible = known if emptying.in_production else "Production may have such rows too, or none"
        message = f"PostgreSQL rejects the statement on the generated rows: {emptying.message}. {possible}. {again}{check}"
        return _finding(replayed, "replay-fails", Severity.ERROR, message, statement)
    message = f"the statement fails on generated rows: {emptying.message}. Production's rows may have other values. {again}"
    return _finding(replayed, "replay-fails-on-generated-rows", Severity.WARNING, message, statement)


def _timed_out(replayed: ReplayedMigration, lock_timeout: LockTimeout) -> Finding:
    """Returns a finding for a lock_timeout: that it works, or that the migration cannot be run again after it."""
    queries = f"queries waited for up to {format_duration(lock_timeout.longest_wait)}" if lock_timeout.waits else "no query waited noticeably"
    message = (
        f"a long query held a lock, and lock_timeout ended the migration after {format_duration(lock_timeout.waited_ms)}; {queries} meanwhile. "
    )
    if lock_timeout.stuck:
        severity, message = Severity.ERROR, f"{message}The migration cannot be run again unchanged: {lock_timeout.stuck}"
    elif replayed.recording.failure is not None:
        severity, message = Severity.INFO, f"{message}Without the query, it fails for another reason"
    else:
        severity, message = Severity.INFO, f"{message}It can be run again: a second run, without the query, succeeds and is shown here"
    return _finding(replayed, "replay-lock-timeout", severity, message, _statement(replayed, lock_timeout.statement))


def _blocked(replayed: ReplayedMigration, budget: float) -> Iterator[Finding]:
    """Yields the longest wait for each relation and statement, if it exceeds the budget. It names the application's queries that waited for too
    long."""
    waits: dict[tuple[Name, int | None], list[Wait]] = {}
    earlier = replayed.lock_timeout.waits if replayed.lock_timeout is not None else ()
    for wait in (*earlier, *replayed.recording.waits):
        if wait.ms > budget:
            waits.setdefault((wait.relation, wait.statement), []).append(wait)
    for (relation, index), too_long in waits.items():
        queries = waiting_queries(too_long)
        such_as = f", such as {join_queries(queries)}," if queries else ""
        blocked = format_duration(max(wait.ms for wait in too_long))
        message = f"queries on {relation}{such_as} were blocked for {blocked}; the budget is {format_duration(budget)}"
        found = _finding(replayed, "replay-blocked-over-budget", Severity.ERROR, message, _statement(replayed, index), (relation,))
        yield replace(found, queries=tuple(queries))


def _held(replayed: ReplayedMigration, budget: float) -> Iterator[Finding]:
    """Yields each lock that blocks reads or writes and is held for longer than the budget."""
    for statement in replayed.recording.statements:
        for touch in statement.measured_effects:
            effect = touch.effect
            if touch.takes_lock and effect.blocks and not effect.new and touch.held_ms > budget:
                message = (
                    f"{effect.lock} on {effect.relation} is held for {format_duration(touch.held_ms)} "
                    f"and blocks every {effect.blocked_commands}; "
                    f"the budget is {format_duration(budget)}"
                )
                yield _finding(replayed, "replay-hold-over-budget", Severity.ERROR, message, statement, (effect.relation,), effect.lock)


def _first_blocking(statements: Iterable[StatementRecord], relation: Name) -> StatementRecord | None:
    """Returns the first statement whose lock on the relation blocks reads or writes."""
    for statement in statements:
        if any(touch.effect.blocks and touch.effect.relation == relation for touch in statement.measured_effects):
            return statement
    return None


def _failed_experiment(replayed: ReplayedMigration, outcome: Outcome) -> Finding:
    """Returns a finding for an experiment, at the first statement that it names."""
    rule, severity = _EXPERIMENTS[outcome.experiment]
    index = next((step.statement for step in outcome.observations if step.statement is not None), None)
    texts = [step.text for step in outcome.observations]
    rest = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
    message = outcome.summary if not texts or texts[0] in outcome.summary else f"{outcome.summary}: {texts[0]}{rest}"
    return _finding(replayed, rule, severity, message, _statement(replayed, index))


def _statement(replayed: ReplayedMigration, index: int | None) -> StatementRecord | None:
    return next((statement for statement in replayed.recording.statements if statement.statement.index == index), None)


def _finding(
    replayed: ReplayedMigration,
    rule: str,
    severity: Severity,
    message: str,
    statement: StatementRecord | None,
    relations: tuple[Name, ...] = (),
    lock: LockMode | None = None,
) -> Finding:
    half = replayed.migration.up
    return Finding(
        rule=rule,
        category=CATEGORY,
        severity=severity,
        message=message,
        help="",
        script=half.file,
        span=half.file_span(statement.statement.span) if statement is not None else Span(0, 0),
        migration=replayed.migration.id,
        statement=statement.statement.index if statement is not None else 1,
        relations=tuple(map(str, relations)),
        lock=lock,
    )
