"""GitHub's workflow commands: an annotation for each finding at its line in the pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.paths import STDIN, from_root, unicode
from migsafe.reports.text import closing
from migsafe.terminal.display import Display

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_IN_MESSAGES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = {**_IN_MESSAGES, **str.maketrans({":": "%3A", ",": "%2C"})}


def report(verdict: Verdict, display: Display) -> str:
    """Returns a command, on a line of its own, for each finding and each problem, and then the counts for the log."""
    findings = [_command(_COMMAND[finding.severity], _text(finding), **_place(finding)) for finding in verdict.findings]
    problems = [_command("error", str(problem), title="migsafe") for problem in verdict.problems]
    return "\n".join((*findings, *problems, closing(verdict, Display()))) + "\n"


def _text(finding: Finding) -> str:
    return f"{finding.message}\nSafe:\n{finding.help}" if finding.help else finding.message


def _place(finding: Finding) -> dict[str, str | int]:
    """Returns the place of a finding: none on standard input, and no columns for several lines, because GitHub refuses an annotation with
    both."""
    title = f"{finding.rule} ({finding.severity.word})"
    if finding.script.path == STDIN:
        return {"title": title}
    start, end = finding.script.position(finding.span.start), finding.script.position(max(finding.span.start, finding.span.end - 1))
    column = {"col": start.column, "endColumn": end.column} if start.line == end.line else {}
    return {"file": from_root(finding.script.path), "line": start.line, "endLine": end.line, **column, "title": title}


def _command(name: str, message: str, **properties: str | int) -> str:
    written = ",".join(f"{key}={str(value).translate(_IN_PROPERTIES)}" for key, value in properties.items())
    return f"::{name} {written}::{unicode(message).translate(_IN_MESSAGES)}"
