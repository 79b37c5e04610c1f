"""A line for each finding, in the form of a compiler's messages, which editors read: `path:line:column: severity: rule: message`.

https://www.gnu.org/prep/standards/html_node/Errors.html
"""

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.paths import STDIN
from migsafe.terminal.display import Display
from migsafe.terminal.width import visible

_SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def report(verdict: Verdict, display: Display) -> str:
    """Returns a line for each finding, with its path as the user typed it; nothing else, so it is empty without findings."""
    return "".join(f"{_line(finding)}\n" for finding in verdict.findings)


def _line(finding: Finding) -> str:
    path = "<stdin>" if finding.script.path == STDIN else visible(finding.script.path)
    position = finding.script.position(finding.span.start)
    message = visible(" ".join(finding.message.split()))
    return f"{path}:{position.line}:{position.column}: {_SEVERITY[finding.severity]}: {finding.rule}: {message}"
