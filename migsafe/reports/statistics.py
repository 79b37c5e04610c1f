"""The number of findings of each rule, for a first look at a long history: `migsafe lint --statistics`."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from migsafe import __version__
from migsafe.errors import ConfigError
from migsafe.linting.finding import Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.text import COLOURS, closing
from migsafe.terminal.colours import BOLD
from migsafe.terminal.display import Display

VERSION = 1
FORMATS = ("text", "json")
"""The formats of the statistics."""


class RuleCount(Struct, frozen=True, kw_only=True):
    """How many findings a rule has with a severity, and in how many files."""

    rule: str
    category: str
    severity: Severity
    count: int
    files: int


def statistics_reporter(format: str) -> Callable[[Verdict, Display], str]:
    """Returns the function that writes the statistics in a format. Raises ConfigError for a format that they do not have."""
    if format not in FORMATS:
        raise ConfigError(f"--statistics cannot be written as {format}", f"Use --format {' or --format '.join(FORMATS)}.")
    return _text if format == "text" else _json


def rule_counts(verdict: Verdict) -> list[RuleCount]:
    """Returns the counts of the rules, the most frequent rule first, of equally frequent ones the most severe."""
    paths: dict[tuple[str, str, Severity], list[str]] = {}
    for finding in verdict.findings:
        paths.setdefault((finding.rule, finding.category, finding.severity), []).append(finding.script.path)
    counts = [
        RuleCount(rule=rule, category=category, severity=severity, count=len(found), files=len(set(found)))
        for (rule, category, severity), found in paths.items()
    ]
    return sorted(counts, key=lambda each: (-each.count, -each.severity, each.rule))


def _text(verdict: Verdict, display: Display) -> str:
    """Returns a line for each rule, one for all of them, and the counts that end every report."""
    counts = rule_counts(verdict)
    if not counts:
        return closing(verdict, display) + "\n"
    digits = len(str(len(verdict.findings)))
    width = max(len(each.rule) for each in counts)
    lines = [
        f"{each.count:{digits}}  {display.paint(f'{each.severity.word:7}', COLOURS[each.severity])}  "
        f"{display.paint(f'{each.rule:{width}}', BOLD)}  {_files(each.files)}"
        for each in counts
    ]
    total = f"{len(verdict.findings):{digits}}  {'in all':{9 + width}}  {_files(_files_with_findings(verdict))}"
    return "\n".join((*lines, total, "", closing(verdict, display))) + "\n"


def _json(verdict: Verdict, display: Display) -> str:
    """Returns the counts as one object."""
    document = {
        "version": VERSION,
        "tool": {"name": "migsafe", "version": __version__},
        "pg_version": verdict.pg_version,
        "summary": verdict.summary,
        "total": {"count": len(verdict.findings), "files": _files_with_findings(verdict)},
        "statistics": [
            {
                "rule": each.rule,
                "category": each.category,
                "severity": each.severity.word,
                "count": each.count,
                "files": each.files,
            }
            for each in rule_counts(verdict)
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _files_with_findings(verdict: Verdict) -> int:
    return len({finding.script.path for finding in verdict.findings})


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
