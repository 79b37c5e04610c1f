"""The instruments around one migration: the player, the lock monitor, probe sessions and readers."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.lock import LockMode
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.fresh_session import FreshSession
from migsafe.replaying.probes.attribution import attribute_waits
from migsafe.replaying.probes.choice import ProbeChoice, choose_probes
from migsafe.replaying.probes.load_queries import TRIAL_SETTINGS, Columns, LoadChoice, LoadQueries
from migsafe.replaying.probes.load_sessions import LoadSessions
from migsafe.replaying.probes.probe_sessions import Baseline, ProbeSessions
from migsafe.replaying.probes.readers import LongRunningReader
from migsafe.replaying.recording.contents import Contents
from migsafe.replaying.recording.ledger import Ledger
from migsafe.replaying.recording.lock_monitor import Deadlock, LockMonitor
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.player import Player
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.sending import is_idle
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.sources import Migration
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_MAX_PROBED_TABLES = 30


class LoadTask(Struct, frozen=True, kw_only=True):
    """The load beside a migration: from how many sessions, and what the parameters of the queries are compared with."""

    sessions: int
    columns: Columns


class MigrationTask(Struct, frozen=True, kw_only=True):
    """A migration to run in a database, with its predictions and the measurements of rehearsed statements, by index.

    `contents` is what the database contains, if that is known. For `reader_seconds`, a reader holds a lock on each table. `queries` are the
    application's: the probe sessions send those of the running release. They are also looked for in the schemas of `search_path`.
    With a `load`, sessions execute their SELECTs, too.
    """

    database: str
    migration: Migration
    predictions: tuple[StatementPrediction, ...]
    rehearsed: dict[int, Measurement] = {}
    contents: Contents | None = None
    reader_seconds: float = 0.0
    probes: bool = True
    queries: ProjectQueries | None = None
    search_path: tuple[str, ...] = ()
    load: LoadTask | None = None


class Instruments:
    """Runs migrations one after the other and records them. `guard` limits the time of a statement. `contents` is what
    the database contains after the last migration.

    The connections stay open from one migration to the next, until `disconnect`; the state of the migrations' session is discarded.
    """

    def __init__(self, host: Host, guard: Guard) -> None:
        self._host = host
        self._guard = guard
        self._baseline: Baseline = {}
        self._idle: dict[str, list[Connection[Any]]] = {}
        self._sessions: dict[str, FreshSession] = {}
        self._ledger: Ledger | None = None
        self._load_queries: LoadQueries | None = None
        self.contents: Contents | None = None

    def run(self, task: MigrationTask) -> Recording:
        """Runs a migration and records it."""
        touched = self._existing_locked_relations(task)
        choice = self._choose_probes(task, touched[:_MAX_PROBED_TABLES])
        load_choice = self._choose_load(task)
        session = self._sessions.setdefault(task.database, FreshSession(partial(self._host.connect_as_migrator, task.database)))
        worker, observer, counter = session.connection(), self._connect(task.database), self._connect(task.database)
        try:
            give_back = partial(self._give_back, task.database)
            with (
                ProbeSessions(lambda: self._connect(task.database), choice, self._baseline, give_back) as probes,
                LoadSessions(lambda: self._connect_load(task), load_choice, task.load.sessions if task.load is not None else 0) as load,
            ):
                reader = LongRunningReader(lambda: self._host.connect(task.database), touched, task.reader_seconds)
                with reader, LockMonitor(observer, worker.info.backend_pid, [*probes.pids, *load.pids]) as monitor:
                    player = Player(
                        worker,
                        monitor,
                        counter,
                        contents=task.contents,
                        ledger=self._ledger,
                        guard=self._guard,
                        rehearsed=task.rehearsed,
                    )

                    def begin(start: float) -> None:
                        probes.mark(start)
                        load.begin(start)

                    records = player.play(task.migration.up, began=begin)
                probes.mark_end()
                load.finish()
                probes.stop()
        finally:
            session.sent(task.migration.up)
            self._give_back(task.database, observer)
            self._give_back(task.database, counter)
        self.contents, self._ledger = player.contents, player.ledger
        deadlocks = _deadlocks(monitor.deadlocks, choice, probes, load)
        recording = Recording(
            migration=task.migration,
            statements=records,
            duration_ms=1000 * max((record.ended for record in records), default=0.0),
            # A wait that no lock explains comes from a busy machine.
            waits=tuple(
                wait
                for wait in attribute_waits(probes.waits(monitor.lock_waits, player.clock), records)
                if wait.statement is not None or wait.seen_waiting
            ),
            times_before=probes.times_before,
            times_during=probes.times_during(player.clock),
            probe_errors=probes.errors,
            deadlocks=tuple(deadlocks),
            deadlocked_queries={relation: tuple(dict.fromkeys(queries)) for relation, queries in deadlocks.items() if queries},
            load=load.times(player.clock) if task.load is not None else None,
        )
        probes.remember()
        return recording

    def disconnect(self) -> None:
        """Closes the connections, so that databases can be copied and dropped."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _connect(self, database: str) -> "Connection[Any]":
        idle = self._idle.get(database)
        return idle.pop() if idle else self._host.connect(database)

    def _give_back(self, database: str, connection: "Connection[Any]") -> None:
        """Keeps a connection for the next migration, unless it is closed or in a transaction."""
        if connection.closed or not is_idle(connection):
            connection.close()
        else:
            self._idle.setdefault(database, []).append(connection)

    def _choose_probes(self, task: MigrationTask, tables: list[Name]) -> ProbeChoice:
        if not task.probes or not tables:
            return ProbeChoice()
        connection = self._connect(task.database)
        try:
            return choose_probes(connection, tables, task.queries, self._host.major, task.search_path)
        finally:
            self._give_back(task.database, connection)

    def _choose_load(self, task: MigrationTask) -> LoadChoice:
        """Returns the queries of the load. They are tried as the role of the migrations, which is not a superuser."""
        if task.load is None or task.queries is None:
            return LoadChoice()
        if self._load_queries is None:
            self._load_queries = LoadQueries(task.queries)
        with self._connect_load(task) as connection, self._host.connect(task.database) as observer:
            connection.execute(TRIAL_SETTINGS.encode())
            if task.search_path:
                observer.execute(_search_path(task))
            return self._load_queries.choose(connection, observer, task.load.columns)

    def _connect_load(self, task: MigrationTask) -> "Connection[Any]":
        connection = self._host.connect_as_migrator(task.database)
        if task.search_path:
            connection.execute(_search_path(task))
        return connection

    def _existing_locked_relations(self, task: MigrationTask) -> list[Name]:
        """Returns the existing relations that the migration is predicted to lock in SHARE UPDATE EXCLUSIVE or a stronger mode."""
        relations = dict.fromkeys(
            effect.relation
            for prediction in task.predictions
            for effect in prediction.effects
            if effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE and not effect.new and effect.relation.schema != "pg_temp"
        )
        if not relations:
            return []
        names = [str(name) for name in relations]
        query = "SELECT pg_catalog.to_regclass(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS n (name, k) ORDER BY k"
        connection = self._connect(task.database)
        exists = [relation_exists for (relation_exists,) in connection.execute(query, (names,)).fetchall()]
        self._give_back(task.database, connection)
        return [name for name, relation_exists in zip(relations, exists, strict=True) if relation_exists]


def _deadlocks(resolved: Iterable[Deadlock], choice: ProbeChoice, probes: ProbeSessions, load: LoadSessions) -> dict[Name, list[NamedQuery]]:
    """Returns the relations for which the migration waited in deadlocks, with the application's queries that had locked them."""
    found: dict[Name, list[NamedQuery]] = {}
    for deadlock in resolved:
        table, query = probes.sent_at(deadlock.pid, deadlock.when) or (None, load.sent_at(deadlock.pid, deadlock.when))
        relation = choice.relations.get(deadlock.relation or 0, table)
        if relation is not None:
            found.setdefault(relation, []).extend([query] if query is not None else [])
    return found


def _search_path(task: MigrationTask) -> bytes:
    """Returns the statement with which sessions find tables in the schemas of the migrations, too."""
    return f"SET search_path = public, {', '.join(map(quoted, task.search_path))}".encode()
