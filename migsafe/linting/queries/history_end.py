"""The queries of the current release at the end of a history."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from migsafe.linting.finding import Finding, NamedQuery
from migsafe.linting.judged_places import WorkloadQuery
from migsafe.linting.queries.changes import has_problem
from migsafe.linting.queries.project_queries import ProjectQueries, main_place
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.text import Script

LOSES_INDEX = "query-loses-index"


def still_true(findings: Iterable[Finding], queries: ProjectQueries, catalog: Catalog) -> list[Finding]:
    """Returns the findings; those about a query that no longer has the problem, on the database at the end, are marked as resolved: the query
    belongs to the release of the last migration, and never met the state between. Nor did one that uses the new object under an old name."""
    return [_at_end(finding, queries, catalog) for finding in findings]


def _at_end(finding: Finding, queries: ProjectQueries, catalog: Catalog) -> Finding:
    if finding.use_words and not queries.workload.compared:
        known = (queries.all.get(query.fingerprint) for query in finding.queries)
        if not any(query is not None and queries.assess(query, catalog).failure is not None for query in known):
            finding = replace(finding, message=finding.message.replace(finding.use_words, ""), queries=())
        finding = replace(finding, use_words="")
    return _resolved(finding, queries, catalog) if finding.query_problem is not None else finding


def _resolved(finding: Finding, queries: ProjectQueries, catalog: Catalog) -> Finding:
    problem = finding.query_problem
    assert problem is not None
    query = queries.all.get(problem.fingerprint)
    is_repaired = query is not None and not has_problem(problem, queries.assess(query, catalog))
    if is_repaired and problem.of_types and query is not None:
        is_repaired = queries.refused_types(query, catalog) is None
    return replace(finding, query_problem=None, resolved=finding.resolved or is_repaired)


def queries_at_end(
    queries: ProjectQueries, catalog: Catalog, first_migration: int | None, findings: Iterable[Finding]
) -> Iterator[tuple[Script, WorkloadQuery]]:
    """Yields the queries of the current release that run on the database, each with the file that contains or sends it. Of a revision that was
    compared with, only what it did not have: new queries, and those that one request sends more often. `first_migration` is
    the number that the first judged migration has in the database, None if none was judged; `findings` are those so far."""
    lost = {(each.fingerprint, name) for each, name in _lost_indexes(findings)}
    for fingerprint, query in queries.current.items():
        before = queries.running.get(fingerprint) if queries.workload.compared else None
        if before is not None and query.per_request <= before.per_request:
            continue
        assessment = queries.assess(query, catalog)
        if assessment.failure is not None or assessment.unresolved:
            continue
        place = main_place(query)
        script, span = queries.files.locate(query, place) if place is not None else queries.files.locate_unplaced(query)
        yield (
            script,
            WorkloadQuery(
                span,
                query=query,
                named=queries.named(query),
                assessment=assessment,
                is_new=queries.is_new(query),
                before=before.per_request if before is not None else 0,
                new_tables=frozenset(access.name for access in assessment.accesses if _is_new(access.oid, catalog, first_migration)),
                reported=frozenset(access.name for access in assessment.accesses if (fingerprint, str(access.name)) in lost),
            ),
        )


def _lost_indexes(findings: Iterable[Finding]) -> Iterator[tuple[NamedQuery, str]]:
    for finding in findings:
        if finding.rule == LOSES_INDEX and not finding.resolved:
            yield from ((query, relation) for query in finding.queries for relation in finding.relations)


def _is_new(oid: int, catalog: Catalog, first_migration: int | None) -> bool:
    relation = catalog.get(oid)
    return first_migration is not None and isinstance(relation, Relation) and relation.created_in >= first_migration
