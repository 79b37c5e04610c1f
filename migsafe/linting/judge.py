"""Running rules over migrations."""

from collections.abc import Iterable, Iterator
from copy import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.linting.downgrades import FailingDowngrade, failing_downgrade
from migsafe.linting.equal_inserts import UnjudgedInserts
from migsafe.linting.finding import Finding
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.merged_statements import is_about_merged, merged_statements
from migsafe.linting.neighbours import affects_next, findings_together
from migsafe.linting.paths import PathFindings, merge_findings
from migsafe.linting.presentation import place_in_report
from migsafe.linting.resolution import resolve_findings, without_numbers
from migsafe.linting.rule import Context, EarlierMigration, Limits, MigrationEnd, RefusedOperation, Rule
from migsafe.linting.rulebook import Rulebook
from migsafe.linting.script_suppressions import ScriptSuppressions, with_comments
from migsafe.linting.suppressions import Suppression, covers, find_suppressions, mentions_migsafe, resolve
from migsafe.linting.verdict import RuleError, Summary, Verdict, with_findings
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.history import HistoryEnd, SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.session import SentStatement, sent_statements, statements_of_paths
from migsafe.sources import RUNNERS, Half, Lineage, Migration, Runner
from migsafe.sql.operations import Operation, Unparsed
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span

if TYPE_CHECKING:
    from migsafe.linting.queries.changes import QueryChanges
    from migsafe.linting.queries.project_queries import ProjectQueries


def judge(
    selected: Iterable[SelectedMigration | HistoryEnd | MigsafeError],
    rulebook: Rulebook,
    pg_version: int,
    runners: Iterable[Runner] = RUNNERS,
    limits: Limits | None = None,
    state: JudgingState | None = None,
    queries: "ProjectQueries | None" = None,
) -> Verdict:
    """Judges the upgrades of migrations.

    `runners` are the runners that the migrations may name. A migration that cannot be read (an error among `selected`) and a rule that raises
    become `problems` of the verdict; the other migrations and rules continue. `state` holds what the run found before the first of these
    migrations, and is updated with each. `queries` are the application's, which are judged at the end of each history.
    """
    run = _Run(rulebook, pg_version, runners, limits or Limits(), state or JudgingState(), queries)
    run.judge_all(selected)
    return run.verdict()


def judge_part(
    selected: Iterable[SelectedMigration | HistoryEnd | MigsafeError],
    rulebook: Rulebook,
    pg_version: int,
    runners: Iterable[Runner],
    limits: Limits,
    state: JudgingState,
    queries: "ProjectQueries | None" = None,
) -> None:
    """Judges some of the migrations of a run, as `judge` does, into `state`; another part of the run makes the verdict."""
    _Run(rulebook, pg_version, runners, limits, state, queries).judge_all(selected)
    state.catalog = None  # the next part has the same database


