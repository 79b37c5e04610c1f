"""Findings as diagnostics."""

import re
from collections.abc import Sequence

from lsprotocol import types

from migsafe.documentation.page import page
from migsafe.editor.documents import Document
from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Rule
from migsafe.text import Span

SOURCE = "migsafe"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


def diagnostics(document: Document, uri: str) -> list[types.Diagnostic]:
    """Returns the diagnostics of a document: its findings, and why it could not be judged. Raises MigsafeError."""
    edited = document.edited
    if edited is None:
        return []
    rules = document.rules
    found = [_diagnostic(finding, rules.get(finding.rule), document, uri) for finding in document.findings]
    return [*found, *(_problem(problem, document) for problem in own_problems(document))]


def own_problems(document: Document) -> list[MigsafeError]:
    """Returns why the document itself could not be judged, for example because a script is not valid Python."""
    edited = document.edited
    return [] if edited is None else [problem for problem in edited.verdict.problems if problem.message.startswith(f"{document.path}:")]


def rule_page(rule: Rule | None) -> str | None:
    """Returns the address of the documentation of a rule; None without one."""
    links = page(rule.documentation).see if rule is not None else ()
    return links[0] if links else None


def about(finding: Finding, document: Document, shown: Sequence[types.Diagnostic]) -> list[types.Diagnostic]:
    """Returns those of the client's diagnostics that are about a finding."""
    range = document.places.first_line(finding.span)
    return [each for each in shown if each.source == SOURCE and each.code == finding.rule and each.range.start == range.start]


def _diagnostic(finding: Finding, rule: Rule | None, document: Document, uri: str) -> types.Diagnostic:
    address = rule_page(rule)
    others = [place for place in finding.places if place != finding.span]
    return types.Diagnostic(
        range=document.places.first_line(finding.span),
        message=finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        code_description=types.CodeDescription(address) if address is not None else None,
        source=SOURCE,
        related_information=[
            types.DiagnosticRelatedInformation(types.Location(uri, document.places.first_line(place)), "here, too") for place in others
        ]
        or None,
        data={"help": finding.help, "relations": list(finding.relations)},
    )


def _problem(problem: MigsafeError, document: Document) -> types.Diagnostic:
    """Returns the diagnostic of an error; its message begins with the path, and usually the line."""
    place = re.match(r":(\d+)(?::\d+)?: ", problem.message[len(document.path) :])
    message = problem.message[len(document.path) + place.end() :] if place else problem.message[len(document.path) + 1 :].strip()
    start = document.places.offset(types.Position(int(place[1]) - 1 if place else 0, 0))
    return types.Diagnostic(
        range=document.places.first_line(Span(start, len(document.text))),
        message=f"This migration was not checked: {message}" + (f"\n{problem.hint}" if problem.hint else ""),
        severity=types.DiagnosticSeverity.Warning,
        source=SOURCE,
    )
