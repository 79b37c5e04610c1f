"""The number of findings of each rule, for a first look at a long history: `migsafe lint --statistics`."""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from migsafe import __version__
from migsafe.errors import ConfigError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.text import COLOURS, closing
from migsafe.terminal.colours import BOLD
from migsafe.terminal.display import Display

VERSION = 1
FORMATS = ("text", "json")
"""The formats of the statistics."""


class RuleCount(Struct, frozen=True, kw_only=True):
    """How many findings a rule has with a severity, in how many files, and how many of them have a fix."""

    rule: str
    category: str
    severity: Severity
    count: int
    files: int
    safe_fixes: int
    unsafe_fixes: int


def statistics_reporter(format: str) -> Callable[[Verdict, Display], str]:
    """Returns the function that writes the statistics in a format. Raises ConfigError for a format that they do not have."""
    if format not in FORMATS:
        raise ConfigError(f"--statistics cannot be written as {format}", f"Use --format {' or --format '.join(FORMATS)}.")
    return _text if format == "text" else _json


def rule_counts(verdict: Verdict) -> list[RuleCount]:
    """Returns the counts of the rules, the most frequent rule first, of equally frequent ones the most severe."""
    groups: dict[tuple[str, str, Severity], list[Finding]] = {}
    for finding in verdict.findings:
        groups.setdefault((finding.rule, finding.category, finding.severity), []).append(finding)
    counts = [
        RuleCount(
            rule=rule,
            category=category,
            severity=severity,
            count=len(group),
            files=_files(group),
            safe_fixes=sum(finding.is_fixable and finding.fix_is_safe for finding in group),
            unsafe_fixes=sum(finding.is_fixable and not finding.fix_is_safe for finding in group),
        )
        for (rule, category, severity), group in groups.items()
    ]
    return sorted(counts, key=lambda each: (-each.count, -each.severity, each.rule))


def _text(verdict: Verdict, display: Display) -> str:
    """Returns a line for each rule, one for all of them, and the counts that end every report."""
    counts = rule_counts(verdict)
    if not counts:
        return closing(verdict, display) + "\n"
    digits = len(str(len(verdict.findings)))
    width = max(len(each.rule) for each in counts)
    files = [_counted(each.files, "file") for each in counts]
    total = _counted(_files(verdict.findings), "file")
    widest = max(map(len, (*files, total)))
    lines = [
        f"{each.count:{digits}}  {display.paint(f'{each.severity.word:7}', COLOURS[each.severity])}  "
        f"{display.paint(f'{each.rule:{width}}', BOLD)}  {in_files:{widest}}  {_fixes(each)}".rstrip()
        for each, in_files in zip(counts, files, strict=True)
    ]
    return "\n".join((*lines, f"{len(verdict.findings):{digits}}  {'in all':{9 + width}}  {total}", "", closing(verdict, display))) + "\n"


def _fixes(each: RuleCount) -> str:
    """Returns how many of the findings `lint --fix` can resolve, and how many with `--unsafe-fixes`."""
    return ", ".join(
        f"{number} {kind} fix{'' if number == 1 else 'es'}"
        for number, kind in ((each.safe_fixes, "safe"), (each.unsafe_fixes, "unsafe"))
        if number
    )


def _json(verdict: Verdict, display: Display) -> str:
    """Returns the counts as one object."""
    document = {
        "version": VERSION,
        "tool": {"name": "migsafe", "version": __version__},
        "pg_version": verdict.pg_version,
        "summary": verdict.summary,
        "total": {"count": len(verdict.findings), "files": _files(verdict.findings)},
        "statistics": [
            {
                "rule": each.rule,
                "category": each.category,
                "severity": each.severity.word,
                "count": each.count,
                "files": each.files,
                "safe_fixes": each.safe_fixes,
                "unsafe_fixes": each.unsafe_fixes,
            }
            for each in rule_counts(verdict)
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _files(findings: Iterable[Finding]) -> int:
    return len({finding.script.path for finding in findings})


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
