"""The result of a run of the rules."""

from collections import Counter

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.presentation import presented_findings
from migsafe.linting.rule import Rule


class Summary(Struct, kw_only=True):
    """Counts of what a run judged and found. `unparsed` counts the statements that migsafe cannot read."""

    files: int = 0
    statements: int = 0
    errors: int = 0
    warnings: int = 0
    infos: int = 0
    suppressed: int = 0
    unparsed: int = 0


class RuleError(MigsafeError):
    """A rule that raised an exception. `times` is how often; the place and the cause are those of the first time."""

    def __init__(self, rule: Rule, place: str, cause: Exception) -> None:
        self.rule = rule
        self.times = 1
        self._place = place
        self.__cause__ = cause
        super().__init__(f"the rule {rule.name} failed at {place}: {type(cause).__name__}: {cause}")

    def count_again(self) -> None:
        """Counts another exception of the same rule."""
        self.times += 1
        self.hint = f"It failed {self.times} times; the other rules were not affected."


class Verdict(Struct, kw_only=True):
    """The findings of the rules, in the order of reports (path, place, rule), and the problems that prevented judging.

    `unreduced` are all findings that are not suppressed, also those that reports leave out because another one speaks for them. `baselined`
    counts the suppressed findings that are in a baseline. `paths` are the judged files, `rules` the rules that judged them. `queries` is the
    number of the application's queries that were read, None if the configuration names none; `unread_queries` could not be read. `editable` if
    `lint --fix` may edit the judged migrations, because they are known to be new.
    """

    findings: list[Finding]
    summary: Summary
    problems: list[MigsafeError]
    pg_version: int
    unreduced: list[Finding] = []
    baselined: int = 0
    paths: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    queries: int | None = None
    unread_queries: int = 0
    editable: bool = False

    def worst(self) -> Severity | None:
        """Returns the severity of the worst finding; None without findings."""
        return max((finding.severity for finding in self.findings), default=None)


def with_findings(verdict: Verdict, unreduced: list[Finding]) -> Verdict:
    """Returns a verdict with these findings, reduced to those that a report shows, and with their numbers."""
    findings = presented_findings(unreduced, verdict.rules)
    number = Counter(finding.severity for finding in findings)
    summary = replace(verdict.summary, errors=number[Severity.ERROR], warnings=number[Severity.WARNING], infos=number[Severity.INFO])
    return replace(verdict, findings=findings, unreduced=unreduced, summary=summary)
