"""The interface of a kind of trial: preparing the queries, executing the writes, comparing the plans."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from migsafe.replaying.queries.attribution import Check
from migsafe.replaying.queries.results import Prepared, QueryResults
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.servers.host import Host
from migsafe.schema.catalog import Catalog

if TYPE_CHECKING:
    from psycopg import Connection

Prepare = Callable[["Connection[Any]", Collection[str]], dict[str, Prepared]]
"""Prepares the queries with these fingerprints on a connection."""


class TrialState(Struct, frozen=True, kw_only=True):
    """One state of a database in which queries are tried: the `database` on the host, and what PostgreSQL says about each query (`prepared`, by
    fingerprint).

    `catalog` is the predicted schema of this state. The predictor continues to change it: it may be read only during the call that gets the
    state. `prepare` prepares queries again, on another connection. `search_path` is tried for a query that is not found with the usual one.
    """

    host: Host
    database: str
    catalog: Catalog
    prepared: Mapping[str, Prepared]
    prepare: Prepare
    search_path: tuple[str, ...] = ()

    def connect(self) -> "Connection[Any]":
        """Connects to the database as the role that observes, in autocommit."""
        return self.host.connect(self.database)


class Trial(Protocol):
    """One kind of trial. For each migration that runs, the three methods are called once, in this order; `add_results` is not called if the
    migration fails."""

    def before(self, state: TrialState) -> None:
        """Tries the queries before a migration."""

    def after(self, state: TrialState, before: str | None, recording: Recording) -> Check | None:
        """Tries the queries after a migration, and returns a function that finds out which of them are different from how they were before it;
        None if none is. `before` is a copy of the database as it was before the migration, if there is one; the trial may change it, because no
        other uses it afterwards, but no connection to it may stay open."""

    def add_results(self, results: QueryResults, causes: Mapping[str, int]) -> QueryResults:
        """Returns the results with those of this trial. `causes` are the indexes of the statements that made the differences, by fingerprint;
        one that is not known is missing."""
