"""The options of a replay, and what was replayed."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.estimates import Estimate
from migsafe.replaying.experiments.batches import BatchedChange
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.lock_timeouts import LockTimeout
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.recording.records import Recording, StatementRecord
from migsafe.replaying.row_failures import Emptying, RowCause
from migsafe.replaying.seeding import DEFAULT_LIMIT
from migsafe.replaying.untried import left_out_statements
from migsafe.schema.statistics import ColumnStatistics
from migsafe.sources import Migration
from migsafe.sql.operations import Name
from migsafe.text import Script

EXPERIMENTS = ("rerun", "crash", "round trip", "agreement")
"""The names of all experiments."""


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """The options of a replay.

    `experiments` are names of EXPERIMENTS. `rows` returns the number of rows that an empty table gets; None leaves tables as they are. Only
    tables that the migrations touch get rows, unless `seed_all`; `seed_limit` is the most seconds for a table. For
    `reader_seconds`, a reader holds a lock on each table that the migration touches. `probes` says whether probe sessions run. `schema` is
    a dump to load first. `statement_limit` and `run_limit` are the most seconds that a statement and the whole replay may take.
    `production_rows` are the rows of production's tables, by relation, for estimates, and
    `production_columns` the statistics of their columns, which generated rows resemble. `without_extensions` are not
    created, and the statements that need them are left out. `renderer` renders migrations that are programs;
    without it, the replay makes one. `queries` are the application's, of both releases; `keep_plans` keeps
    their plans before and after each migration. With `load`, so many sessions execute the SELECTs of the running release beside it.
    `reads_end` keeps the schema and the rows at the end of each source, after the statements of `afterwards`; then rows are
    generated only before the first migration. `batched` are changes of all rows that are
    also tried in batches: by path and version of the migration and index of the statement, the SQL that makes the same change.
    """

    experiments: tuple[str, ...] = EXPERIMENTS
    rows: Callable[[Name], int] | None = None
    seed_all: bool = False
    seed_limit: float | None = DEFAULT_LIMIT
    reader_seconds: float = 0.0
    probes: bool = True
    schema: Script | None = None
    statement_limit: float | None = None
    run_limit: float | None = None
    production_rows: Mapping[str, int] = {}
    production_columns: Mapping[str, Mapping[str, ColumnStatistics]] = {}
    without_extensions: Sequence[str] = ()
    renderer: Renderer | None = None
    queries: ProjectQueries | None = None
    keep_plans: bool = False
    load: int = 0
    reads_end: bool = False
    batched: Mapping[tuple[str, str], Mapping[int, str]] = {}
    afterwards: tuple[str, ...] = ()


class ReplayedMigration(Struct, frozen=True, kw_only=True):
    """A migration that was replayed: its recording, its predictions and the outcomes of the experiments.

    `emptying` is set if the migration was run again with empty tables, `lock_timeout` if it was run again after one. `row_cause` says which
    rows made it fail, if the rows were generated. `untried` is why no statement could be sent; empty if one was. `likely_cause` is the end
    of a sentence about its failure. `estimates` are the estimated times with production's rows, by statement index. `queries` is what was
    measured of the application's queries; None without any. `batched` are the changes of all rows that were also tried in batches.
    """

    recording: Recording
    predictions: tuple[StatementPrediction, ...]
    outcomes: tuple[Outcome, ...] = ()
    emptying: Emptying | None = None
    lock_timeout: LockTimeout | None = None
    row_cause: RowCause | None = None
    untried: str = ""
    likely_cause: str = ""
    estimates: dict[int, Estimate] = {}
    queries: QueryResults | None = None
    batched: tuple[BatchedChange, ...] = ()

    @property
    def longest_wait(self) -> float:
        """The longest wait of a probe session, in milliseconds, also during an attempt that a lock_timeout ended."""
        return max(self.recording.longest_wait, self.lock_timeout.longest_wait if self.lock_timeout is not None else 0.0)

    @property
    def left_out(self) -> tuple[StatementRecord, ...]:
        """The statements that were not sent although they may do something in the database."""
        return left_out_statements(self.recording)

    @property
    def migration(self) -> Migration:
        """The migration."""
        return self.recording.migration
