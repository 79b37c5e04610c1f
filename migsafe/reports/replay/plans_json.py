"""The file of `--explain`, a contract: the plans of the application's queries before and after each migration. Its keys change only with its
`version`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from migsafe.library.replay import Replay
from migsafe.replaying.queries.plan_results import PlannedQuery
from migsafe.replaying.queries.plan_trees import Plan, Unexplained
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.paths import unicode

VERSION = 1


def plans_document(replay: Replay) -> str:
    """Returns the plans of all queries around each migration as one JSON object."""
    document = {
        "version": VERSION,
        "pg_version": replay.pg_version,
        "migrations": [_migration(replayed) for replayed in replay.replayed if replayed.queries is not None],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _migration(replayed: ReplayedMigration) -> dict[str, Any]:
    plans = replayed.queries.plans.plans if replayed.queries is not None else ()
    return {
        "id": unicode(replayed.migration.id),
        "path": unicode(replayed.migration.up.file.path),
        "queries": [_query(planned) for planned in plans],
    }


def _query(planned: PlannedQuery) -> dict[str, Any]:
    query = planned.query
    return {
        "fingerprint": query.fingerprint,
        "name": unicode(query.name) or None,
        "path": unicode(query.path) or None,
        "line": query.line or None,
        "text": unicode(planned.text),
        "changed": planned.before != planned.after,
        "before": _plan(planned.before),
        "after": _plan(planned.after),
    }


def _plan(plan: Plan | Unexplained) -> Mapping[str, Any]:
    """Returns a plan as `EXPLAIN (VERBOSE, FORMAT JSON)` does, or the error of a query without one."""
    if isinstance(plan, Plan):
        return {"Plan": plan.tree}
    return {"error": {"sqlstate": plan.sqlstate or None, "message": unicode(plan.message)}}
