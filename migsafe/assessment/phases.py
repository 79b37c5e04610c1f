"""Judges the phases of a rollout: what fails in each, and what was not tried."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.interruptions import statement_lines
from migsafe.assessment.late_indexes import INDEX_LATE, late_indexes
from migsafe.assessment.premortem import Assessment, Phase
from migsafe.assessment.rehearsal import Answer, Backfill, PhaseFailure, PhaseMigration, PhaseResult, ReleaseResult
from migsafe.assessment.release_states import Failing, ReleaseStates, StateFailure, measured_limits, release_states, untried_queries
from migsafe.assessment.rollout_order import RolloutOrder, rollout_order
from migsafe.linting.finding import Finding, NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.patterns import lazy_pattern
from migsafe.replaying.queries.plan_results import PlanResults
from migsafe.replaying.queries.results import BrokenQuery, QueryResults
from migsafe.replaying.replay import ReplayedMigration
from migsafe.sql.operations.values import quoted
from migsafe.sql.split import RawStatement, split

NO_QUERIES = "no queries of the application are known"
NO_NEW_QUERIES = "the configuration names no queries of the new release"
NOT_COMPARED = "it is not known which queries the running release sends"

NO_ROWS = "the migration fails on the generated rows"

QUERY_FAILS = "rehearse-query-fails"
"""The rule of a failure that only a rehearsal finds: a query of the new release fails."""

_BACKFILL = "backfill-unbatched"
_BREAKS = frozenset({"replay-query-breaks", "replay-write-breaks"})
_LEFT_OUT = lazy_pattern(r'null value in column "(?P<column>.+?)" of relation "(?P<table>.+?)" violates not-null constraint')
_REGRESSED = "replay-plan-regressed"
_LACKS_INDEX = "replay-query-without-index"
_NOT_REACHED = "the replay ended before it"
_LATER = (Phase.VALIDATE, Phase.CONTRACT)
"""The phases in which the running release may have to be gone."""


class RolledOut(Struct, frozen=True):
    """A migration of the rollout: its assessment, which contains its phases, and its replay; None if it did not run."""

    assessment: Assessment
    replayed: ReplayedMigration | None

    @property
    def key(self) -> tuple[str, str]:
        """The path and the version, which findings have, too."""
        return self.assessment.path, self.assessment.migration.id

    def backfills(self) -> Iterator[Backfill]:
        """Yields the statements that change all rows of a table in one transaction."""
        lines = statement_lines(self.assessment.migration.up)
        records = self.replayed.recording.statements if self.replayed is not None else ()
        durations = {record.statement.index: record.duration_ms for record in records if record.failure is None and not record.skip_reason}
        tried = {change.statement: change for change in (self.replayed.batched if self.replayed is not None else ())}
        is_emptied = self.replayed is not None and self.replayed.emptying is not None
        if is_emptied:
            durations, tried = {}, {}  # they are those of tables without rows
        for finding in unbatched_backfills(self.assessment):
            yield Backfill(
                path=finding.script.path,
                line=lines.get(finding.statement, 0),
                message=finding.message,
                help=finding.help,
                duration_ms=durations.get(finding.statement),
                in_batches=tried.get(finding.statement),
                untried=NO_ROWS if is_emptied else "",
            )


def unbatched_backfills(assessment: Assessment) -> list[Finding]:
    """Returns the findings about changes of all rows in one transaction."""
    return [finding for finding in assessment.findings if finding.rule == _BACKFILL]


def batched_backfills(assessments: Iterable[Assessment]) -> dict[tuple[str, str], dict[int, str]]:
    """Returns the same changes in batches, as SQL: by path and version of the migration, and index of the statement."""
    batched: dict[tuple[str, str], dict[int, str]] = {}
    for assessment in assessments:
        for finding in unbatched_backfills(assessment):
            # What cannot be applied as a fix, because there is another way as well, can be tried.
            statements = [raw.span for raw in split(finding.help) if isinstance(raw, RawStatement)]
            if len(statements) == 1 and not finding.in_body:
                batch = finding.help[statements[0].start : statements[0].end]
                batched.setdefault((assessment.path, assessment.migration.id), {})[finding.statement] = batch
    return batched


def judge_phases(
    migrations: Sequence[RolledOut],
    queries: ProjectQueries | None,
    findings: Sequence[Finding],
    without_migrations: QueryResults | None = None,
    *,
    only_errors: bool = False,
) -> tuple[PhaseResult, ...]:
    """Returns the phases that have a migration, and the deployment. `findings` are those of the replay that count as failures,
    `without_migrations` what was measured of the queries if there is no migration. With `only_errors`, warnings do not count."""
    return tuple(_Judge(migrations, queries, findings, without_migrations, only_errors=only_errors).phases())


class _Judge:
    """Judges the phases of one rollout."""

    def __init__(
        self,
        migrations: Sequence[RolledOut],
        queries: ProjectQueries | None,
        findings: Sequence[Finding],
        alone: QueryResults | None,
        *,
        only_errors: bool,
    ) -> None:
        self._migrations = migrations
        self._only_errors = only_errors
        self._findings = findings
        self._current: Mapping[str, object] = queries.current if queries is not None else {}
        self._running: Mapping[str, object] = queries.running if queries is not None else {}
        self._is_compared = queries is not None and queries.workload.compared
        results = [each.replayed.queries if each.replayed is not None else None for each in migrations] or [alone]
        self._is_unchanged = not migrations and self._is_compared and bool(self._current) and not self._current.keys() - self._running.keys()
        last = next((result for result in reversed(results) if result is not None), None)
        self._unprepared = {name for name, each in untried_queries(results).items() if not each.is_write}
        if last is not None and not last.at_end:
            # A later migration may be what they need, or an extension that was left out.
            self._unprepared |= {each.query.fingerprint for each in last.failing}
        self._states: ReleaseStates = release_states(results, self._current)
        self._own = [{step.phase for step in each.assessment.steps} for each in migrations]
        self._limits = measured_limits(self._states, compared=self._is_compared)
        self._order: RolloutOrder = rollout_order(self._own, self._limits)

    def phases(self) -> Iterator[PhaseResult]:
        for phase in Phase:
            numbers = [number for number, its in enumerate(self._order.phases) if its is phase]
            if numbers or phase is Phase.DEPLOY:
                yield self._phase(phase, numbers)

    def _phase(self, phase: Phase, numbers: Sequence[int]) -> PhaseResult:
        failures = tuple(self._failures(phase, numbers))
        running = _with_slow(self._running_release(phase, numbers), failures, self._running)
        new = _with_slow(self._new_release(phase, numbers), failures, self._current)
        not_run = list(self._not_run(numbers))
        untried = dict.fromkeys(result.reason for result in (running, new) if result.answer is Answer.NOT_TRIED)
        if not_run:
            untried.pop(_NOT_REACHED, None)
        return PhaseResult(
            phase=phase,
            migrations=tuple(self._migration(number) for number in numbers),
            running=running,
            new=new,
            failures=failures,
            untried=(*not_run, *untried),
            notes=tuple(self._notes(phase, numbers)),
            backfills=tuple(backfill for number in numbers for backfill in self._migrations[number].backfills()),
        )

    def _migration(self, number: int) -> PhaseMigration:
        rolled_out = self._migrations[number]
        recording = rolled_out.replayed.recording if rolled_out.replayed is not None and not rolled_out.replayed.untried else None
        path, migration = rolled_out.key
        duration = recording.duration_ms if recording is not None else None
        load = recording.load if recording is not None else None
        return PhaseMigration(path=path, migration=migration, own=tuple(sorted(self._own[number])), duration_ms=duration, load=load)

    def _states_in(self, phase: Phase, numbers: Sequence[int]) -> list[int]:
        """Returns the schemas of a phase, as numbers of migrations: those after each of its migrations; for the deployment, the one there."""
        return [self._order.before] if phase is Phase.DEPLOY else [number + 1 for number in numbers]

    def _running_release(self, phase: Phase, numbers: Sequence[int]) -> ReleaseResult:
        reason = NO_QUERIES if not self._current and not self._running else "" if self._is_compared else NOT_COMPARED
        result = self._release(self._running, self._states.running, self._states_in(phase, numbers), reason)
        if phase is Phase.CONTRACT:
            # What it would meet is no failure, but it tells what happens to those who run all migrations before the deployment.
            return ReleaseResult(answer=Answer.NOT_RUNNING, tried=result.tried, failing=result.failing, reason="no longer runs")
        if phase is Phase.VALIDATE and result.answer is Answer.FAILS:
            return ReleaseResult(answer=Answer.NOT_RUNNING, tried=result.tried, failing=result.failing, reason="must no longer run")
        return result

    def _new_release(self, phase: Phase, numbers: Sequence[int]) -> ReleaseResult:
        if phase is Phase.EXPAND:
            return ReleaseResult(answer=Answer.NOT_RUNNING, reason="not deployed yet")
        return self._release(
            self._current,
            self._states.new,
            self._states_in(phase, numbers),
            "" if self._current else NO_NEW_QUERIES if self._running else NO_QUERIES,
        )

    def _release(self, queries: Mapping[str, object], states: Sequence[Failing], numbers: Sequence[int], reason: str) -> ReleaseResult:
        """Returns the result for a release on the schemas after these numbers of migrations; `reason` is why it was not tried."""
        tried = len(queries.keys() - self._unprepared)
        if reason:
            return ReleaseResult(answer=Answer.NOT_TRIED, reason=reason)
        if self._is_unchanged:
            return ReleaseResult(answer=Answer.WORKS)
        if not tried:
            return ReleaseResult(answer=Answer.NOT_TRIED, reason=f"none of its {len(queries)} queries could be prepared")
        reached = [states[number] for number in numbers if number < len(states)]
        failing = {name: each.query for state in reached for name, each in state.items() if name not in self._unprepared}
        if failing:
            return ReleaseResult(answer=Answer.FAILS, tried=tried, failing=tuple(failing.values()))
        if any(number >= len(states) for number in numbers):
            return ReleaseResult(answer=Answer.NOT_TRIED, reason=self._why_not_reached())
        return ReleaseResult(answer=Answer.WORKS, tried=tried)

    def _why_not_reached(self) -> str:
        """Returns why the queries were not tried on all schemas."""
        for each in self._migrations:
            path, replayed = each.assessment.path, each.replayed
            if replayed is None:
                return _NOT_REACHED
            if replayed.untried:
                return f"{path} was not tried: {replayed.untried}"
            if replayed.recording.failure is not None:
                return f"{path} {'was interrupted' if replayed.recording.failure.is_interruption else 'failed'}"
            if replayed.queries is None:
                return f"the queries were not tried after {path}: the run ended, or it ran in one transaction with other migrations"
        return "no migration ran"

    def _not_run(self, numbers: Sequence[int]) -> Iterator[str]:
        absent = [self._migrations[number] for number in numbers if self._migrations[number].replayed is None]
        if absent:
            others = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            yield f"{absent[0].assessment.path}{others} did not run"
        for number in numbers:
            path, replayed = self._migrations[number].assessment.path, self._migrations[number].replayed
            if replayed is not None and replayed.untried:
                yield f"{path} was not tried: {replayed.untried}"

    def _failures(self, phase: Phase, numbers: Sequence[int]) -> Iterator[PhaseFailure]:
        keys = {self._migrations[number].key for number in numbers}
        for finding in self._findings:
            # A finding about a query without an index is at the query: both releases run when the new one first sends it.
            at_query = finding.rule == _LACKS_INDEX
            if (phase is Phase.DEPLOY) if at_query else (_key(finding) in keys and self._counts(phase, finding)):
                yield _failure_of(finding)
        if phase is Phase.DEPLOY:
            for fingerprint, failing in (self._states.new_at(self._order.before) or {}).items():
                if fingerprint not in self._unprepared and fingerprint not in self._running:
                    yield self._new_query_fails(failing)
            if not self._only_errors:
                new = self._current.keys() - self._running.keys()
                yield from late_indexes(self._plans_after(self._order.before), new)
        elif phase is not Phase.EXPAND:
            yield from self._broken_for_new(numbers)

    def _plans_after(self, number: int) -> Iterator[tuple[str, PlanResults]]:
        """Yields the paths of the migrations after a number of them, with what was measured of the plans around each."""
        for each in self._migrations[number:]:
            if each.replayed is not None and each.replayed.queries is not None:
                yield each.assessment.path, each.replayed.queries.plans

    def _counts(self, phase: Phase, finding: Finding) -> bool:
        """Whether a finding at a migration of a phase is a failure of that phase: a release that does not run cannot fail."""
        names = {query.fingerprint for query in finding.queries}
        if finding.rule in _BREAKS and names:
            names &= self._running.keys()  # what only the new release sends is judged from its states
        elif finding.rule != _REGRESSED or not names:
            return True
        elif phase is Phase.EXPAND:
            names &= self._running.keys()
        return bool(names & self._current.keys()) if phase in _LATER else bool(names)

    def _new_query_fails(self, failing: StateFailure) -> PhaseFailure:
        """Returns the failure of a query that does not work on the schema with which the new release is deployed."""
        broken = (each.query.fingerprint for each in self._broken_by(self._migrations[: self._order.before]))
        when = "because of the migrations before it" if failing.query.fingerprint in broken else "and after all migrations, too"
        return PhaseFailure(
            rule=QUERY_FAILS,
            message=f"the new release's query {failing.query} fails when it is deployed, {when}: {failing.failure}",
            path=failing.query.path,
            line=failing.query.line,
            queries=(failing.query,),
            sqlstate=failing.failure.sqlstate,
        )

    @staticmethod
    def _broken_by(migrations: Sequence[RolledOut]) -> Iterator[BrokenQuery]:
        """Yields the queries that only the new release sends and that migrations break."""
        for each in migrations:
            if each.replayed is not None and each.replayed.queries is not None:
                yield from each.replayed.queries.broken_new

    def _broken_for_new(self, numbers: Sequence[int]) -> Iterator[PhaseFailure]:
        """Yields the queries that only the new release sends and that work before a migration of a phase and fail after it."""
        for number in numbers:
            rolled_out = self._migrations[number]
            for broken in self._broken_by([rolled_out]):
                line = statement_lines(rolled_out.assessment.migration.up).get(broken.statement, 0) if broken.statement is not None else 0
                yield PhaseFailure(
                    rule=QUERY_FAILS,
                    message=f"the new release's query {broken.query} fails after it: {broken.failure}",
                    path=rolled_out.assessment.path,
                    line=line,
                    queries=(broken.query,),
                    sqlstate=broken.failure.sqlstate,
                )

    def _notes(self, phase: Phase, numbers: Sequence[int]) -> Iterator[str]:
        if self._is_unchanged:
            yield "nothing is new: no migration, and no query that the running release does not send"
        if phase is Phase.EXPAND:
            yield from self._early_notes()
        for number in numbers:
            own = self._own[number]
            if len(own) > 1 and phase is Phase.CONTRACT and Phase.EXPAND in own:
                yield (
                    f"{self._migrations[number].assessment.path} {_work(own)}: it runs as a whole in this phase. "
                    "Split it, so that the new release can use what it adds."
                )

    def _early_notes(self) -> Iterator[str]:
        """Yields why migrations with operations of later phases run before the deployment."""
        by_reason: dict[str, list[int]] = {}
        for number in self._order.early:
            by_reason.setdefault(self._why_early(number), []).append(number)
        for reason, numbers in by_reason.items():
            first, more = self._migrations[numbers[0]].assessment.path, len(numbers) - 1
            own = {phase for number in numbers for phase in self._own[number] if phase > Phase.BACKFILL}
            which = f"{first} and {more} more constrain or contract, and run" if more else f"{first} {_work(own)}, and runs"
            yield f"{which} before the deployment, because {reason}"
        for number in self._order.early:
            if self._states.running_at(number + 1) and not self._states.running_at(number):
                yield from (f"No order is safe for {text}." for text in self._migrations[number].assessment.no_safe_order)
                yield from self._left_out(number)

    def _left_out(self, number: int) -> Iterator[str]:
        """Yields the columns that a migration removes although the running release needs them, because the new release's writes leave them
        out."""
        after = self._states.new[number + 1] if number + 1 < len(self._states.new) else {}
        columns: dict[tuple[str, str], NamedQuery] = {}
        for name, failing in self._states.new[number].items():
            match = _LEFT_OUT.search(failing.failure.message) if name not in after else None
            if match is not None:
                columns.setdefault((match["table"], match["column"]), failing.query)
        for (table, column), query in columns.items():
            yield (
                f"No order is safe for the column {column} of {table}: the new release's query {query} leaves it out, and the running "
                f"release needs it. In this release, only `ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column)} DROP NOT NULL`, or a "
                "default; remove it in the next one."
            )

    def _why_early(self, number: int) -> str:
        needed = self._limits.needed
        if Phase.EXPAND in self._own[number] and number + 1 >= needed:
            return "it expands, too: split it into two migrations if the running release does not work after it."
        if number < needed:
            it = "it" if number == needed - 1 else self._migrations[needed - 1].assessment.path
            return f"{self._needing(needed)} {it}."
        last = self._migrations[self._order.before - 1].assessment.path
        return f"{last}, which expands, comes after it."

    def _needing(self, number: int) -> str:
        """Returns a query of the new release that works only after this number of migrations."""
        before, after = self._states.new[number - 1], self._states.new[number]
        names: list[NamedQuery] = [each.query for name, each in before.items() if name not in after]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"the new release's query {names[0]}{more} need{'' if more else 's'}"


_VERBS = {Phase.EXPAND: "expands", Phase.BACKFILL: "changes rows", Phase.VALIDATE: "constrains", Phase.CONTRACT: "contracts"}


def _work(own: Collection[Phase]) -> str:
    """Returns what a migration does: `expands and contracts`."""
    verbs = [_VERBS[phase] for phase in sorted(own)]
    return " and ".join((", ".join(verbs[:-1]), verbs[-1]) if len(verbs) > 1 else verbs)


def _with_slow(result: ReleaseResult, failures: Sequence[PhaseFailure], queries: Collection[str]) -> ReleaseResult:
    """Returns the result of a release with its slow queries, if it works."""
    slow = [query for failure in failures if failure.rule in (_LACKS_INDEX, _REGRESSED, INDEX_LATE) for query in failure.queries]
    own = {query.fingerprint: query for query in slow if query.fingerprint in queries}
    return replace(result, slow=tuple(own.values())) if own and result.answer is Answer.WORKS else result


def _key(finding: Finding) -> tuple[str, str]:
    return finding.script.path, finding.migration


def _failure_of(finding: Finding) -> PhaseFailure:
    return PhaseFailure(
        rule=finding.rule,
        message=finding.message,
        path=finding.script.path,
        line=finding.script.position(finding.span.start).line,
        queries=finding.queries,
        help=finding.help,
    )
