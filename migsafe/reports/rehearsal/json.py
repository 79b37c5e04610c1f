"""JSON, a contract: its keys change only with its `version`. docs/rehearse.md describes it."""

from typing import Any

import msgspec

from migsafe.assessment.rehearsal import Backfill, PhaseFailure, PhaseResult, ReleaseResult
from migsafe.library.rehearse import Rehearsal
from migsafe.linting.finding import NamedQuery
from migsafe.reports.paths import unicode
from migsafe.reports.rehearsal.wording import RESULTS, remarks
from migsafe.reports.replay.load import load_object
from migsafe.terminal.display import Display

VERSION = 1


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the whole rehearsal as one object."""
    replay = rehearsal.replay
    document = {
        "version": VERSION,
        "pg_version": replay.pg_version,
        "server": replay.host,
        "date": replay.facts.date or None,
        "command": unicode(replay.facts.command) or None,
        "revision": replay.facts.revision or None,
        "result": RESULTS[rehearsal.passed],
        "queries": {
            "running": rehearsal.running if rehearsal.compared else None,
            "new": rehearsal.new,
            "unread": rehearsal.unread,
            "untried": [{**_query(each.query), "reason": each.reason, "write": each.is_write} for each in rehearsal.untried],
        },
        "phases": [_phase(phase) for phase in rehearsal.phases],
        "remarks": [unicode(remark) for remark in remarks(rehearsal)],
        "problems": [unicode(problem.message) for problem in replay.verdict.problems],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _phase(phase: PhaseResult) -> dict[str, Any]:
    return {
        "phase": phase.phase.name.lower(),
        "result": RESULTS[phase.passed],
        "migrations": [
            {
                "path": unicode(migration.path),
                "id": unicode(migration.migration),
                "operations": [own.name.lower() for own in migration.own],
                "duration_ms": None if migration.duration_ms is None else round(migration.duration_ms, 3),
                "load": load_object(migration.load) if migration.load is not None else None,
            }
            for migration in phase.migrations
        ],
        "running_release": _release(phase.running),
        "new_release": _release(phase.new),
        "failures": [_failure(failure) for failure in phase.failures],
        "backfills": [_backfill(change) for change in phase.backfills],
        "untried": [unicode(reason) for reason in phase.untried],
    }


def _backfill(change: Backfill) -> dict[str, Any]:
    tried = change.in_batches
    return {
        "message": unicode(change.message),
        "path": unicode(change.path),
        "line": change.line,
        "duration_ms": None if change.duration_ms is None else round(change.duration_ms, 3),
        "in_batches": None
        if tried is None
        else {
            "transactions": tried.transactions,
            "duration_ms": round(tried.duration_ms, 3),
            "differences": [unicode(line) for line in tried.differences],
            "compared": tried.compared,
            "failure": unicode(tried.failure) or None,
        },
        "help": change.help,
    }


def _release(result: ReleaseResult) -> dict[str, Any]:
    return {
        "result": result.answer.value,
        "tried": result.tried,
        "failing": [_query(query) for query in result.failing],
        "slow": [_query(query) for query in result.slow],
        "reason": unicode(result.reason) or None,
    }


def _failure(failure: PhaseFailure) -> dict[str, Any]:
    return {
        "rule": failure.rule,
        "message": unicode(failure.message),
        "path": unicode(failure.path) or None,
        "line": failure.line or None,
        "sqlstate": failure.sqlstate or None,
        "queries": [_query(query) for query in failure.queries],
        "help": failure.help,
    }


def _query(query: NamedQuery) -> dict[str, Any]:
    return {"fingerprint": query.fingerprint, "name": query.name, "path": unicode(query.path), "line": query.line}
