"""What a real server says about the queries of a project: whether it prepares them, and which of them an index would make ten times cheaper."""

import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.replaying.queries.plan_changes import EXPENSIVE, TENFOLD
from migsafe.replaying.queries.plan_trees import Plan
from migsafe.replaying.queries.plans import GenericPlans, with_usual_page
from migsafe.replaying.seeding.seeder import Seeder, same_for_every_table
from migsafe.replaying.servers.server import Server
from migsafe.session import sent_statements
from migsafe.sources import Half, Transaction, find_migrations
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.workload.query import Query

__all__ = [
    "EXPENSIVE",
    "TENFOLD",
    "Candidate",
    "Connection",
    "GenericPlans",
    "Plan",
    "PlansForValues",
    "cheapest",
    "cost_with_writes",
    "ends_at_first_rows",
    "full_cost",
    "know_expressions",
    "migrations",
    "seeded_database",
]

Connection = psycopg.Connection[Any]

_ROLE = re.compile(r'role "(.+)" does not exist')


class Candidate(Struct, frozen=True):
    """An index that is built to see whether it helps: the keys and the predicate are SQL."""

    table: Name
    keys: tuple[str, ...]
    method: str = "btree"
    predicate: str = ""

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.keys)}){self.where}"

    @property
    def where(self) -> str:
        """The predicate with WHERE; empty if the index has all rows."""
        return f" WHERE {self.predicate}" if self.predicate else ""

    @property
    def definition(self) -> str:
        """What CREATE INDEX has after the name of the index."""
        return f"ON {self.table} USING {self.method} ({', '.join(self.keys)}){self.where}"


def run_migration(connection: Connection, half: Half) -> str:
    """Sends a migration as its runner does, with the roles that it needs; returns the error with which it failed, empty if it succeeded."""
    for _ in range(20):
        try:
            _send(connection, half)
        except psycopg.Error as error:
            connection.execute("ROLLBACK")
            missing = _ROLE.search(str(error))
            if missing is None:
                return f"{half.script.path}: {str(error).splitlines()[0]}"
            connection.execute(f"CREATE ROLE {Name(missing[1])}".encode())
        else:
            return ""
    return f"{half.script.path}: too many missing roles"


def _send(connection: Connection, half: Half) -> None:
    wraps = half.transaction is Transaction.FILE
    if wraps:
        connection.execute("BEGIN")
    for statement, first, last in sent_statements(half):
        text = half.script.text[statement.span.start : statement.span.end]
        if isinstance(statement.operations[0], sql.PsqlCommand):
            continue
        in_query = half.transaction is Transaction.QUERY and not (first and last)
        if in_query and first:
            connection.execute("BEGIN")
        connection.execute(text.encode())
        if in_query and last:
            connection.execute("COMMIT")
    if wraps:
        connection.execute("COMMIT")


def migrations(folder: str) -> Iterator[Half]:
    """The migrations of a history, in order."""
    for source in find_migrations([folder]).sources:
        for step in source.steps():
            yield step.migration.up


@contextmanager
def seeded_database(
    server: Server, folder: str, name: str, rows: int, change: Callable[[Connection], None] | None = None
) -> "Iterator[tuple[Connection, list[str]]]":
    """A database with the final schema of a history, whose tables have this number of rows; and the tables that have fewer. `change` may change
    the rows before they are analysed."""
    server.create_database(name)
    with server.connect(name) as connection:
        for half in migrations(folder):
            problem = run_migration(connection, half)
            if problem:
                print(f"    skipped: {problem[:160]}")
        # A table that a migration fills would keep its few rows, and the foreign keys to it would be all alike.
        empty_tables(connection)
        seeder = Seeder(same_for_every_table(rows), limit=25)
        seeder.seed(connection)
        for table, reason in seeder.unfilled.items():
            print(f"    {table} has fewer rows: {reason[:120]}")
        if change is not None:
            change(connection)
        refresh_materialized_views(connection)
        connection.execute("VACUUM ANALYZE")
        yield connection, sorted({*seeder.unfilled, *_empty_tables(connection)})


