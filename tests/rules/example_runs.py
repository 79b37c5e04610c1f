"""Runs the examples of the rules' documentation on a server."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.recording.snapshot import take_snapshot
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Begin, Commit, Name, Release, Rollback, RollbackTo, Savepoint, TwoPhase
from migsafe.sql.statements import read
from tests.support.linted import NEXT_MIGRATION
from tests.support.statement_meter import StatementMeter

SCHEMA, PARTITIONED = (Path(__file__).parent / "examples_schema.sql").read_text().split("-- variant: partitioned\n")
MODEL, COPY, SHARED = "examples", "example", "shared"
ROWS = 1000
MOST_OBSTACLES = 12
CONTROL = (Begin, Commit, Release, Rollback, RollbackTo, Savepoint, TwoPhase)

# The value of a column of each type in row n, if times begin at {0}.
VALUES = {
    "boolean": "n % 2 = 0",
    "date": "date {0} + n % 28",
    "timestamp without time zone": "timestamp {0} + n * interval '6 minutes'",
    "timestamp with time zone": "timestamptz {0} + n * interval '6 minutes'",
    "uuid": "gen_random_uuid()",
    "json": "json_build_object('n', n)",
    "jsonb": "jsonb_build_object('n', n)",
    "bytea": "decode('00', 'hex')",
    "tstzrange": "tstzrange(timestamptz {0} + n * interval '6 minutes', timestamptz {0} + (n + 1) * interval '6 minutes')",
    "interval": "n * interval '1 minute'",
}
NUMBERS = re.compile(r"smallint|integer|bigint|numeric|real|double precision|money")
TEXTS = re.compile(r"text|character|citext|\"char\"")
PERIOD = re.compile(r"_(?:y|p)?(20\d\d)(?:_?m?(\d\d))?$")

# Errors that say that an object of an example exists already, each with the commands that remove the object.
OBSTACLES = [
    (re.compile(r'^relation "(\w+)" already exists'), ("DROP TABLE IF EXISTS {0} CASCADE", "DROP INDEX IF EXISTS {0} CASCADE")),
    (re.compile(r'^column "(\w+)" of relation "(\w+)" already exists'), ("ALTER TABLE {1} DROP COLUMN {0} CASCADE",)),
    (re.compile(r'^constraint "(\w+)" for relation "(\w+)" already exists'), ("ALTER TABLE {1} DROP CONSTRAINT {0} CASCADE",)),
    (re.compile(r'^multiple primary keys for table "(\w+)"'), ("ALTER TABLE {0} DROP CONSTRAINT {0}_pkey CASCADE",)),
    (re.compile(r'^column "(\w+)" of relation "(\w+)" is an identity column'), ("ALTER TABLE {1} ALTER COLUMN {0} DROP IDENTITY",)),
    (re.compile(r'^column "(\w+)" of relation "(\w+)" is already an identity column'), ("ALTER TABLE {1} ALTER COLUMN {0} DROP IDENTITY",)),
    (re.compile(r'^"(\w+)" is already a partition'), ("ALTER TABLE orders DETACH PARTITION {0}",)),
    (re.compile(r'^type "(\w+)" already exists'), ("DROP TYPE IF EXISTS {0} CASCADE",)),
    (re.compile(r'^schema "(\w+)" already exists'), ("DROP SCHEMA {0} CASCADE",)),
    (re.compile(r'^function "(\w+)" already exists'), ("DROP FUNCTION {0} CASCADE",)),
]

COLUMNS = """
    SELECT c.oid::regclass::text, a.attname, 'column', concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN
        'NOT NULL' END, nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace NOT IN ({system})
"""
CONSTRAINTS = """
    SELECT o.conrelid::regclass::text, o.conname, 'constraint', pg_get_constraintdef(o.oid) FROM pg_constraint AS o
    WHERE o.conrelid <> 0 AND o.connamespace NOT IN ({system}) AND (o.contype <> 'n' OR NOT o.convalidated)
    UNION ALL SELECT o.contypid::regtype::text, o.conname, 'constraint', pg_get_constraintdef(o.oid) FROM pg_constraint AS o
    WHERE o.contypid <> 0 AND o.connamespace NOT IN ({system}) AND o.contype <> 'n'