class _Run:
    """One run of the rules over migrations, which continues from a state."""

    def __init__(
        self,
        rulebook: Rulebook,
        pg_version: int,
        runners: Iterable[Runner],
        limits: Limits,
        state: JudgingState,
        queries: "ProjectQueries | None" = None,
    ) -> None:
        self.queries = queries
        self.rulebook = rulebook
        self.limits = limits
        self.pg_version = pg_version
        self.runners = {runner.name: runner for runner in runners}
        self.file_rules = rulebook
        self.state = state
        self.suppressed = 0
        self.problems: list[MigsafeError] = []

    def judge_all(self, selected: Iterable[SelectedMigration | HistoryEnd | MigsafeError]) -> None:
        """Judges migrations; those that could not be read become problems."""
        for migration in selected:
            if isinstance(migration, MigsafeError):
                self.problems.append(migration)
            elif isinstance(migration, HistoryEnd):
                self._end_history(migration)
            else:
                self.judge(migration)

    def judge(self, selected: SelectedMigration) -> None:
        if not selected.judged:
            self._run_neighbour(selected)
            return
        migration, predictor, lineage, transaction_continues, *_ = selected
        script = migration.up.file
        before, self.state.neighbour = self.state.neighbour, None
        try:
            script.text  # noqa: B018  # an unreadable file is a problem of its own
        except UnreadableError as error:
            self.problems.append(error)
            predictor.finish(transaction_continues=transaction_continues)
            return
        self.state.paths.add(script.path)
        self._continue_on(predictor.catalog)
        self.file_rules = self.rulebook.for_file(script.path)
        together = self._findings_after(before, selected) if before is not None and predictor.goes_on else []
        already = len(self.state.findings)
        program = migration.up.program
        if program is not None and program.paths:
            self._judge_paths(selected)
        if self.file_rules[FailingDowngrade] and migration.down is not None:
            self._judge_downgrade(migration, migration.down, predictor, lineage)
        self.state.merged_statements |= merged_statements(migration, lineage)
        at = self._context(migration, predictor, lineage)
        self._run_statements(at, self._counted(at), check=program is None or not program.paths)
        if before is not None:
            self.state.findings += [*findings_together(together, self.state.findings[already:], before)]
        self._finish(at, transaction_continues=transaction_continues, may_continue=selected.transaction_may_continue)

    def _end_history(self, end: HistoryEnd) -> None:
        """Judges the queries of the application on the database at the end of a history."""
        if self.queries is None:
            return
        from migsafe.linting.queries.history_end import queries_at_end, still_true  # noqa: PLC0415  # only with queries

        self.state.findings = still_true(self.state.findings, self.queries, end.predictor.catalog)
        if not end.is_whole or end.migration.runner not in self.runners:
            return
        at = self._context(end.migration, end.predictor, Lineage())
        before = (end.predictor.catalog, self.state.first_migration, tuple(self.state.findings))
        for script, query in queries_at_end(self.queries, *before):
            at.application_file = script
            self.file_rules = self.rulebook.for_file(script.path)
            self._check_all(Statement(1, query.span, (query,)), query, (), at)
            self._note_query_file(script, query.span, at)

    def _note_query_file(self, script: Script, place: Span, at: Context) -> None:
        """Notes that a query in a file was judged, and the file's suppressions. Compared with a revision, the file's other queries are not
        judged: their suppressions are not unused, and their entries in a baseline remain."""
        compared = self.queries is not None and self.queries.workload.compared
        if not compared:
            self.state.query_paths.add(script.path)
        if script.path.endswith((".sql", ".py")) and mentions_migsafe(script):
            suppressions = self.state.scripts.setdefault(script.path, ScriptSuppressions(script))
            if compared or not suppressions.judged_chunks:
                own = copy(at)
                own.application_file = script
                suppressions.judged_chunks.append((with_comments(script, place) if compared else Span(0, len(script.text)), own))

    def _run_neighbour(self, selected: SelectedMigration) -> None:
        """Runs a migration in whose transaction the next one may run, and that is not judged here."""
        self.state.earlier, self.state.neighbour = (), None
        at = self._context(selected.migration, selected.predictor, selected.lineage)
        self._run_statements(at, sent_statements(selected.migration.up), check=False)
        self._finish(at, transaction_continues=False, may_continue=True)
        if self.state.neighbour is not None:
            self.state.neighbour = replace(self.state.neighbour, judged=selected.judged_elsewhere)

    def _finish(self, at: Context, *, transaction_continues: bool, may_continue: bool) -> None:
        """Ends a migration, unless the next one runs, or may run, in its transaction."""
        predictor = at.predictor
        done = EarlierMigration(at.migration, tuple(at.past), predictor.session.transaction, dict(predictor.session.locks))
        self.state.earlier = (*self.state.earlier, done) if transaction_continues else ()
        self.state.neighbour = done if may_continue and affects_next(done, predictor.catalog) else None
        predictor.finish(transaction_continues=transaction_continues or self.state.neighbour is not None)

    def _continue_on(self, catalog: Catalog) -> None:
        """Notes the database of the next migration. If it is another one, the findings about the last one are resolved or not."""
        if self.state.catalog is not None and self.state.catalog is not catalog:
            self.state.findings = resolve_findings(self.state.findings, self.state.catalog)
            self.state.first_migration = None
        self.state.catalog = catalog

    def _findings_after(self, before: EarlierMigration, selected: SelectedMigration) -> list[Finding]:
        """Returns the findings of a migration that runs in the open transaction of the one before it, and ends that transaction."""
        migration, predictor, lineage, *_ = selected
        rules, findings, earlier = self.file_rules, self.state.findings, self.state.earlier
        self.file_rules, self.state.findings, self.state.earlier = rules.across_migrations, [], (before,)
        if migration.up.program is not None and migration.up.program.paths:
            self._judge_paths(selected)
        else:
            with predictor.trial():
                self._run_statements(self._context(migration, predictor, lineage), sent_statements(migration.up), check=True)
        together = self.state.findings
        self.file_rules, self.state.findings, self.state.earlier = rules, findings, earlier
        predictor.finish()
        return together

    def _judge_paths(self, selected: SelectedMigration) -> None:
        """Judges each path of a program by itself, on the database before the migration, and leaves that as it was."""
        migration, predictor, lineage, *_ = selected
        before, results = self.state.findings, []
        last_number = max((sent.statement.index for sent in sent_statements(migration.up)), default=1)
        for path, on_path, statements in statements_of_paths(migration.up):
            self.state.findings = []
            with predictor.trial():
                predictor.begin_path()
                at = self._context(replace(migration, up=on_path), predictor, lineage)
                self._run_statements(at, statements, check=True, last_number=last_number)
            results.append(PathFindings(path, without_numbers(self.state.findings)))
        once = {rule.name for rule in self.rulebook.rules if rule.once}
        self.state.findings = [*before, *merge_findings(results, once)]

    def _judge_downgrade(self, migration: Migration, down: Half, predictor: Predictor, lineage: Lineage) -> None:
        """Reports how the downgrade of a migration fails, at its place in the downgrade. The database stays as it is."""
        failure = failing_downgrade(migration, predictor)
        at = self._context(replace(migration, up=down), predictor, lineage)
        self._script_suppressions(at, downgrade=True)
        if failure is not None:
            self._check_all(failure.statement, failure, (), at)

    def _context(self, migration: Migration, predictor: Predictor, lineage: Lineage) -> Context:
        return Context(migration, predictor, self.runners[migration.runner], self.limits, lineage, self.state.earlier, self.queries)

    def _counted(self, at: Context) -> Iterator[SentStatement]:
        """Yields the statements of a migration, counts them, and notes their places for the suppressions of its script."""
        half = at.migration.up
        suppressions = self._script_suppressions(at)
        for sent in sent_statements(half):
            self.state.statements += 1
            if suppressions is not None:
                suppressions.statement_places[at.migration.id, sent.statement.index] = _places(half, sent.statement)
            if isinstance(sent.statement.operations[0], Unparsed):
                self.state.unparsed += 1
            yield sent

    def _run_statements(self, at: Context, statements: Iterable[SentStatement], *, check: bool, last_number: int | None = None) -> None:
        """Runs the statements of a migration, and the rules over them if they are to be checked. Findings about the whole migration belong to
        its last statement; on a path, `last_number` is the number of that."""
        predictor, half = at.predictor, at.migration.up
        predictor.begin_half(half)
        if check and self.state.first_migration is None:
            self.state.first_migration = predictor.catalog.migration
        changes = self._query_changes() if check else None
        start = Span(0, 0)
        statement = Statement(1, start, (MigrationEnd(start),))
        inserts = UnjudgedInserts(at, self.state.findings)
        for sent in statements:
            if not inserts.includes(sent):
                continue
            statement, first, last = sent
            for operation, effects in predictor.predict_operations(statement, first=first, last=last):
                if check:
                    if changes is not None:
                        changes.note_before(operation, at)
                    self._check_all(statement, operation, effects, at)
                at.leave(statement, operation, effects)
            if check and predictor.refused is not None:
                refused, refusal = predictor.refused
                self._check_all(statement, RefusedOperation(refused.span, refusal), (), at)
            inserts.note_judged()
        inserts.close()
        if check:
            if changes is not None:
                at.query_changes = changes.at_end(at)
            end = statement if last_number is None else replace(statement, index=last_number)
            self._check_all(end, MigrationEnd(statement.span), (), at)

    def _query_changes(self) -> "QueryChanges | None":
        if self.queries is None:
            return None
        from migsafe.linting.queries.changes import QueryChanges  # noqa: PLC0415  # only with queries

        return QueryChanges(self.queries)

    def _check_all(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...], at: Context) -> None:
        at.enter(statement, operation, effects)
        findings = self.state.findings
        for rule in self.file_rules[type(operation)]:
            at.ask(rule)
            try:
                result = rule.check(operation, at)
                if result is not None:
                    for finding in (result,) if isinstance(result, Finding) else result:
                        if not isinstance(finding, Finding):
                            raise TypeError(f"it reports {finding!r}, which is not a finding")
                        findings.append(finding)
            except Exception as cause:  # a rule may be a project's own, and must not prevent the others' findings
                self._record_failure(rule, operation, at, cause)

    def _record_failure(self, rule: Rule, operation: Operation, at: Context, cause: Exception) -> None:
        if rule.name in self.state.failures:
            self.state.failures[rule.name].count_again()
        else:
            script = at.migration.up.file
            place = script.position(at.migration.up.file_span(operation.span).start)
            self.state.failures[rule.name] = RuleError(rule, f"{script.path}:{place.line}:{place.column}", cause)

    def _script_suppressions(self, at: Context, *, downgrade: bool = False) -> "ScriptSuppressions | None":
        """Returns the suppressions of the current script; None if it does not mention migsafe."""
        half = at.migration.up
        if not mentions_migsafe(half.file):
            return None
        suppressions = self.state.scripts.setdefault(half.file.path, ScriptSuppressions(half.file))
        suppressions.halves.append(half)
        if half.program is None:
            suppressions.judged_chunks += [(chunk, at) for chunk in half.chunks]
        elif not downgrade:  # both halves are in one script, and the upgrade is always judged
            suppressions.judged_chunks.append((Span(0, len(half.file.text)), at))
        if downgrade:
            suppressions.downgrades.append(at)
        return suppressions

    def _suppress(self) -> None:
        """Removes the suppressed findings, and runs the rules about suppressions."""
        by_path: dict[str, list[Finding]] = {}
        for finding in self.state.findings:
            by_path.setdefault(finding.script.path, []).append(finding)
        self.state.findings = []
        for path, suppressions in self.state.scripts.items():
            rules = self.file_rules = self.rulebook.for_file(path)
            in_script = find_suppressions(suppressions.script, [chunk for chunk, _ in suppressions.judged_chunks], suppressions.halves)
            remaining, used = self._split(by_path.pop(path, []), in_script, suppressions)
            for suppression, names in zip(in_script, used, strict=True):
                at = suppressions.context(suppression)
                ran = frozenset(rule.name for rule in rules[FailingDowngrade]) if at in suppressions.downgrades else rules.names
                ran = frozenset() if suppressions.is_opaque else ran - self.state.failures.keys()
                resolved = resolve(suppression, rules.known, ran, names)
                self._check_all(Statement(suppressions.nearest_statement(suppression, at), suppression.span, (resolved,)), resolved, (), at)
            about, _ = self._split(self.state.findings, in_script, suppressions)
            by_path[path] = remaining + about
            self.state.findings = []
        self.state.findings = [finding for findings in by_path.values() for finding in findings]

    def _split(
        self, findings: list[Finding], in_script: list[Suppression], suppressions: "ScriptSuppressions"
    ) -> tuple[list[Finding], list[set[str]]]:
        """Returns the findings of a script that are not suppressed, and for each suppression the rules whose findings it covers."""
        used: list[set[str]] = [set() for _ in in_script]
        remaining = []
        for finding in findings:
            places = suppressions.statement_places.get((finding.migration, finding.statement), ())
            covering = [names for suppression, names in zip(in_script, used, strict=True) if covers(suppression, finding, places)]
            for names in covering:
                names.add(finding.rule)
            if covering:
                self.suppressed += 1
            else:
                remaining.append(finding)
        return remaining, used

    def verdict(self) -> Verdict:
        if self.state.catalog is not None:
            self.state.findings = resolve_findings(self.state.findings, self.state.catalog)
        self._suppress()
        merged, about_file = self.state.merged_statements, {rule.name for rule in self.rulebook.rules if rule.about_file}
        remaining = [each for each in self.state.findings if not each.resolved and not is_about_merged(each, merged, about_file)]
        unreduced = sorted(_without_repetitions(remaining), key=place_in_report)
        summary = Summary(
            files=len(self.state.paths), statements=self.state.statements, suppressed=self.suppressed, unparsed=self.state.unparsed
        )
        verdict = Verdict(
            findings=[],
            summary=summary,
            unreduced=unreduced,
            problems=[*self.problems, *self.state.failures.values()],
            pg_version=self.pg_version,
            paths=tuple(sorted(self.state.paths | self.state.query_paths)),
            rules=self.rulebook.rules,
        )
        return with_findings(verdict, unreduced)


def _places(half: Half, statement: Statement) -> tuple[Span, ...]:
    """Returns the place of a statement in the file, and that of the call that sends it, if a program does."""
    span = half.file_span(statement.span)
    return (span,) if half.program is None else (span, half.call_span(statement.span))


def _without_repetitions(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings without those that a script has again on another of its databases."""
    different: dict[object, Finding] = {}
    for finding in findings:
        place = (finding.rule, finding.script.path, finding.span, finding.migration, finding.statement)
        different.setdefault((*place, finding.message, finding.help, finding.relations), finding)
    return list(different.values())
