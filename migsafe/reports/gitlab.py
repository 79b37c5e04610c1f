"""GitLab's Code Quality report: a merge request shows the findings that are new in it.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from typing import Any

import msgspec

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.fingerprint import fingerprints
from migsafe.reports.paths import from_root
from migsafe.terminal.display import Display

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def report(verdict: Verdict, display: Display) -> str:
    """Returns an array with an object for each finding."""
    issues = [_issue(finding, fingerprint) for finding, fingerprint in zip(verdict.findings, fingerprints(verdict.findings), strict=True)]
    return msgspec.json.format(msgspec.json.encode(issues)).decode() + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    start, end = finding.script.position(finding.span.start), finding.script.position(max(finding.span.start, finding.span.end - 1))
    return {
        "description": finding.message,
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITY[finding.severity],
        "location": {"path": from_root(finding.script.path), "lines": {"begin": start.line, "end": end.line}},
    }
