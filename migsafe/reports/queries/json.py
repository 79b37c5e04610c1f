"""JSON, a contract: its keys change only with its `version`."""

from typing import Any

import msgspec

from migsafe.library.queries import ListedQuery, QueryList
from migsafe.reports.paths import unicode
from migsafe.terminal.display import Display
from migsafe.workload import CallSite
from migsafe.workload.assessment import QueryAssessment, TableAccess, UsedRelation

VERSION = 1


def report(queries: QueryList, display: Display) -> str:
    """Returns all queries as one object."""
    document = {
        "version": VERSION,
        "pg_version": queries.pg_version,
        "resolved_with_schema": queries.has_schema,
        "queries": [_query(listed, compared=queries.compared) for listed in queries.queries],
        "unread": [{**_place(each.place), "reason": each.reason} for each in queries.unread],
        "problems": [{"message": problem.message, "hint": problem.hint} for problem in queries.problems],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _query(listed: ListedQuery, *, compared: bool) -> dict[str, Any]:
    query, assessment = listed.query, listed.assessment
    return {
        "fingerprint": query.fingerprint,
        "text": query.text,
        "parameters": list(query.parameters),
        "places": [{**_place(place), "calls": place.calls or None, "per_request": place.per_request or None} for place in query.places],
        "calls": query.calls or None,
        "mean_ms": query.mean_ms,
        "new": listed.is_new if compared else None,
        **(_assessment(assessment) if assessment is not None else {}),
    }


def _place(place: CallSite) -> dict[str, Any]:
    return {"path": unicode(place.path), "line": place.line, "name": place.name}


def _assessment(assessment: QueryAssessment) -> dict[str, Any]:
    failure = assessment.failure
    return {
        "resolved": assessment.is_resolved,
        "not_resolved_because": assessment.unresolved or assessment.uncertain or None,
        "failure": {"code": failure.code, "message": failure.message} if failure is not None else None,
        "relations": [_relation(relation) for relation in assessment.relations],
        "accesses": [_access(access) for access in assessment.accesses],
        "insert_problems": [
            {"kind": problem.kind, "table": str(problem.table), "column": problem.column} for problem in assessment.insert_problems
        ],
    }


def _relation(relation: UsedRelation) -> dict[str, Any]:
    return {
        "relation": str(relation.name),
        "reads": relation.is_read,
        "writes": relation.is_written,
        "columns": sorted(relation.columns),
        "all_columns": relation.all_columns,
    }


def _access(access: TableAccess) -> dict[str, Any]:
    return {
        "relation": str(access.name),
        "alias": access.alias,
        "filters": [{"subject": each.subject, "operator": each.operator, "compared_with": each.compared_with} for each in access.filters],
        "index": str(access.index) if access.index is not None else None,
        "needs_index": access.is_unindexed,
        "conversion": (
            {"column": access.conversion.column, "type": access.conversion.type, "index": str(access.conversion.index)}
            if access.conversion is not None
            else None
        ),
        "reads_whole_beside": [str(name) for name in access.beside],
        "candidates": [
            {
                "method": candidate.method,
                "keys": list(candidate.keys),
                "predicate": candidate.predicate or None,
                "mutable": candidate.mutable,
            }
            for candidate in access.candidates
        ],
    }
