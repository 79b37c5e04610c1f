"""Which queries lose their index when each index of a project is dropped: what the rule query-loses-index reports, and what a server plans."""

import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import TENFOLD, Connection, GenericPlans, Plan, PlansForValues, cost_with_writes
from migsafe.expressions.queries.shapes import UnreadShape
from migsafe.library.editing import EditingSession
from migsafe.linting.facts.sql_words import words_of
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import quoted
from migsafe.workload.binding import Binder
from migsafe.workload.lookups import Lookups
from migsafe.workload.optional import has_optional
from migsafe.workload.query import Query
from migsafe.workload.shapes import shared_shapes

Explain = Callable[[Query], object]
_RULE = "query-loses-index"
_INDEXES = """
    SELECT n.nspname, c.relname, n.nspname, t.relname, (
        SELECT conname FROM pg_catalog.pg_constraint AS o WHERE o.conindid = c.oid AND o.contype IN ('p', 'u', 'x') LIMIT 1)
    FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^(pg_|information_schema$)' AND c.relkind IN ('i', 'I') AND NOT c.relispartition ORDER BY 1, 2
"""
_NUMBER = re.compile(r"\d+")


_DEARER = 500.0
"""By how much the cost rises at least when a table of 100,000 rows is read as a whole."""
_HALF_AS_DEAR = 1.5
"""How many times the cost rises at least: beside tables that a query reads as a whole in any case, another one may hardly be felt."""


class DroppedIndex(Struct, frozen=True):
    """An index of the final schema, and the statement that drops it."""

    name: str
    table: str
    statement: str


def dropped_indexes(connection: Connection) -> Iterator[DroppedIndex]:
    """Yields all indexes, with the statements that drop them or their constraints."""
    for schema, index, _, table, constraint in connection.execute(_INDEXES).fetchall():
        qualified = f"{quoted(schema)}.{quoted(table)}"
        if constraint is None:
            yield DroppedIndex(index, table, f"DROP INDEX {quoted(schema)}.{quoted(index)};")
        else:
            yield DroppedIndex(index, table, f"ALTER TABLE {qualified} DROP CONSTRAINT {quoted(constraint)} CASCADE;")


class LostIndexes:
    """Compares the rule with the server, for each index of a project. `folder` is where a copy of the history is written."""

    def __init__(self, migrations: str, queries_at: str, queries: Sequence[Query], catalog: Catalog, folder: Path) -> None:
        self.queries = queries
        self.counts: Counter[str] = Counter()
        self.confusions: list[str] = []
        self._costs: dict[str, str] = {}
        self._broken: set[str] = set()
        self._catalog = catalog
        history = folder / "migrations"
        shutil.copytree(migrations, history)
        (folder / "migsafe.toml").write_text(f'migrations = ["migrations"]\nqueries = ["{Path(queries_at).resolve()}"]\n')
        last = sorted(file for file in history.rglob("*.sql") if not file.name.endswith(".down.sql"))[-1]
        self._file = last.with_name(_NUMBER.sub(lambda match: "9" * len(match[0]), last.name, count=1))
        self._file.write_text("")

    def compare(self, connection: Connection, unfilled: Sequence[str]) -> None:
        """Drops each index in turn, and compares the queries that are expensive then with those that the rule names."""
        generic, for_values = GenericPlans(connection), PlansForValues(connection)
        plans: list[Explain] = [generic.explain, lambda query: for_values.explain(query) if self._is_optional(query) else None]
        before = [{query.fingerprint: explain(query) for query in self.queries} for explain in plans]
        session = EditingSession()
        try:
            for index in dropped_indexes(connection):
                if f"public.{index.table}" in unfilled:
                    self.counts["indexes of tables that could not be filled"] += 1
                    continue
                planned = (query for query in self.queries if isinstance(before[0][query.fingerprint], Plan))
                reading = [query for query in planned if index.table.lower() in words_of(query.text) and not self._reads(query, unfilled)]
                lost = self._lost(connection, plans, index, before, reading)
                if lost is not None:
                    reported = self._reported(session, index)
                    self._judge(index, lost, reported, [query for query in reading if query.fingerprint not in self._broken])
        finally:
            session.close()

    def _is_optional(self, query: Query) -> bool:
        """Whether a query has conditions that a value switches off. PostgreSQL plans it for its values."""
        lookups = Lookups(self._catalog, shared_shapes())
        shape = lookups.shapes.query(query.text)
        return not isinstance(shape, UnreadShape) and has_optional(Binder(lookups, query.parameters).query(shape))

    @staticmethod
    def _reads(query: Query, tables: Sequence[str]) -> bool:
        """Whether a query mentions one of these tables."""
        return any(table.rpartition(".")[2].lower() in words_of(query.text) for table in tables)

    def _lost(
        self,
        connection: Connection,
        plans: Sequence[Explain],
        index: DroppedIndex,
        before: Sequence[Mapping[str, object]],
        reading: Sequence[Query],
    ) -> set[str] | None:
        """Returns the queries that become expensive without an index; None if it cannot be dropped."""
        lost: set[str] = set()
        self._broken = set()
        self._costs = {}
        connection.execute("BEGIN")
        try:
            connection.execute(index.statement.encode())
            for query in reading:
                for explain, known in zip(plans, before, strict=True):
                    first, now = known[query.fingerprint], explain(query)
                    if isinstance(first, Plan) and isinstance(now, Plan):
                        self._compare_plans(query, index, first, now, lost)
                    elif isinstance(first, Plan):
                        # GROUP BY or ON CONFLICT needs the index: query-breaks is about that.
                        self._broken.add(query.fingerprint)
        except psycopg.Error as error:
            self.counts["indexes that could not be dropped"] += 1
            print(f"    {index.name}: {str(error).splitlines()[0]}")
            return None
        finally:
            connection.execute("ROLLBACK")
        return lost

    def _compare_plans(self, query: Query, index: DroppedIndex, first: Plan, now: Plan, lost: set[str]) -> None:
        cost, cost_now = cost_with_writes(first), cost_with_writes(now)
        costs = f"cost {cost:,.0f} to {cost_now:,.0f}"
        self._costs[query.fingerprint] = "; ".join(filter(None, (self._costs.get(query.fingerprint), costs)))
        is_dearer = cost_now > TENFOLD * cost or index.table in _read_whole(now) - _read_whole(first)
        if is_dearer and cost_now > max(cost + _DEARER, cost * _HALF_AS_DEAR):
            lost.add(query.fingerprint)

    def _reported(self, session: EditingSession, index: DroppedIndex) -> set[str]:
        edited = session.judge(str(self._file), index.statement + "\n")
        assert edited is not None
        return {query.fingerprint for finding in edited.verdict.findings if finding.rule == _RULE for query in finding.queries}

    def _judge(self, index: DroppedIndex, lost: set[str], reported: set[str], reading: Sequence[Query]) -> None:
        self.counts["indexes"] += 1
        self.counts["pairs"] += len(reading)
        for query in reading:
            real, ours = query.fingerprint in lost, query.fingerprint in reported
            self.counts[f"{'lost' if real else 'kept'}, called {'lost' if ours else 'kept'}"] += 1
            if real != ours:
                place = query.places[0]
                cost = self._costs.get(query.fingerprint, "not planned")
                verdict = "called lost" if ours else "missed"
                text = " ".join(query.text.split())[:500]
                self.confusions.append(f"{verdict}: {index.name} for {place.path}:{place.line} {place.name}, {cost}\n      {text}")


def _read_whole(plan: Plan) -> set[str]:
    """Returns the tables that a plan reads as a whole."""
    return {read.relation.name for read in plan.full_reads}
