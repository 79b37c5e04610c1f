"""What a report shows of the findings that are neither suppressed nor in a baseline."""

from collections.abc import Collection, Hashable, Iterable, Mapping

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.linting.folding import fold_equal
from migsafe.linting.repetitions import merge_repeated
from migsafe.linting.rule import Rule
from migsafe.text import Span

_LISTED = ("design", "indexes", "idempotency")
"""The categories of what is missing in a schema, which a dump may have hundreds of times, and of what a long script lacks in each statement."""


def presented_findings(findings: Iterable[Finding], rules: Collection[Rule]) -> list[Finding]:
    """Returns the findings to show, in the order of reports (path, place, rule). `rules` are the rules of the run."""
    by_name = {rule.name: rule for rule in rules}
    speaks_for = {name: rule.speaks_for for name, rule in by_name.items() if rule.speaks_for}
    refusing = {name: rule.speaks_for for name, rule in by_name.items() if rule.refuses}
    with_help = {rule.name for rule in rules if rule.takes_help}
    about_file = {rule.name for rule in rules if rule.about_file}
    hazards = _without_hazards_of_refused(list(findings), refusing, about_file)
    left = _without_spoken_for(hazards, speaks_for, with_help)
    shown = merge_repeated(
        sorted(left, key=place_in_report),
        {rule.name for rule in rules if rule.one_per_migration},
        {rule.name for rule in rules if rule.category in _LISTED},
    )
    return fold_equal(sorted(shown, key=place_in_report))


def place_in_report(finding: Finding) -> tuple[str, Span, str]:
    """Returns the key by which reports sort findings: path, place, rule."""
    return finding.script.path, finding.span, finding.rule


def _without_hazards_of_refused(findings: list[Finding], refusing: Mapping[str, tuple[str, ...]], about_file: set[str]) -> list[Finding]:
    """Returns the findings without the hazards of statements that PostgreSQL does not run, as the `refusing` rules say; the values are the
    refusing rules for which each of these speaks. A refused statement has one error, wherever in it; the rules `about_file` report what is
    not one of its hazards, such as a downgrade that is absent."""
    refused = {_statement(finding) for finding in findings if finding.rule in refusing}
    spoken_for = {(rule, *_statement(finding)) for finding in findings for rule in refusing.get(finding.rule, ())}
    return [
        finding
        for finding in findings
        if (finding.rule in refusing or finding.rule in about_file or _statement(finding) not in refused)
        and (finding.rule, *_statement(finding)) not in spoken_for
    ]


def _without_spoken_for(findings: list[Finding], speaks_for: Mapping[str, tuple[str, ...]], with_help: Collection[str]) -> list[Finding]:
    """Returns the findings without those for which another finding speaks, about the same operation or with a safe way that replaces its
    statement; one of a rule in `with_help` shows the safe way of the finding that is left out."""
    spoken_for: set[Hashable] = set()
    replaced: set[Hashable] = set()
    for finding in findings:
        for rule in speaks_for.get(finding.rule, ()):
            spoken_for.add((rule, *_operation(finding)))
            replaced.update((rule, finding.script.path, finding.migration, place) for place in finding.replaces)
    left_out = {_operation(finding): finding for finding in findings if finding.help and (finding.rule, *_operation(finding)) in spoken_for}
    return [
        _with_help_of(left_out[_operation(finding)], finding)
        if finding.rule in with_help and left_out.get(_operation(finding)) not in (None, finding)
        else finding
        for finding in findings
        if (finding.rule, *_operation(finding)) not in spoken_for
        and (finding.rule, finding.script.path, finding.migration, finding.span) not in replaced
    ]


def _with_help_of(other: Finding, finding: Finding) -> Finding:
    return replace(finding, help=other.help, fix=other.fix, fix_is_safe=other.fix_is_safe)


def _statement(finding: Finding) -> tuple[Hashable, ...]:
    return finding.script.path, finding.migration, finding.statement


def _operation(finding: Finding) -> tuple[Hashable, ...]:
    return (*_statement(finding), finding.span)
