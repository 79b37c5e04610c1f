"""The subject of experiments: a migration with its databases."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from migsafe.replaying.experiments.contents import Rows, Schema, Tables, lost_rows, read_rows, read_schema, read_tables
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.sending import Refused, is_idle, send
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard, unlimited
from migsafe.session import sent_statements, transaction_numbers
from migsafe.sources import Half, Migration
from migsafe.sql.operations import Name
from migsafe.versions import STATISTICS_IN_SHARED_MEMORY

if TYPE_CHECKING:
    from psycopg import Connection

_numbers = count(1)


class TooSlow(Exception):
    """A statement of an experiment took too long. The message says where, and how long it ran."""


class DatabaseState:
    """The contents of a database, read when first needed."""

    def __init__(self, connect: "Callable[[], Connection[Any]]") -> None:
        self._connect = connect
        self._rows: dict[Name, Rows] = {}

    @cached_property
    def schema(self) -> Schema:
        """The schema."""
        with self._connect() as connection:
            return read_schema(connection)

    @cached_property
    def tables(self) -> Tables:
        """The tables, and how much was written to each."""
        with self._connect() as connection:
            return read_tables(connection)

    def rows(self, names: Iterable[Name]) -> dict[Name, Rows]:
        """Returns the rows of these tables, as far as they exist."""
        wanted = [name for name in names if name in self.tables.tables]
        missing = {name: self.tables.tables[name] for name in wanted if name not in self._rows}
        if missing:
            with self._connect() as connection:
                self._rows.update(read_rows(connection, missing))
        return {name: self._rows[name] for name in wanted}


class Subject:
    """A migration that has run, with the databases before and after it, which have no sessions, and their contents.

    `before` is set only if the migration can stop half-way or can be downgraded; `unwritten` are the tables to which the migration wrote
    nothing, as far as that is known. `emptied` are the tables whose generated rows were removed, so that nothing is
    known about their rows. `outside` are the indexes of the statements that cannot run in a transaction;
    `guard` limits the time of a statement.
    """

    def __init__(
        self,
        host: Host,
        migration: Migration,
        before: str | None,
        after: str,
        states: tuple[DatabaseState, DatabaseState],
        *,
        outside: frozenset[int] = frozenset(),
        emptied: frozenset[Name] = frozenset(),
        unwritten: Collection[Name] = (),
        guard: Guard = unlimited,
    ) -> None:
        self.host = host
        self.migration = migration
        self.before = before
        self.after = after
        self.state_before, self.state_after = states
        self.outside = outside
        self.emptied = emptied
        self.unwritten = unwritten
        self.guard = guard

    @property
    def is_one_transaction(self) -> bool:
        """Whether the migration is one transaction."""
        return is_one_transaction(self.migration.up, self.outside)

    def lost_rows(
        self,
        before: DatabaseState,
        after: DatabaseState,
        unchanged: Collection[Name],
        ignored: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> list[str]:
        """Returns the rows and values that are missing afterwards, one line each; not those of tables that were emptied. `unchanged` are
        tables to which nothing was written meanwhile; they are not read. `ignored` are columns, by table, whose values may differ."""
        compared = [name for name in before.tables.tables if name not in unchanged and name not in self.emptied]
        return lost_rows(before.rows(compared), after.rows(compared), ignored)

    def passed(self, experiment: str, summary: str) -> Outcome:
        """Returns the outcome of an experiment in which nothing failed. It has passed only if nothing was left out and the tables had rows."""
        if self.migration.up.left_out or (self.migration.down is not None and self.migration.down.left_out):
            return Outcome(experiment=experiment, passed=None, summary=f"not tried with the statements that are left out; otherwise {summary}")
        if not self.emptied:
            return Outcome(experiment=experiment, passed=True, summary=summary)
        names = ", ".join(sorted(map(str, self.emptied)))
        return Outcome(experiment=experiment, passed=None, summary=f"not tried with rows: {names} had to be emptied; otherwise {summary}")

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """Creates a copy of a database, which is dropped at the end of the `with` block."""
        name = f"{template}_copy_{next(_numbers)}"
        self.host.create_database(name, template)
        try:
            yield name
        finally:
            self.host.drop_database(name)

    @contextmanager
    def working(self, database: str) -> "Iterator[Connection[Any]]":
        """Connects as the role that migrations run as."""
        connection = self.host.connect_as_migrator(database)
        try:
            yield connection
        finally:
            connection.close()

    def run(self, database: str, half: Half, upto: int | None = None) -> None:
        """Runs a migration as its runner would. Raises Refused, or TooSlow."""
        with self.working(database) as connection:
            try:
                send(connection, half, upto, guard=self.guard)
            except Refused as refused:
                if refused.failure.stopped:
                    down = " of the downgrade" if half is self.migration.down else ""
                    raise TooSlow(f"line {refused.line}{down} was {refused.failure.message}") from refused
                raise
            if connection.info.server_version >= 10000 * STATISTICS_IN_SHARED_MEMORY and is_idle(connection):
                # The counters must contain what was written.
                connection.execute("SELECT pg_catalog.pg_stat_force_next_flush()")

    def state(self, database: str) -> DatabaseState:
        """Returns the contents of a database."""
        return DatabaseState(lambda: self.host.connect(database))


def is_one_transaction(half: Half, outside: frozenset[int]) -> bool:
    """Whether a runner sends the migration in one transaction. Reads the script; raises UnreadableError."""
    if outside:
        return False
    numbers = transaction_numbers(half, [sent.statement for sent in sent_statements(half)])
    return len({number for number in numbers if number is not None}) <= 1
