"""Running rules over migrations."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Context, EarlierMigration, Limits, MigrationEnd, Rule
from migsafe.linting.rulebook import Rulebook
from migsafe.linting.suppressions import Suppression, covers, find_suppressions, mentions_migsafe, resolve
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.history import SelectedMigration
from migsafe.session import sent
from migsafe.sources import RUNNERS, Runner
from migsafe.sql.operations import Operation, Unparsed
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span


class Summary(Struct, kw_only=True):
    """What a run came to, in numbers. `unparsed` counts the statements that migsafe cannot read."""

    files: int = 0
    statements: int = 0
    errors: int = 0
    warnings: int = 0
    infos: int = 0
    suppressed: int = 0
    unparsed: int = 0


class RuleError(MigsafeError):
    """A rule that raised. `times` says how often; the place and the cause are those of the first time."""

    def __init__(self, rule: Rule, place: str, cause: Exception) -> None:
        self.rule = rule
        self.times = 1
        self._place = place
        self.__cause__ = cause
        super().__init__(f"the rule {rule.name} failed at {place}: {type(cause).__name__}: {cause}")

    def count_again(self) -> None:
        """Count one more time."""
        self.times += 1
        self.hint = f"It failed {self.times} times; the other rules went on."


class Verdict(Struct, kw_only=True):
    """What the rules found, in the order of reports: path, place, rule; and what could not be judged.

    `baselined` of the suppressed findings stand in a baseline. `paths` are the files that were judged, `rules` those that judged them.
    """

    findings: list[Finding]
    summary: Summary
    problems: list[MigsafeError]
    pg_version: int
    baselined: int = 0
    paths: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    def worst(self) -> Severity | None:
        """The severity of the worst finding."""
        return max((finding.severity for finding in self.findings), default=None)


def judge(
    selected: Iterable[SelectedMigration | MigsafeError],
    rulebook: Rulebook,
    pg_version: int,
    runners: Iterable[Runner] = RUNNERS,
    limits: Limits | None = None,
    state: "JudgingState | None" = None,
) -> Verdict:
    """Judge what migrations do on their way up.

    `runners` are the ones that the migrations may name. A migration that cannot be read (an error among the `stops`) and a rule that
    raises become `problems` of the verdict; the others go on. `state` is what was found in those before the first stop, and takes in
    what is found at each.
    """
    judging = _Judging(rulebook, pg_version, runners, limits or Limits(), state or JudgingState())
    for stop in selected:
        if isinstance(stop, MigsafeError):
            judging.problems.append(stop)
        else:
            judging.judge(stop)
    return judging.verdict()


class _ScriptSuppressions:
    """What suppressions of one script need: its judged pieces, each with the context of its migration, and where its statements stand."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.judged_chunks: list[tuple[Span, Context]] = []
        self.statement_spans: dict[tuple[str, int], Span] = {}

    def context(self, suppression: Suppression) -> Context:
        """The context of the migration in which a suppression stands, or of the first one."""
        start = suppression.span.start
        return next((at for chunk, at in self.judged_chunks if chunk.start <= start < chunk.end), self.judged_chunks[0][1])

    def nearest_statement(self, suppression: Suppression, at: Context) -> int:
        """The number of the statement in which, or before which, a suppression stands; the last one's behind all of them."""
        numbers = [(span.end, number) for (migration, number), span in self.statement_spans.items() if migration == at.migration.id]
        behind = [number for end, number in numbers if end > suppression.span.start]
        return behind[0] if behind else max((number for _, number in numbers), default=1)


