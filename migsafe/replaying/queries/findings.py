"""The findings about the application's queries."""

from collections.abc import Iterator

from migsafe.linting.finding import Severity
from migsafe.replaying.queries.plan_findings import plan_findings
from migsafe.replaying.queries.query_finding import QueryFinding
from migsafe.replaying.queries.results import QueryResults


def query_findings(results: QueryResults) -> Iterator[QueryFinding]:
    """Yields what a migration does to the queries of the application."""
    for broken in results.broken:
        message = f"the running release's query {broken.query} fails after it: {broken.failure}"
        yield QueryFinding("replay-query-breaks", Severity.ERROR, message, broken.statement, (broken.query,))
    yield from plan_findings(results.plans)
