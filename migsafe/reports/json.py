"""JSON, a contract: its keys are removed or change their meaning only with its `version`. docs/ci.md describes it."""

from typing import Any

import msgspec

from migsafe import __version__
from migsafe.linting.finding import Finding, NamedQuery
from migsafe.linting.verdict import Verdict
from migsafe.reports.paths import unicode
from migsafe.terminal.display import Display
from migsafe.text import Position

VERSION = 1


def report(verdict: Verdict, display: Display) -> str:
    """Returns the whole verdict as one object."""
    document = {
        "version": VERSION,
        "tool": {"name": "migsafe", "version": __version__},
        "pg_version": verdict.pg_version,
        "summary": verdict.summary,
        "findings": [finding_object(finding) for finding in verdict.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def finding_object(finding: Finding) -> dict[str, Any]:
    """Returns a finding as the contract defines it."""
    return {
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity.word,
        "message": finding.message,
        "help": finding.help,
        "path": unicode(finding.script.path),
        "migration": unicode(finding.migration),
        "start": _place(finding.script.position(finding.span.start)),
        "end": _place(finding.script.position(finding.span.end)),
        "statement": finding.statement,
        "places": [_place(finding.script.position(span.start)) for span in finding.places or (finding.span,)],
        **({"more": finding.more} if finding.more else {}),
        "relations": finding.relations,
        **_queries(finding),
        "lock": finding.lock.pg_locks if finding.lock else None,
        "blocks": finding.lock.blocks if finding.lock else (),
    }


def _queries(finding: Finding) -> dict[str, Any]:
    """Returns the application's queries that a finding is about; empty without any."""
    named = [query_object(query) for query in finding.queries]
    return {"queries": named} if named else {}


def query_object(query: NamedQuery) -> dict[str, Any]:
    """Returns a query of the application: its name, and the place that contains or sends it."""
    return {"name": query.name, "path": unicode(query.path), "line": query.line}


def _place(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
