"""The trials of the application's queries around each migration of a replay."""

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.queries.preparation import prepare_all
from migsafe.replaying.queries.results import BrokenQuery, QueryFailure, QueryResults
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.servers.host import Host


class QueryTrials:
    """Tries the queries of both releases before and after each migration. `queries` are those of the project."""

    def __init__(self, host: Host, queries: ProjectQueries) -> None:
        self._host = host
        self._queries = queries
        self._before: dict[str, QueryFailure | None] = {}

    def before(self, database: str, predictor: Predictor) -> None:
        """Tries the queries in a database before a migration; `predictor` knows its schema."""
        self._before = self._prepared(database)

    def after(self, database: str, before: str | None, recording: Recording, predictor: Predictor) -> QueryResults:
        """Tries the queries after the migration that was recorded; `before` is a copy of the database as it was, if there is one."""
        after = self._prepared(database)
        broken = tuple(
            BrokenQuery(query=self._queries.named(query), text=query.text, failure=failure)
            for fingerprint, query in self._queries.running.items()
            if self._before.get(fingerprint, failure := after[fingerprint]) is None and (failure := after[fingerprint]) is not None
        )
        return QueryResults(tried=len(after), broken=broken)

    def _prepared(self, database: str) -> dict[str, QueryFailure | None]:
        with self._host.connect(database) as connection:
            return prepare_all(connection, self._queries.all.values())