def _empty_tables(connection: Connection) -> Iterator[str]:
    """Yields the tables that have no rows: a partitioned table may have no partition, because the application creates them."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table in rows:
        name = Name(table, schema)
        if connection.execute(f"SELECT 1 FROM {name} LIMIT 1".encode()).fetchone() is None:
            print(f"    {name} is empty")
            yield str(name)


def empty_tables(connection: Connection) -> None:
    """Empties all tables."""
    rows = connection.execute(
        "SELECT oid::regclass::text FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    if rows:
        connection.execute(f"TRUNCATE {', '.join(name for (name,) in rows)} CASCADE".encode())


def refresh_materialized_views(connection: Connection) -> None:
    """Fills the materialized views from the rows of their tables; one whose query fails with these rows keeps its own."""
    rows = connection.execute("SELECT oid::regclass::text FROM pg_catalog.pg_class WHERE relkind = 'm' ORDER BY oid").fetchall()
    for (name,) in rows:
        try:
            connection.execute(f"REFRESH MATERIALIZED VIEW {name}".encode())
        except psycopg.Error as error:
            print(f"    {name} keeps its rows: {str(error).splitlines()[0][:120]}")


class Preparations:
    """Prepares queries on a connection, and plans them with NULLs (manual, plan_cache_mode)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.execute("SET plan_cache_mode = force_generic_plan")
        self._parameters: dict[str, int] = {}
        self._names: dict[str, str] = {}

    def prepare(self, query: Query) -> str:
        """Prepares a query; returns the SQLSTATE with which the server rejects it, empty if it does not."""
        name = f"q{len(self._parameters)}"
        types = [kind or "unknown" for kind in query.parameters]
        declared = f"({', '.join(types)})" if types else ""
        try:
            self.connection.execute(f"PREPARE {name}{declared} AS {query.text}".encode())
        except psycopg.Error as error:
            return error.sqlstate or "?????"
        row = self.connection.execute(
            "SELECT cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = %s", (name,)
        ).fetchone()
        self._parameters[query.text] = row[0] if row is not None else 0
        self._names[query.text] = name
        return ""

    def rejection(self, query: Query) -> str:
        """Returns the SQLSTATE with which the server rejects a prepared query when it plans it; empty if it does not."""
        nulls = ", ".join(["NULL"] * self._parameters[query.text])
        arguments = f"({nulls})" if nulls else ""
        try:
            self.connection.execute(f"EXPLAIN EXECUTE {self._names[query.text]}{arguments}".encode())
        except psycopg.Error as error:
            return error.sqlstate or "?????"
        return ""

    def forget(self) -> None:
        """Forgets all prepared statements."""
        self.connection.execute("DEALLOCATE ALL")
        self._parameters.clear()


_EXAMPLES = {
    "boolean": "true", "uuid": "'00000000-0000-4000-8000-000000000001'", "date": "'2024-01-01'", "json": "'{}'", "jsonb": "'{}'",
    "timestamp without time zone": "'2024-01-01'", "timestamp with time zone": "'2024-01-01'", "time without time zone": "'10:00'",
    "interval": "'1 day'", "bytea": "'x'", "inet": "'10.0.0.1'",
}  # fmt: skip
_KINDS = """
    SELECT p.type::regtype::text, t.typcategory, (SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = p.type LIMIT 1)
    FROM pg_catalog.pg_prepared_statements, pg_catalog.unnest(parameter_types::oid[]) WITH ORDINALITY AS p (type, k)
        JOIN pg_catalog.pg_type AS t ON t.oid = p.type
    WHERE name = 'with_values' ORDER BY k
"""


