"""Preparing queries: PostgreSQL reads a query and looks up all that it names, without executing it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from migsafe.replaying.exchange import exchange
from migsafe.replaying.queries.results import QueryFailure
from migsafe.replaying.refusals import failure_of
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection


def prepare_all(connection: "Connection[Any]", queries: Iterable[Query]) -> dict[str, QueryFailure | None]:
    """Prepares queries and returns the failure of each, None for one that works, by fingerprint."""
    results: dict[str, QueryFailure | None] = {}
    for query in queries:
        types = f" ({', '.join(each or 'unknown' for each in query.parameters)})" if query.parameters else ""
        reply = exchange(connection, f"PREPARE migsafe_query{types} AS {query.text}")
        if reply.error is None:
            exchange(connection, "DEALLOCATE migsafe_query")
            results[query.fingerprint] = None
        else:
            failure = failure_of(reply.error)
            results[query.fingerprint] = QueryFailure(failure.sqlstate, failure.message)
    return results
