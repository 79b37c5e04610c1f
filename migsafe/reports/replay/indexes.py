"""What reports say about the plans of the application's queries, and about the indexes that were tried for them."""

from collections.abc import Iterator, Sequence
from typing import Any

from migsafe.library.replay import Replay
from migsafe.replaying.queries.index_results import BuiltIndex, IndexEstimate, IndexResults, MissingIndex, UnservedQuery
from migsafe.replaying.queries.plan_results import PlanRegression, PlanResults
from migsafe.reports.paths import unicode

_MOST_SHOWN = 5


def plan_notes(plans: PlanResults) -> Iterator[str]:
    """Yields what is known of the plans of the queries around a migration; nothing without queries."""
    if not plans.planned and not plans.unplanned:
        return
    number = len(plans.regressions)
    worse = (
        f"{number} {'reads' if number == 1 else 'read'} a whole table now" if number else "none reads a whole table that it did not read before"
    )
    yield f"of {plans.planned:,} {'query' if plans.planned == 1 else 'queries'} compared, {worse}"
    if plans.emptied:
        tables = ", ".join(map(str, plans.emptied))
        yield f"those of {tables} say nothing: {'it has' if len(plans.emptied) == 1 else 'they have'} no rows after the migration"
    yield from _listed("not planned", [f"{each.query}: {each.reason}" for each in plans.unplanned])


def index_notes(replay: Replay) -> Iterator[str]:
    """Yields for which queries indexes were tried, and why there is no answer for some of them."""
    for results in replay.indexes:
        yield _summary(results)
        yield from _listed("No index makes it cheap", list(map(_reason, results.unserved)))
        yield from _listed("No index was tried for", list(map(_reason, results.not_tried)))


def _summary(results: IndexResults) -> str:
    judged = f"the {results.judged:,} {results.scope}" if results.judged != 1 else f"the {results.scope.replace('queries', 'query', 1)}"
    if results.skipped:
        return f"No indexes were tried for {judged}: {results.skipped}."
    lacking = sum(len(missing.queries) for missing in results.missing)
    parts = [
        (results.fine, "needs none", "need none"),
        (lacking, "lacks one", "lack one"),
        (len(results.unserved), "is not made cheap by any", "are not made cheap by any"),
        (len(results.not_tried), "was not tried", "were not tried"),
    ]
    counts = ", ".join(f"{number:,} {singular if number == 1 else plural}" for number, singular, plural in parts if number)
    built = f"; {results.built:,} {'index was' if results.built == 1 else 'indexes were'} built" if results.built else ""
    return f"Indexes for {judged}: {counts}{built}."


def _reason(query: UnservedQuery) -> str:
    return f"{query.query}: {query.reason}"


def _listed(title: str, reasons: Sequence[str]) -> Iterator[str]:
    yield from (f"{title}: {reason}" for reason in reasons[:_MOST_SHOWN])
    if len(reasons) > _MOST_SHOWN:
        yield f"{title}: {len(reasons) - _MOST_SHOWN:,} more queries (all of them are in the JSON report)"


def plans_object(plans: PlanResults) -> dict[str, Any]:
    """Returns the plans around a migration for JSON."""
    return {
        "planned": plans.planned,
        "plan_ms": round(plans.plan_ms, 3),
        "regressed": [_regression(each) for each in plans.regressions],
        "emptied": list(map(str, plans.emptied)),
        "not_planned": [{"query": unicode(str(each.query)), "reason": unicode(each.reason)} for each in plans.unplanned],
    }


def _regression(regression: PlanRegression) -> dict[str, Any]:
    return {
        "query": unicode(str(regression.query)),
        "fingerprint": regression.query.fingerprint,
        "statement": regression.statement,
        "relation": str(regression.relation),
        "rows": regression.rows,
        "cost_before": regression.cost_before,
        "cost_after": regression.cost_after,
        "lost_indexes": regression.lost,
        "unused_indexes": regression.unused,
        "to_analyze": list(map(str, regression.to_analyze)),
    }


def indexes_object(results: IndexResults) -> dict[str, Any]:
    """Returns the results of the index trials for JSON."""
    return {
        "scope": results.scope,
        "skipped": results.skipped or None,
        "judged": results.judged,
        "fine": results.fine,
        "built": results.built,
        "missing": [_missing(missing) for missing in results.missing],
        "none_helps": [_unserved(each) for each in results.unserved],
        "not_tried": [_unserved(each) for each in results.not_tried],
    }


def _unserved(query: UnservedQuery) -> dict[str, Any]:
    return {"query": unicode(str(query.query)), "fingerprint": query.query.fingerprint, "reason": unicode(query.reason)}


def _missing(missing: MissingIndex) -> dict[str, Any]:
    return {
        "indexes": [_index(index, estimate) for index, estimate in zip(missing.indexes, missing.estimates, strict=True)],
        "migration": missing.help,
        "queries": [
            {
                "query": unicode(str(each.query)),
                "fingerprint": each.query.fingerprint,
                "text": unicode(each.text),
                "cost_before": each.cost_before,
                "cost_after": each.cost_after,
                "rows_read_before": each.rows_before,
                "rows_read_after": each.rows_after,
            }
            for each in missing.queries
        ],
    }


def _index(index: BuiltIndex, estimate: IndexEstimate | None) -> dict[str, Any]:
    return {
        "table": str(index.candidate.table),
        "method": index.candidate.method,
        "keys": index.candidate.keys,
        "predicate": index.candidate.predicate or None,
        "rows": index.rows,
        "size_bytes": index.size,
        "build_ms": round(index.build_ms, 3),
        "estimate": {
            "rows": estimate.rows,
            "low_bytes": estimate.low_size,
            "high_bytes": estimate.high_size,
            "low_ms": round(estimate.low_ms, 3),
            "high_ms": round(estimate.high_ms, 3),
        }
        if estimate is not None
        else None,
    }