class JudgingState:
    """What a run has found so far, and what it has to remember of the migrations that it has judged."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.remarks: dict[str, _ScriptSuppressions] = {}
        self.paths: set[str] = set()
        self.earlier: tuple[EarlierMigration, ...] = ()
        self.statements = 0
        self.unparsed = 0

    def copy_from(self, other: "JudgingState") -> None:
        """Be as far as another."""
        self.__dict__.update(vars(other))


class _Judging:
    """One run, which goes on from where it has come to."""

    def __init__(
        self,
        rulebook: Rulebook,
        pg_version: int,
        runners: Iterable[Runner],
        limits: Limits,
        so_far: JudgingState,
    ) -> None:
        self.rulebook = rulebook
        self.limits = limits
        self.pg_version = pg_version
        self.outside = {runner.name: runner.outside_transaction_advice for runner in runners}
        self.book = rulebook
        self.so_far = so_far
        self.suppressed = 0
        self.problems: list[MigsafeError] = []
        self.failures: dict[str, RuleError] = {}

    def judge(self, stop: SelectedMigration) -> None:
        migration, forecast, standing, goes_on = stop
        script = migration.up.file
        try:
            script.text  # noqa: B018  # what cannot be read is said here, and costs no more than itself
        except UnreadableError as error:
            self.problems.append(error)
            forecast.finish(transaction_continues=goes_on)
            return
        self.so_far.paths.add(script.path)
        at = Context(migration, forecast, self.outside[migration.runner], self.limits, standing, self.so_far.earlier)
        self.book = self.rulebook.for_file(script.path)
        remarks = self._remarks(at)
        forecast.begin(migration.up.transaction, one_query=migration.up.one_query)
        nowhere = Span(0, 0)
        statement = Statement(1, nowhere, (MigrationEnd(nowhere),))
        for statement, first, last in sent(migration.up):
            self.so_far.statements += 1
            if remarks is not None:
                remarks.statement_spans[migration.id, statement.index] = migration.up.file_span(statement.span)
            for operation, effects in forecast.predict_operations(statement, first=first, last=last):
                self._ask_all(statement, operation, effects, at)
                at.leave(statement, operation, effects)
            if isinstance(statement.operations[0], Unparsed):
                self.so_far.unparsed += 1
        self._ask_all(statement, MigrationEnd(statement.span), (), at)
        ran = EarlierMigration(migration, tuple(at.past), forecast.session.transaction, dict(forecast.session.locks))
        self.so_far.earlier = (*self.so_far.earlier, ran) if goes_on else ()
        forecast.finish(transaction_continues=goes_on)

    def _ask_all(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...], at: Context) -> None:
        for rule in self.book[type(operation)]:
            at.enter(statement, effects, rule)
            self._ask(rule, operation, at)

    def _ask(self, rule: Rule, operation: Operation, at: Context) -> None:
        try:
            answer = rule.check(operation, at)
            if answer is not None:
                self.so_far.findings.extend((answer,) if isinstance(answer, Finding) else _findings(answer))
        except Exception as cause:  # a rule may be anybody's, and must not take the others' findings with it
            if rule.name in self.failures:
                self.failures[rule.name].count_again()
            else:
                script = at.migration.up.file
                place = script.position(at.migration.up.file_span(operation.span).start)
                self.failures[rule.name] = RuleError(rule, f"{script.path}:{place.line}:{place.column}", cause)

    def _remarks(self, at: Context) -> "_ScriptSuppressions | None":
        """What is known of the suppressions of the script at hand; None where it has none."""
        half = at.migration.up
        if not mentions_migsafe(half.file):
            return None
        remarks = self.so_far.remarks.setdefault(half.file.path, _ScriptSuppressions(half.file))
        remarks.judged_chunks += [(chunk, at) for chunk in (half.chunks if half.program is None else (Span(0, len(half.file.text)),))]
        return remarks

    def _suppress(self) -> None:
        """Take out the findings that are suppressed, and ask the rules that look at suppressions."""
        by_path: dict[str, list[Finding]] = {}
        for finding in self.so_far.findings:
            by_path.setdefault(finding.script.path, []).append(finding)
        self.so_far.findings = []
        for path, remarks in self.so_far.remarks.items():
            book = self.book = self.rulebook.for_file(path)
            found = find_suppressions(remarks.script, [chunk for chunk, _ in remarks.judged_chunks])
            left, used = self._taken_out(by_path.pop(path, []), found, remarks)
            for suppression, names in zip(found, used, strict=True):
                at = remarks.context(suppression)
                judged = resolve(suppression, book.known, book.names - self.failures.keys(), names)
                self._ask_all(Statement(remarks.nearest_statement(suppression, at), suppression.span, (judged,)), judged, (), at)
            about, _ = self._taken_out(self.so_far.findings, found, remarks)
            by_path[path] = left + about
            self.so_far.findings = []
        self.so_far.findings = [finding for findings in by_path.values() for finding in findings]

    def _taken_out(
        self, findings: list[Finding], found: list[Suppression], remarks: "_ScriptSuppressions"
    ) -> tuple[list[Finding], list[set[str]]]:
        """The findings of a script that are not suppressed, and for each suppression the rules whose findings it covers."""
        used: list[set[str]] = [set() for _ in found]
        left = []
        for finding in findings:
            place = remarks.statement_spans.get((finding.migration, finding.statement))
            holding = [names for suppression, names in zip(found, used, strict=True) if covers(suppression, finding, place)]
            for names in holding:
                names.add(finding.rule)
            if holding:
                self.suppressed += 1
            else:
                left.append(finding)
        return left, used

    def verdict(self) -> Verdict:
        self._suppress()
        self.so_far.findings.sort(key=lambda finding: (finding.script.path, finding.span, finding.rule))
        number = Counter(finding.severity for finding in self.so_far.findings)
        summary = Summary(
            files=len(self.so_far.paths),
            statements=self.so_far.statements,
            errors=number[Severity.ERROR],
            warnings=number[Severity.WARNING],
            infos=number[Severity.INFO],
            suppressed=self.suppressed,
            unparsed=self.so_far.unparsed,
        )
        return Verdict(
            findings=self.so_far.findings,
            summary=summary,
            problems=[*self.problems, *self.failures.values()],
            pg_version=self.pg_version,
            paths=tuple(sorted(self.so_far.paths)),
            rules=self.rulebook.rules,
        )


def _findings(answer: Iterable[object]) -> Iterator[Finding]:
    for one in answer:
        if not isinstance(one, Finding):
            raise TypeError(f"it reports {one!r}, which is no finding")
        yield one
