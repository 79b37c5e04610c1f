"""What a report shows of the findings that are neither suppressed nor in a baseline."""

from collections.abc import Hashable, Iterable, Mapping

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Rule
from migsafe.text import Span


def presented_findings(findings: Iterable[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """Returns the findings to show, in the order of reports (path, place, rule). `rules` are the rules of the run."""
    speaks_for = {rule.name: rule.speaks_for for rule in rules if rule.speaks_for}
    shown = _without_spoken_for(list(findings), speaks_for)
    return sorted(shown, key=place_in_report)


def place_in_report(finding: Finding) -> tuple[str, Span, str]:
    """Returns the key by which reports sort findings: path, place, rule."""
    return finding.script.path, finding.span, finding.rule


def _without_spoken_for(findings: list[Finding], speaks_for: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    """Returns the findings without those for which another finding about the same operation speaks."""
    spoken_for: set[Hashable] = set()
    for finding in findings:
        spoken_for.update((rule, *_operation(finding)) for rule in speaks_for.get(finding.rule, ()))
    return [finding for finding in findings if (finding.rule, *_operation(finding)) not in spoken_for]


def _operation(finding: Finding) -> tuple[Hashable, ...]:
    return finding.script.path, finding.migration, finding.statement, finding.span
