"""What was found about the queries that lack an index."""

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.index_candidates import Candidate
from migsafe.sql.operations import Name
from migsafe.text import Script, Span
from migsafe.workload.assessment import CandidateIndex

NO_SCRIPT = Script("", "")


class BuiltIndex(Struct, frozen=True, kw_only=True):
    """An index that was built: its size in bytes, the time of the build in milliseconds, and the rows of its table."""

    candidate: Candidate
    size: int
    build_ms: float
    rows: int


class ServedQuery(Struct, frozen=True, kw_only=True):
    """A query that an index makes more than ten times cheaper: its estimated cost and the rows that it reads, without and with the index.
    `reads_all` are the tables that it reads completely without the index."""

    query: NamedQuery
    text: str
    cost_before: float
    cost_after: float
    rows_before: int
    rows_after: int
    reads_all: frozenset[Name] = frozenset()


class IndexEstimate(Struct, frozen=True):
    """The size in bytes and the time of the build in milliseconds with production's rows of the table, as ranges."""

    rows: int
    low_size: int
    high_size: int
    low_ms: float
    high_ms: float


class MissingIndex(Struct, frozen=True, kw_only=True):
    """Indexes that queries lack: one, or several that serve them only together. `estimates` are those for production, as far as its rows are
    known. `help` is the migration that creates the indexes. `script` and `span` are the place of the first query; that of the last migration
    if the query has none."""

    indexes: tuple[BuiltIndex, ...]
    queries: tuple[ServedQuery, ...]
    estimates: tuple[IndexEstimate | None, ...] = ()
    help: str = ""
    script: Script = NO_SCRIPT
    span: Span = Span(0, 0)

    def by_table(self) -> dict[Name, list[CandidateIndex]]:
        """Returns the indexes by their tables."""
        tables: dict[Name, list[CandidateIndex]] = {}
        for index in self.indexes:
            tables.setdefault(index.candidate.table, []).append(index.candidate.index)
        return tables

    @property
    def table(self) -> Name:
        """The table of the first index."""
        return self.indexes[0].candidate.table


class UnservedQuery(Struct, frozen=True):
    """A query for which no index was found or tried, and the reason."""

    query: NamedQuery
    reason: str


class IndexResults(Struct, frozen=True, kw_only=True):
    """What was found about the queries that lack an index, after the last migration of a history.

    `scope` says which queries were judged, as a noun phrase; `skipped` why nothing was tried for them, empty
    if it was. `judged` is their number, `fine` those that are cheap, or have no
    condition for an index on a table that they read completely. `built` is the number of indexes that were built. For the queries in
    `unserved` every index was tried and none makes them cheap, or their plan is not expensive although no index serves a table; those in
    `not_tried` could not be judged.
    """

    scope: str = ""
    skipped: str = ""
    judged: int = 0
    fine: int = 0
    built: int = 0
    missing: tuple[MissingIndex, ...] = ()
    unserved: tuple[UnservedQuery, ...] = ()
    not_tried: tuple[UnservedQuery, ...] = ()
