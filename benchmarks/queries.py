"""How correct the rules about queries are, on the queries of real projects and on real servers.

    python benchmarks/queries.py indexes NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py breaks NAME=MIGRATIONS:QUERIES… [--bindir DIR] [--verbose]

`MIGRATIONS` is the folder of a history, `QUERIES` a file or folder that `queries` in the configuration could name.

`indexes` builds the final schema and fills its tables. A query is un-indexed if its generic plan costs more than 1,000 and falls more than
tenfold when an index is really built: on each column that the query names of a table that is read as a whole, and those that migsafe proposes.
The benchmark compares the queries that migsafe calls un-indexed with these, and prints the share of queries that were resolved.

`breaks` runs the history, and before and after each migration that drops, renames or tightens something it prepares every query. The server's
answer is compared with migsafe's, for each pair of query and migration.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lock_truth import choose_installation
from benchmarks.query_truth import (
    EXPENSIVE,
    TENFOLD,
    Candidate,
    Connection,
    Server15Plans,
    cheapest,
    migrations,
    scanned,
    seeded_database,
)
from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.workload.assessment import QueryAssessment, assess
from migsafe.workload.query import Query
from migsafe.workload.reading import read_workload


def final_catalog(folder: str, version: int) -> Catalog:
    """Returns the database after a history, which began with an empty one."""
    predictor = Predictor(version)
    predictor.begin_history(from_first_migration=True)
    for half in migrations(folder):
        predictor.apply(half)
    return predictor.catalog


class Project:
    """A project: its history and its queries."""

    def __init__(self, argument: str) -> None:
        self.name, _, rest = argument.partition("=")
        self.migrations, _, self.queries_at = rest.partition(":")
        workload = read_workload([self.queries_at], self.queries_at if Path(self.queries_at).is_dir() else ".")
        self.queries = workload.queries

    def __str__(self) -> str:
        return f"{self.name}: {len(self.queries)} queries"


class IndexTruth:
    """Compares the un-indexed queries of a project with the truth."""

    def __init__(self, project: Project, connection: Connection, catalog: Catalog) -> None:
        self.project = project
        self.plans = Server15Plans(connection)
        self.catalog = catalog
        self.counts: Counter[str] = Counter()
        self.confusions: list[str] = []

    def compare(self) -> None:
        """Compares every query that the server plans."""
        assessed = {query.text: assess(query, self.catalog) for query in self.project.queries}
        self.counts["queries"] = len(assessed)
        self.counts["resolved"] = sum(not each.unresolved and not each.uncertain and each.failure is None for each in assessed.values())
        planned: dict[str, float] = {}
        tables: dict[str, set[str]] = {}
        prepared = [query for query in self.project.queries if not self._rejected(query)]
        for query in prepared:
            plan = self.plans.plan(query)
            if plan is not None:
                planned[query.text] = plan["Total Cost"]
                tables[query.text] = set(scanned(plan))
        self.counts["judged"] = len(planned)
        costs = self._cheapest([query for query in prepared if planned.get(query.text, 0) > EXPENSIVE], assessed, tables)
        for query in prepared:
            if query.text in planned:
                self._judge(query, assessed[query.text], planned[query.text], costs.get(query.text, {}))

    def _rejected(self, query: Query) -> bool:
        state = self.plans.prepare(query)
        if state:
            self.counts[f"not prepared ({state})"] += 1
        return bool(state)

    def _cheapest(self, queries: list[Query], assessed: dict[str, QueryAssessment], tables: dict[str, set[str]]) -> dict[str, dict[str, float]]:
        """Returns the costs of each query with each candidate, and with the best for each table together."""
        by_candidate: dict[Candidate, list[Query]] = {}
        for query in queries:
            for candidate in set(self._candidates(assessed[query.text], tables[query.text])):
                by_candidate.setdefault(candidate, []).append(query)
        costs: dict[str, dict[str, float]] = {}
        best: dict[str, dict[str, tuple[float, Candidate]]] = {}
        for number, (candidate, users) in enumerate(by_candidate.items(), 1):
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{self.project.name}: index {number} of {len(by_candidate)}")
            for text, cost in cheapest(self.plans, users, [candidate]).items():
                costs.setdefault(text, {})[str(candidate)] = cost
                of_table = best.setdefault(text, {})
                if str(candidate.table) not in of_table or cost < of_table[str(candidate.table)][0]:
                    of_table[str(candidate.table)] = (cost, candidate)
        for query in queries:
            together = [candidate for _, candidate in best.get(query.text, {}).values()]
            if len(together) > 1:
                both = cheapest(self.plans, [query], together)
                if query.text in both:
                    costs[query.text][" + ".join(map(str, together))] = both[query.text]
        return costs

    def _candidates(self, assessment: QueryAssessment, tables: set[str]) -> Iterator[Candidate]:
        for access in assessment.accesses:
            if access.candidate is not None:
                yield Candidate(access.name, access.candidate.keys, access.candidate.method)
        for relation in assessment.relations:
            if relation.name.name in tables:
                for column in relation.columns:
                    yield Candidate(relation.name, (sql.quoted(column),))

    def _judge(self, query: Query, assessment: QueryAssessment, cost: float, costs: dict[str, float]) -> None:
        lowest = min(costs.items(), key=lambda item: item[1], default=("", cost))
        real = cost > EXPENSIVE and lowest[1] * TENFOLD < cost
        ours = any(access.is_unindexed for access in assessment.accesses)
        self.counts[f"{'un-indexed' if real else 'fine'}, called {'un-indexed' if ours else 'fine'}"] += 1
        if real != ours:
            place = query.places[0]
            verdict = "called un-indexed: " if ours else "missed: "
            proposed = "; ".join(f"{a.alias} ({', '.join(a.candidate.keys)})" for a in assessment.accesses if a.candidate is not None)
            why = f"cost {cost:,.0f}, {lowest[1]:,.0f} with {lowest[0] or 'nothing'}; proposed {proposed or 'nothing'}"
            self.confusions.append(f"{verdict}{place.path}:{place.line} {place.name}\n      {why}\n      {' '.join(query.text.split())[:600]}")


def compare_indexes(arguments: argparse.Namespace) -> int:
    """Runs the comparison of un-indexed queries; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            started = time.perf_counter()
            project = Project(argument)
            with seeded_database(server, project.migrations, f"project{number}", arguments.rows) as connection:
                truth = IndexTruth(project, connection, final_catalog(project.migrations, server.major))
                truth.compare()
            server.drop_database(f"project{number}")
            total += truth.counts
            _print_indexes(str(project), truth.counts, time.perf_counter() - started)
            for confusion in truth.confusions if arguments.verbose else ():
                print(f"    {confusion}")
    _print_indexes("all projects", total, 0.0)
    return 0


def _print_indexes(title: str, counts: "Counter[str]", seconds: float) -> None:
    right, false = counts["un-indexed, called un-indexed"], counts["fine, called un-indexed"]
    missed = counts["un-indexed, called fine"]
    print(f"\n{title}" + (f" ({seconds:.0f} s)" if seconds else ""))
    print(f"    {_percent(counts['resolved'], counts['queries'])} of {counts['queries']} queries resolved, {counts['judged']} judged")
    print(f"    precision {_percent(right, right + false)} ({false} wrong), recall {_percent(right, right + missed)} ({missed} missed)")
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def main() -> int:
    """Reads the arguments, and runs a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=("indexes", "breaks"))
    parser.add_argument("projects", nargs="+", metavar="NAME=MIGRATIONS:QUERIES")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of each table (default: 100,000)")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--verbose", action="store_true", help="show every difference")
    arguments = parser.parse_args()
    try:
        return compare_indexes(arguments)
    except MigsafeError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
