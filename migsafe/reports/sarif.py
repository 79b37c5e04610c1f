"""SARIF 2.1.0, which GitHub's code scanning, Azure DevOps and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html (§ below)
"""

from typing import Any

import msgspec

from migsafe import __version__
from migsafe.documentation.markdown import explanation
from migsafe.documentation.page import Prose, page
from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Rule
from migsafe.linting.verdict import RuleError, Verdict
from migsafe.patterns import lazy_pattern
from migsafe.reports.fingerprint import VERSION, fingerprints
from migsafe.reports.language import help_language, source_language
from migsafe.reports.markup import escaped, fenced
from migsafe.reports.paths import address, unicode
from migsafe.terminal.display import Display
from migsafe.text import Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_COULD_NOT = 2
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
"""GitHub's severities for findings that are not about security."""
_LINK = lazy_pattern(r"\[(?=[^\[\]]*\]\()")


def report(verdict: Verdict, display: Display) -> str:
    """Returns a log with one run."""
    fired = {finding.rule for finding in verdict.findings}
    rules = [rule for rule in verdict.rules if rule.name in fired]
    # A finding of a rule that is not among the verdict's rules needs a descriptor, too.
    others = sorted(fired - {rule.name for rule in rules})
    rule_index = {name: number for number, name in enumerate((*(rule.name for rule in rules), *others))}
    paths = list(dict.fromkeys(finding.script.path for finding in verdict.findings))
    file_index = {path: number for number, path in enumerate(paths)}
    run = {
        "tool": {
            "driver": {
                "name": "migsafe",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [*map(_rule, rules), *({"id": name} for name in others)],
            }
        },
        "invocations": [_invocation(verdict.problems)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "artifacts": [{"location": _file(path), "sourceLanguage": source_language(path)} for path in paths],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, rule_index[finding.rule], file_index[finding.script.path], fingerprint)
            for finding, fingerprint in zip(verdict.findings, fingerprints(verdict.findings), strict=True)
        ],
        "properties": {"pgVersion": verdict.pg_version},
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    """Returns a reportingDescriptor (§3.49)."""
    text = page(rule.documentation)
    prose = "\n\n".join(block.text for block in text.blocks if isinstance(block, Prose))
    return {
        "id": rule.name,
        "shortDescription": {"text": _message(text.summary)},
        "fullDescription": {"text": _message(prose or text.summary)},
        "help": {"text": _message(rule.documentation), "markdown": _braces(explanation(rule))},
        **({"helpUri": text.see[0]} if text.see else {}),
        "defaultConfiguration": {"level": _LEVEL[rule.severity], "enabled": not rule.off},
        "properties": {"category": rule.category, "tags": [rule.category], "problem.severity": _PROBLEM[rule.severity]},
    }


def _result(finding: Finding, rule: int, file: int, fingerprint: str) -> dict[str, Any]:
    text, markdown = finding.message, _braces(escaped(finding.message))
    if finding.help:
        text += f"\n\nSafe:\n{finding.help}"
        markdown += f"\n\nSafe:\n\n{_braces(fenced(finding.help, help_language(finding)))}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVEL[finding.severity],
        "message": {"text": _message(text), "markdown": markdown},
        "locations": [_location(finding, finding.span, file)],
        **({"relatedLocations": others} if (others := _others(finding, file)) else {}),
        "partialFingerprints": {f"migsafe/v{VERSION}": fingerprint},
    }


def _file(path: str) -> dict[str, Any]:
    """Returns an artifactLocation (§3.4)."""
    uri = address(path)
    return {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": _ROOT}


def _others(finding: Finding, file: int) -> list[dict[str, Any]]:
    """Returns the other places of which a finding says that the same is true (relatedLocations, §3.27.22)."""
    return [_location(finding, place, file) for place in finding.places if place != finding.span]


def _location(finding: Finding, span: Span, file: int) -> dict[str, Any]:
    """Returns a place of a finding, in the artifact of this index; the end is exclusive in SARIF (§3.30.8) as in migsafe."""
    start, end = finding.script.position(span.start), finding.script.position(span.end)
    return {
        "physicalLocation": {
            "artifactLocation": {**_file(finding.script.path), "index": file},
            "region": {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column},
        }
    }


def _invocation(problems: list[MigsafeError]) -> dict[str, Any]:
    """Returns how the run went (§3.20). The exit code of a successful run depends on --fail-on and is unknown here."""
    if not problems:
        return {"executionSuccessful": True}
    return {
        "executionSuccessful": False,
        "exitCode": _COULD_NOT,
        "exitCodeDescription": "not everything could be judged",
        "toolExecutionNotifications": [_notification(problem) for problem in problems],
    }


def _notification(problem: MigsafeError) -> dict[str, Any]:
    of_rule = {"associatedRule": {"id": problem.rule.name}} if isinstance(problem, RuleError) else {}
    return {"level": "error", "message": {"text": _message(unicode(str(problem)))}, **of_rule}


def _message(text: str) -> str:
    """Returns plain text with its special characters escaped: `[` before a target in parentheses begins a link, braces a placeholder (§3.11.5,
    §3.11.6)."""
    return _LINK.sub(r"\\[", _braces(text))


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
