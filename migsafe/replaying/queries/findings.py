"""The findings about the application's queries."""

from collections.abc import Iterator
from typing import NamedTuple

from migsafe.linting.finding import NamedQuery, Severity
from migsafe.replaying.queries.results import QueryResults


class QueryFinding(NamedTuple):
    """A finding about a query at a statement of the migration, by index; `help` is the safe way, as SQL or comments."""

    rule: str
    severity: Severity
    message: str
    statement: int | None
    queries: tuple[NamedQuery, ...] = ()
    help: str = ""


def query_findings(results: QueryResults) -> Iterator[QueryFinding]:
    """Yields what a migration does to the queries of the application."""
    for broken in results.broken:
        message = f"the running release's query {broken.query} fails after it: {broken.failure}"
        yield QueryFinding("replay-query-breaks", Severity.ERROR, message, broken.statement, (broken.query,))