"""
INDEXES = """
    SELECT i.indrelid::regclass::text, c.relname, 'index', concat_ws(' ', replace(pg_get_indexdef(c.oid), c.relname, '?'), CASE WHEN NOT
        i.indisvalid THEN 'INVALID' END, CASE WHEN i.indisprimary THEN 'PRIMARY' END)
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace NOT IN ({system})
"""
RELATIONS = """
    SELECT c.oid::regclass::text, '', 'relation', concat_ws(' ', c.relkind, c.relpersistence, pg_get_partkeydef(c.oid),
        pg_get_expr(c.relpartbound, c.oid), CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, i.inhparent::regclass)
    FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relnamespace NOT IN ({system})
"""
OTHERS = """
    SELECT t.oid::regtype::text, '', 'type', concat_ws(' ', t.typtype, t.typnotnull, (SELECT string_agg(e.enumlabel, ',' ORDER BY
        e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid))
    FROM pg_type AS t WHERE t.typtype IN ('e', 'd') AND t.typnamespace NOT IN ({system})
    UNION ALL SELECT tgrelid::regclass::text, tgname, 'trigger', concat_ws(' ', tgenabled) FROM pg_trigger WHERE NOT tgisinternal
"""
SYSTEM = "SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast')"


class Object(NamedTuple):
    """An object in a database's schema: its relation, its name, its kind, its definition."""

    of: str
    name: str
    kind: str
    definition: str


class Step(NamedTuple):
    """The effects of one statement of an example on the relations that existed before its migration. `held` are earlier locks."""

    migration: int
    statement: int
    sql: str
    effects: tuple[Effect, ...]
    held: dict[Name, LockMode]


class Run(NamedTuple):
    """The result of an example: the error at which it stopped, if any; if it was measured, its statements and the final schema."""

    steps: tuple[Step, ...]
    schema: frozenset[Object]
    error: psycopg.Error | None


class Bench:
    """A server with the database that the examples expect, and copies of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._admin = server.connect()
        self._runs: dict[tuple[str, bool, frozenset[int]], Run] = {}
        server.create_database(MODEL)
        with server.connect(MODEL) as connection:
            for statement in read(SCHEMA):
                connection.execute(SCHEMA[statement.span.start : statement.span.end].encode())
            fill_new(connection, set())
            for view in ("order_totals", "sales_by_day"):
                connection.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())
            connection.execute("ANALYZE")
        server.create_database(SHARED, template=MODEL)
        self._shared = server.connect(SHARED)

    def close(self) -> None:
        """Closes the connections."""
        self._shared.close()
        self._admin.close()

    def run(self, sql: str, *, measured: bool = False, years: frozenset[int] = frozenset()) -> Run:
        """Runs an example in a separate database, and remembers the result. `years` are the partitions of orders, if it has any."""
        key = (sql, measured, years)
        if key not in self._runs:
            self._runs[key] = self._run(sql, measured, years)
        return self._runs[key]

    def _run(self, sql: str, measured: bool, years: frozenset[int]) -> Run:
        if not measured and not years and self._runs_in_a_transaction(sql):
            return Run((), frozenset(), None)
        room: list[str] = []
        first: Run | None = None
        while True:
            with self._copied():
                try:
                    self._prepare("; ".join([*_partitioned(years), *room]))
                except psycopg.Error:
                    break
                run = self._attempt(sql, measured)
            first = first or run
            more = [command for command in _room_for(run.error) if command not in room]
            if not more or len(room) > MOST_OBSTACLES:
                return run
            room += more
        assert first is not None
        return first

    def _runs_in_a_transaction(self, sql: str) -> bool:
        """Whether an example runs unchanged in one transaction, which is a quicker way to see that it runs."""
        statements = [sql[statement.span.start : statement.span.end] for statement in read(sql)]
        if any(isinstance(operation, CONTROL) for statement in read(sql) for operation in statement.operations):
            return False
        self._shared.execute("BEGIN")
        try:
            for statement in statements:
                self._shared.execute(statement.encode())
        except psycopg.Error:
            return False
        finally:
            self._shared.execute("ROLLBACK")
        return True

    def _prepare(self, text: str) -> None:
        if not text:
            return
        with self.server.connect(COPY) as connection:
            for statement in read(text):
                # Of two commands that drop a relation, one is for the other kind.
                with suppress(psycopg.errors.WrongObjectType):
                    connection.execute(text[statement.span.start : statement.span.end].encode())
            fill_new(connection, set())

    def _attempt(self, sql: str, measured: bool) -> Run:
        steps: list[Step] = []
        error = None
        try:
            pieces = NEXT_MIGRATION.split(sql)
            for number, piece in enumerate(pieces):
                self._migrate(number, piece, measured, steps, last=number == len(pieces) - 1)
        except psycopg.Error as raised:
            error = raised
        if not measured:
            return Run((), frozenset(), error)
        with self.server.connect(COPY) as connection:
            return Run(tuple(steps), _schema(connection), error)

    def _migrate(self, number: int, text: str, measured: bool, steps: list[Step], *, last: bool) -> None:
        """Sends a migration as psql does: each statement is its own transaction, unless the migration opens one."""
        connection = self.server.connect(COPY)
        try:
            meter = StatementMeter(connection) if measured else None
            before = {one.name for one in take_snapshot(connection).relations.values()}
            for statement in read(text):
                sql = text[statement.span.start : statement.span.end]
                control = any(isinstance(operation, CONTROL) for operation in statement.operations)
                if meter is None or control:
                    connection.execute(sql.encode())
                    continue
                try:
                    found = meter.measure(sql)
                except psycopg.errors.ActiveSqlTransaction:
                    if connection.info.transaction_status != TransactionStatus.IDLE:
                        raise
                    connection.close()
                    found = measure_nontransactional(self.server, COPY, sql)
                    connection = self.server.connect(COPY)
                    meter = StatementMeter(connection)
                steps.append(_step(number, statement.index, sql, found, before))
            if connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            if not last:
                fill_new(connection, before)
        finally:
            connection.close()

    @contextmanager
    def _copied(self) -> Iterator[None]:
        how = " STRATEGY file_copy" if self.server.installation.major >= 15 else ""
        self._admin.execute(f"CREATE DATABASE {COPY} TEMPLATE {MODEL}{how}".encode())
        try:
            yield
        finally:
            self._admin.execute(f"DROP DATABASE {COPY} WITH (FORCE)".encode())


def _step(migration: int, statement: int, sql: str, found: Measurement, before: set[Name]) -> Step:
    effects = tuple(effect for effect in found.effects if effect.relation in before)
    return Step(migration, statement, sql, effects, {name: lock for name, lock in found.held_before.items() if name in before})


def _partitioned(years: frozenset[int]) -> list[str]:
    if not years:
        return []
    bounds = "CREATE TABLE orders_{0} PARTITION OF orders FOR VALUES FROM ('{0}-01-01') TO ('{1}-01-01')"
    return [PARTITIONED, *(bounds.format(year, year + 1) for year in sorted(years))]


def _room_for(error: psycopg.Error | None) -> list[str]:
    """Returns the commands that remove the object because of which an example stopped."""
    said = str(error).partition("\n")[0]
    for pattern, commands in OBSTACLES:
        match = pattern.search(said)
        if match is not None:
            return [command.format(*match.groups()) for command in commands]
    return []


def fill_new(connection: "psycopg.Connection[Any]", before: set[Name]) -> None:
    """Fills the new, empty tables with rows, so that the next migration finds them as in production."""
    for relation in take_snapshot(connection).relations.values():
        if relation.name in before or relation.kind != "table" or relation.name.schema == "pg_temp":
            continue
        empty = connection.execute(f"SELECT NOT EXISTS (SELECT FROM {relation.name})".encode()).fetchone()
        columns = connection.execute(
            "SELECT quote_ident(attname), format_type(atttypid, NULL), atttypid::regtype::text, t.typtype = 'e' FROM pg_attribute"
            " JOIN pg_type AS t ON t.oid = atttypid WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
            " ORDER BY attnum",
            (relation.oid,),
        ).fetchall()
        if empty == (True,) and columns:
            period = PERIOD.search(relation.name.name)
            begin = f"{period[1]}-{period[2] or '01'}-01" if period else "2024-01-01"
            names, values = [row[0] for row in columns], [_value(*row[1:], begin) for row in columns]
            rows = f"SELECT {', '.join(values)} FROM generate_series(1, {ROWS}) AS n"
            connection.execute(f"INSERT INTO {relation.name} ({', '.join(names)}) OVERRIDING SYSTEM VALUE {rows}".encode())


def _value(kind: str, name: str, enum: bool, begin: str) -> str:
    if enum:
        return f"(enum_range(NULL::{name}))[1]"
    if kind in VALUES:
        return VALUES[kind].format(f"'{begin}'")
    return "n" if NUMBERS.match(kind) else f"('v' || n)::{name}" if TEXTS.match(kind) else "NULL"


def _schema(connection: "psycopg.Connection[Any]") -> frozenset[Object]:
    queries = (COLUMNS, CONSTRAINTS, INDEXES, RELATIONS, OTHERS)
    return frozenset(Object(*row) for query in queries for row in connection.execute(query.format(system=SYSTEM).encode()).fetchall())