class PlansForValues:
    """Plans queries for a value of each parameter: what PostgreSQL chooses for conditions that a value switches off."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def explain(self, query: Query) -> Plan | None:
        """Returns the plan of a query; None if it fails, or a value of a parameter is not known."""
        query = with_usual_page(query)
        types = [kind or "unknown" for kind in query.parameters]
        declared = f"({', '.join(types)})" if types else ""
        is_idle = self.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        self.connection.execute("BEGIN" if is_idle else "SAVEPOINT with_values")
        try:
            self.connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            self.connection.execute(f"PREPARE with_values{declared} AS {query.text}".encode())
            values = [_example(*row) for row in self.connection.execute(_KINDS).fetchall()]
            if None in values:
                return None
            arguments = f"({', '.join(map(str, values))})" if values else ""
            row = self.connection.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE with_values{arguments}".encode()).fetchone()
        except psycopg.Error:
            return None
        finally:
            self.connection.execute("ROLLBACK" if is_idle else "ROLLBACK TO with_values")
            self.connection.execute("DEALLOCATE ALL")
        assert row is not None
        tree = row[0][0]["Plan"]
        return Plan(float(tree["Total Cost"]), tree)


def _example(name: str, category: str, label: str | None) -> str | None:
    """Returns a value of a type, as SQL."""
    if label is not None:
        return f"'{label}'"
    if name.endswith("[]"):
        element = _example(name[:-2], _CATEGORIES.get(name[:-2], "S"), None)
        return f"ARRAY[{element}]::{name}" if element is not None else None
    return _EXAMPLES.get(name) or {"N": "7", "S": "'name'"}.get(category)


_CATEGORIES = {"integer": "N", "bigint": "N", "smallint": "N", "numeric": "N", "double precision": "N"}


def cost_with_writes(plan: Plan) -> float:
    """Returns the cost of a plan with its INSERTs, UPDATEs and DELETEs in WITH, which PostgreSQL leaves out if nothing reads them."""
    return max(plan.cost, sum(float(node["Total Cost"]) for node in plan.nodes() if node["Node Type"] == "ModifyTable"))


@contextmanager
def built(connection: Connection, candidates: Iterable[Candidate]) -> Iterator[bool]:
    """Candidate indexes, really built, for a while; False if one of them cannot be built."""
    candidates = list(candidates)
    connection.execute("BEGIN")
    try:
        for candidate in candidates:
            connection.execute(f"CREATE INDEX {candidate.definition}".encode())
            if any(key.startswith("(") for key in candidate.keys):
                connection.execute(f"ANALYZE {candidate.table}".encode())
    except psycopg.Error:
        connection.execute("ROLLBACK")
        yield False
        return
    try:
        yield True
    finally:
        connection.execute("ROLLBACK")


def cheapest(
    connection: Connection, plans: GenericPlans, queries: Sequence[Query], candidates: Iterable[Candidate], in_full: Container[str] = ()
) -> dict[str, float]:
    """Returns the cost of each query with some indexes, by text; nothing if they cannot be built. Those `in_full` are counted as such."""
    with built(connection, candidates) as could_build:
        planned = {query.text: plans.explain(query) for query in queries} if could_build else {}
    return {text: full_cost(plan) if text in in_full else plan.cost for text, plan in planned.items() if isinstance(plan, Plan)}


def full_cost(plan: Plan) -> float:
    """Returns the cost of a plan that is not ended early."""
    return max(float(node["Total Cost"]) for node in plan.nodes())


def ends_at_first_rows(plan: Plan) -> bool:
    """Whether EXISTS, or LIMIT in a whole table, ends the search for rows. PostgreSQL expects to find them after a part of what it reads; if no
    row has the value, it reads everything."""
    return any(
        "Filter" in node
        and float(node["Total Cost"]) > plan.cost
        and (node["Node Type"] == "Seq Scan" or node.get("Parent Relationship") == "InitPlan")
        for node in plan.nodes()
    )


def know_expressions(connection: Connection, candidates: Iterable[Candidate]) -> None:
    """Collects statistics of the expressions of indexes, as an index would: without them, PostgreSQL guesses how many rows have a value."""
    keys = dict.fromkeys((candidate.table, key) for candidate in candidates for key in candidate.keys if key.startswith("("))
    for number, (table, key) in enumerate(keys):
        try:
            connection.execute(f"CREATE STATISTICS migsafe_{number} ON {key} FROM {table}".encode())
            connection.execute(f"ANALYZE {table}".encode())
        except psycopg.Error as error:
            print(f"    no statistics of {table} {key}: {str(error).splitlines()[0][:100]}")
