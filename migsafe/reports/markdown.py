"""Markdown, for a comment on a pull request."""

from collections.abc import Iterator
from itertools import groupby

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.language import help_language, source_language
from migsafe.reports.markup import code, escaped, fenced
from migsafe.reports.paths import from_root, unicode
from migsafe.reports.text import closing
from migsafe.terminal.display import Display

LONGEST = 65_536
"""The longest comment that GitHub accepts."""

_RESERVED = 1_000
_LONGEST_MESSAGE = 2_000
_LONGEST_CODE = 4_000
_MOST_LINES = 8
_MOST_PROBLEMS = 10
_SIGN = {Severity.ERROR: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}


def report(verdict: Verdict, display: Display) -> str:
    """Returns the counts, the problems, then the findings by file; of too many findings, the worst."""
    head = [f"### migsafe\n\n{escaped(closing(verdict, Display()))}", *_problems(verdict)]
    return "\n\n".join([*head, *finding_blocks(verdict.findings, LONGEST - _RESERVED - sum(len(part) + 2 for part in head))]) + "\n"


def finding_blocks(findings: list[Finding], room: int) -> Iterator[str]:
    """Yields the findings by file, each with its code and its help; of too many for `room` characters, the worst."""
    written = [_finding(finding) for finding in findings]
    kept = _fitting(findings, written, room)
    for path, numbers in groupby(kept, key=lambda number: findings[number].script.path):
        yield _heading(path)
        yield from (written[number] for number in numbers)
    rest = len(written) - len(kept)
    if rest:
        yield f"*{rest} more finding{'s' if rest > 1 else ''} left out: a comment has no room for more.*"


def _fitting(findings: list[Finding], written: list[str], room: int) -> list[int]:
    """Returns the numbers of the findings that fit, the worst first chosen, in the order of reports."""
    kept: list[int] = []
    headed: set[str] = set()
    for number in sorted(range(len(findings)), key=lambda number: -findings[number].severity):
        path = findings[number].script.path
        heading = 0 if path in headed else len(_heading(path)) + 2
        room -= len(written[number]) + 2 + heading
        if room < 0:
            break
        headed.add(path)
        kept.append(number)
    return sorted(kept)


def _heading(path: str) -> str:
    return f"#### {code(from_root(path))}"


def _problems(verdict: Verdict) -> Iterator[str]:
    items = [f"- {escaped(_cut(unicode(problem.message), _LONGEST_MESSAGE))}" for problem in verdict.problems[:_MOST_PROBLEMS]]
    if len(verdict.problems) > len(items):
        items.append(f"- and {len(verdict.problems) - len(items)} more")
    if items:
        yield "\n".join(("**Not everything could be judged:**", "", *items))


def _finding(finding: Finding) -> str:
    line = finding.script.position(finding.span.start).line
    parts = [
        f"{_SIGN[finding.severity]} **{finding.severity.word}** {code(finding.rule)}, line {line}",
        escaped(_cut(finding.message, _LONGEST_MESSAGE)),
        fenced(_cut(_excerpt(finding), _LONGEST_CODE), source_language(finding.script.path)),
    ]
    if finding.help:
        safe = fenced(_cut(finding.help, _LONGEST_CODE), help_language(finding))
        parts.append(f"<details><summary>Safe</summary>\n\n{safe}\n\n</details>")
    return "\n\n".join(parts)


def _excerpt(finding: Finding) -> str:
    """Returns the lines of the operation; the first few of many."""
    script = finding.script
    first, last = script.position(finding.span.start).line, script.position(max(finding.span.start, finding.span.end - 1)).line
    lines = [script.line(number) for number in range(first, min(last, first + _MOST_LINES - 1) + 1)]
    return "\n".join((*lines, *(["…"] if last >= first + _MOST_LINES else [])))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
