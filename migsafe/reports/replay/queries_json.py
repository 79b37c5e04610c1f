"""The queries of the application in the JSON of a replay."""

from collections.abc import Iterable, Sequence
from typing import Any

from migsafe.replaying.queries.first_steps import FirstStep, first_steps
from migsafe.replaying.queries.results import BrokenQuery, BrokenWrite, QueryFailure, QueryResults
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.json import query_object
from migsafe.reports.paths import unicode


def queries_object(results: QueryResults | None) -> dict[str, Any] | None:
    """Returns what a migration means for the queries; None if no queries were tried."""
    if results is None:
        return None
    return {
        "total": results.total,
        "accepted": results.prepared,
        "executed": results.written,
        "compared": results.compared,
        "prepare_ms": round(results.prepare_ms, 3),
        "execute_ms": round(results.write_ms, 3),
        "breaks": _broken(results.broken),
        "breaks_new_release": _broken(results.broken_new),
        "fails_when_executed": _broken(results.broken_writes),
        "works": [
            {"query": query_object(each.query), "statement": each.statement, "before": _failure(each.before)} for each in results.working
        ],
        "fails": [{"query": query_object(each.query), **_failure(each.failure)} for each in results.failing],
        "changes": [
            {"query": query_object(each.query), "statement": each.statement, "parameters": each.parameters, "columns": each.columns}
            for each in results.changed
        ],
        "not_tried": [
            {"query": query_object(each.query), "reason": unicode(each.reason), "execution": each.is_write} for each in results.untried
        ],
    }


def new_queries_object(replayed: Sequence[ReplayedMigration]) -> list[dict[str, Any]]:
    """Returns the first step at which each query of the new release works."""
    return [_step(step, replayed) for step in first_steps([each.queries for each in replayed])]


def _broken(broken: Iterable[BrokenQuery | BrokenWrite]) -> list[dict[str, Any]]:
    return [{"query": query_object(each.query), "statement": each.statement, **_failure(each.failure)} for each in broken]


def _failure(failure: QueryFailure) -> dict[str, str]:
    return {"sqlstate": failure.sqlstate, "message": unicode(failure.message)}


def _step(step: FirstStep, replayed: Sequence[ReplayedMigration]) -> dict[str, Any]:
    return {
        "query": query_object(step.query),
        "works": step.works.value,
        "migration": unicode(replayed[step.migration].migration.up.file.path) if step.migration is not None else None,
        "statement": step.statement,
        "failure": _failure(step.failure) if step.failure is not None else None,
        "reason": unicode(step.reason) or None,
    }
