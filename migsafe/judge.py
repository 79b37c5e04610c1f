"""Running rules over migrations."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from migsafe.effects.effect import Effect
from migsafe.errors import MigsafeError, UnreadableError
from migsafe.finding import Finding, Severity
from migsafe.histories import Stop
from migsafe.rule import Context, Limits, MigrationEnd, Rule
from migsafe.rulebook import Rulebook
from migsafe.session import sent
from migsafe.sources import RUNNERS, Runner
from migsafe.sql.operations import Operation, Unparsed
from migsafe.sql.statements import Statement


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

    def again(self) -> None:
        """Count one more time."""
        self.times += 1
        self.hint = f"It failed {self.times} times; the other rules went on."


class Verdict(Struct, kw_only=True):
    """What the rules found, in the order of reports: path, place, rule; and what could not be judged."""

    findings: list[Finding]
    summary: Summary
    problems: list[MigsafeError]
    pg_version: int

    def worst(self) -> Severity | None:
        """The severity of the worst finding."""
        return max((finding.severity for finding in self.findings), default=None)


def judge(
    stops: Iterable[Stop],
    rulebook: Rulebook,
    pg_version: int,
    runners: Iterable[Runner] = RUNNERS,
    problems: list[MigsafeError] | None = None,
    limits: Limits | None = None,
) -> Verdict:
    """Judge what migrations do on their way up.

    `runners` are the ones that the migrations may name. A migration that cannot be read, or a rule that raises, joins the `problems` that
    finding the migrations may have met already; the others go on.
    """
    judging = _Judging(rulebook, pg_version, runners, problems if problems is not None else [], limits or Limits())
    for stop in stops:
        judging.judge(stop)
    return judging.verdict()


class _Judging:
    """What one run has found so far."""

    def __init__(self, rulebook: Rulebook, pg_version: int, runners: Iterable[Runner], problems: list[MigsafeError], limits: Limits) -> None:
        self.rulebook = rulebook
        self.limits = limits
        self.pg_version = pg_version
        self.outside = {runner.name: runner.outside for runner in runners}
        self.findings: list[Finding] = []
        self.problems = problems
        self.failures: dict[str, RuleError] = {}
        self.paths: set[str] = set()
        self.statements = 0
        self.unparsed = 0

    def judge(self, stop: Stop) -> None:
        migration, forecast = stop
        script = migration.up.script
        try:
            script.text  # noqa: B018  # what cannot be read is said here, and costs no more than itself
        except UnreadableError as error:
            self.problems.append(error)
            return
        self.paths.add(script.path)
        at = Context(migration, forecast, self.outside[migration.runner], self.limits)
        forecast.begin(migration.up.transaction)
        statement: Statement | None = None
        for statement, first, last in sent(migration.up):
            self.statements += 1
            for operation, effects in forecast.through(statement, first=first, last=last):
                self._ask_all(statement, operation, effects, at)
                at.leave(statement, operation, effects)
            if isinstance(statement.operations[0], Unparsed):
                self.unparsed += 1
        if statement is not None:
            self._ask_all(statement, MigrationEnd(statement.span), (), at)
        forecast.finish()

    def _ask_all(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...], at: Context) -> None:
        for rule in self.rulebook[type(operation)]:
            at.enter(statement, effects, rule)
            self._ask(rule, operation, at)

    def _ask(self, rule: Rule, operation: Operation, at: Context) -> None:
        try:
            answer = rule.check(operation, at)
            if answer is not None:
                self.findings.extend((answer,) if isinstance(answer, Finding) else answer)
        except Exception as cause:  # a rule may be anybody's, and must not take the others' findings with it
            if rule.name in self.failures:
                self.failures[rule.name].again()
            else:
                script = at.migration.up.script
                place = script.position(operation.span.start)
                self.failures[rule.name] = RuleError(rule, f"{script.path}:{place.line}:{place.column}", cause)

    def verdict(self) -> Verdict:
        self.findings.sort(key=lambda finding: (finding.script.path, finding.span, finding.rule))
        number = Counter(finding.severity for finding in self.findings)
        summary = Summary(
            files=len(self.paths),
            statements=self.statements,
            errors=number[Severity.ERROR],
            warnings=number[Severity.WARNING],
            infos=number[Severity.INFO],
            unparsed=self.unparsed,
        )
        return Verdict(findings=self.findings, summary=summary, problems=[*self.problems, *self.failures.values()], pg_version=self.pg_version)
