"""How correct the rules about queries are, on the queries of real projects and on real servers.

    python benchmarks/queries.py indexes NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py trials NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py loses NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py breaks NAME=GIT:MIGRATIONS:QUERIES… [--bindir DIR] [--verbose]

`MIGRATIONS` is the folder of a history, `QUERIES` a file or folder that `queries` in the configuration could name. `GIT` is a git directory, in
which the two are paths of HEAD.

`indexes` builds the final schema and fills its tables. A query is un-indexed if its generic plan costs more than 1,000 and falls more than
tenfold when an index is really built: on each column that the query names of a table that is read as a whole, and those that migsafe proposes.
A page of 20 rows stands for the parameters of LIMIT and OFFSET; with `--generic-limit`, a tenth of the rows, as generic plans assume.
The benchmark compares the queries that migsafe calls un-indexed with these, and prints the share of queries that were resolved. Queries of
tables that could not be filled are left out. Generated values say nothing about some conditions, with or without an index: columns that queries
compare with literals receive these values (`seeded_literals.py`), and indexes on columns that are only tested for NULL, or for being before or
after a known value such as `now()`, do not count. With `--as-seeded`, only the indexes of tests for NULL are left out.

`trials` does what `migsafe replay` does after the last migration, for all queries. Each index that it reports is then created as the report
says, and the queries that it names must use it. It prints how many of the linter's warnings (query-without-index) are confirmed.

`loses` drops each index of the final schema in turn. A query loses it if its generic plan then costs 500 more, and is ten times as expensive or
reads the table as a whole, which it did not do before. The benchmark compares these with the queries that query-loses-index names for a last
migration that drops the index.

`breaks` runs the history, and before and after each migration that drops, renames or tightens something it prepares every query of the commit
before the one that added the migration. The server's answer is compared with migsafe's, for each pair of query and migration.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.index_reports import ReportedIndexes
from benchmarks.lock_truth import choose_installation
from benchmarks.lost_indexes import LostIndexes
from benchmarks.query_breaks import Breaks, History, extract
from benchmarks.query_truth import (
    EXPENSIVE,
    TENFOLD,
    Candidate,
    Connection,
    GenericPlans,
    Plan,
    cheapest,
    migrations,
    seeded_database,
)
from benchmarks.seeded_literals import fill_literals
from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.workload.assessment import Assessor, QueryAssessment
from migsafe.workload.query import Query
from migsafe.workload.reading import read_workload


def final_catalog(folder: str, version: int) -> Catalog:
    """Returns the database after a history, which began with an empty one."""
    return final_predictor(folder, version).catalog


def final_predictor(folder: str, version: int) -> Predictor:
    """Returns the predictor after a history, which began with an empty database."""
    predictor = Predictor(version)
    predictor.begin_history(from_first_migration=True)
    for half in migrations(folder):
        predictor.apply(half)
    return predictor


_RANGES = frozenset(("<", "<=", ">", ">="))


class Project:
    """A project: its history and its queries."""

    def __init__(self, argument: str) -> None:
        self.name, _, rest = argument.partition("=")
        self.migrations, _, self.queries_at = rest.partition(":")
        workload = read_workload([self.queries_at], str(Path(self.queries_at).parent))
        self.queries = workload.queries
        self.assessor = Assessor(created=workload.created)

    def __str__(self) -> str:
        return f"{self.name}: {len(self.queries)} queries"


class Costs(msgspec.Struct):
    """The cost of a query's generic plan, and with each index that was built for it."""

    cost: float
    with_index: dict[str, float]


class Measured(msgspec.Struct):
    """What the server says about the queries that it plans, by text. `unfilled` are the tables that could not be filled."""

    costs: dict[str, Costs]
    unfilled: list[str]


class IndexTruth:
    """Finds out which queries of a project an index makes cheaper."""

    def __init__(self, project: Project, connection: Connection, catalog: Catalog, *, usual_page: bool, as_seeded: bool) -> None:
        self.project = project
        self.connection = connection
        self.plans = GenericPlans(connection, usual_page=usual_page)
        self.catalog = catalog
        self.as_seeded = as_seeded

    def measure(self) -> dict[str, Costs]:
        """Returns what the server says about the queries that it plans, by text."""
        assessed = {query.text: self.project.assessor.assess(query, self.catalog) for query in self.project.queries}
        planned: dict[str, float] = {}
        tables: dict[str, set[str]] = {}
        for query in self.project.queries:
            plan = self.plans.explain(query)
            if isinstance(plan, Plan):
                planned[query.text] = plan.cost
                tables[query.text] = {read.relation.name for read in plan.full_reads}
        prepared = [query for query in self.project.queries if query.text in planned]
        costs = self._cheapest([query for query in prepared if planned.get(query.text, 0) > EXPENSIVE], assessed, tables, planned)
        return {text: Costs(cost, costs.get(text, {})) for text, cost in planned.items()}

    def _cheapest(
        self, queries: list[Query], assessed: dict[str, QueryAssessment], tables: dict[str, set[str]], planned: dict[str, float]
    ) -> dict[str, dict[str, float]]:
        """Returns the costs of each query with each candidate, and of one that none of them makes cheap with all of them together."""
        by_candidate: dict[Candidate, list[Query]] = {}
        by_set: dict[frozenset[Candidate], list[Query]] = {}
        costs: dict[str, dict[str, float]] = {}
        for query in queries:
            candidates = frozenset(self._candidates(assessed[query.text], tables[query.text]))
            wrong = _not_counted(assessed[query.text], as_seeded=self.as_seeded)
            by_set.setdefault(frozenset(each for each in candidates if str(each) not in wrong), []).append(query)
            for candidate in candidates:
                by_candidate.setdefault(candidate, []).append(query)
        for number, (candidate, users) in enumerate(by_candidate.items(), 1):
            _progress(f"{self.project.name}: index {number} of {len(by_candidate)}")
            for text, cost in cheapest(self.connection, self.plans, users, [candidate]).items():
                costs.setdefault(text, {})[str(candidate)] = cost
        for number, (candidates, users) in enumerate(by_set.items(), 1):
            _progress(f"{self.project.name}: indexes together {number} of {len(by_set)}")
            still = [query for query in users if min(costs.get(query.text, {"": 0.0}).values()) * TENFOLD > planned[query.text]]
            for text, cost in cheapest(self.connection, self.plans, still, candidates).items() if still and len(candidates) > 1 else ():
                costs[text]["all of them"] = cost
        return costs

    def _candidates(self, assessment: QueryAssessment, tables: set[str]) -> Iterator[Candidate]:
        yield from _proposed(assessment)
        for relation in assessment.relations:
            if relation.name.name in tables:
                for column in relation.columns:
                    yield Candidate(relation.name, (sql.quoted(column),))


class Judgement:
    """Compares the queries that migsafe calls un-indexed with those that are."""

    def __init__(self, project: Project, catalog: Catalog, *, as_seeded: bool) -> None:
        self.project = project
        self.catalog = catalog
        self.as_seeded = as_seeded
        self.counts: Counter[str] = Counter()
        self.confusions: list[str] = []

    def compare(self, measured: Measured) -> None:
        """Compares every query that the server planned, and all of whose tables have their rows."""
        for query in self.project.queries:
            assessment = self.project.assessor.assess(query, self.catalog)
            is_resolved = not assessment.unresolved and not assessment.uncertain and assessment.failure is None
            self.counts["queries"] += 1
            self.counts["resolved"] += is_resolved
            costs = measured.costs.get(query.text)
            if costs is not None and any(str(relation.name) in measured.unfilled for relation in assessment.relations):
                self.counts["not judged: of tables that could not be filled"] += 1
            elif costs is not None:
                self.counts["judged"] += 1
                self._judge(query, assessment, costs)

    def _judge(self, query: Query, assessment: QueryAssessment, costs: Costs) -> None:
        cost = costs.cost
        wrong = _not_counted(assessment, as_seeded=self.as_seeded)
        known = {name: with_index for name, with_index in costs.with_index.items() if name not in wrong}
        name, lowest = min(known.items(), key=lambda item: item[1], default=("nothing", cost))
        real = cost > EXPENSIVE and lowest * TENFOLD < cost
        ours = any(access.is_unindexed for access in assessment.accesses)
        self.counts[f"{'un-indexed' if real else 'fine'}, called {'un-indexed' if ours else 'fine'}"] += 1
        if real != ours:
            place = query.places[0]
            verdict = "called un-indexed: " if ours else "missed: "
            proposed = "; ".join(map(str, _proposed(assessment)))
            why = f"cost {cost:,.0f}, {lowest:,.0f} with {name}; proposed {proposed or 'nothing'}"
            self.confusions.append(f"{verdict}{place.path}:{place.line} {place.name}\n      {why}\n      {' '.join(query.text.split())[:600]}")


def _proposed(assessment: QueryAssessment) -> Iterator[Candidate]:
    """Yields the indexes that migsafe proposes for a query."""
    for access in assessment.accesses:
        for each in access.candidates:
            yield Candidate(access.name, each.keys, each.method, each.predicate)


def _not_counted(assessment: QueryAssessment, *, as_seeded: bool) -> set[str]:
    """Returns the indexes whose costs say nothing, because the values of the rows are generated. Those that migsafe proposes count."""
    proposed = set(map(str, _proposed(assessment)))
    return _tested_for_null(assessment) | (set() if as_seeded else _tested_for_order(assessment) - proposed)


def _tested_for_null(assessment: QueryAssessment) -> set[str]:
    """Returns the indexes on columns that a query only tests for NULL. The seeded rows hold no NULL, so that their costs are too low."""
    wrong: set[str] = set()
    for access in assessment.accesses:
        tested = {each.subject for each in access.filters if each.operator == "is null"}
        other = {each.subject for each in access.filters if each.operator != "is null"}
        wrong |= {str(Candidate(access.name, (subject,))) for subject in tested - other}
    return wrong


def _tested_for_order(assessment: QueryAssessment) -> set[str]:
    """Returns the indexes on columns of which a query only knows that they are before or after a known value. Generated values may be any."""
    wrong: set[str] = set()
    for access in assessment.accesses:
        ranges = [each for each in access.filters if each.operator in _RANGES and each.compared_with in ("constant", "expression")]
        other = {each.subject for each in access.filters if each not in ranges}
        wrong |= {str(Candidate(access.name, (each.subject,))) for each in ranges if each.subject not in other}
    return wrong


def compare_indexes(arguments: argparse.Namespace) -> int:
    """Runs the comparison of un-indexed queries; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            started = time.perf_counter()
            project = Project(argument)
            catalog = final_catalog(project.migrations, server.major)
            judgement = Judgement(project, catalog, as_seeded=arguments.as_seeded)
            stored = arguments.truth / f"{project.name}.json" if arguments.truth is not None else None
            if stored is not None and stored.exists():
                measured = msgspec.json.decode(stored.read_bytes(), type=Measured)
            else:
                change = None if arguments.as_seeded else partial(fill_literals, queries=project.queries, catalog=catalog)
                with seeded_database(server, project.migrations, f"project{number}", arguments.rows, change) as (connection, unfilled):
                    truth = IndexTruth(project, connection, catalog, usual_page=not arguments.generic_limit, as_seeded=arguments.as_seeded)
                    measured = Measured(truth.measure(), unfilled)
                server.drop_database(f"project{number}")
                if stored is not None:
                    stored.write_bytes(msgspec.json.encode(measured))
            judgement.compare(measured)
            total += judgement.counts
            _print_indexes(str(project), judgement.counts, time.perf_counter() - started)
            for confusion in judgement.confusions if arguments.verbose else ():
                print(f"    {confusion}", flush=True)
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


def compare_breaks(arguments: argparse.Namespace) -> int:
    """Runs the comparison of broken queries; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir)) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            started = time.perf_counter()
            name, _, rest = argument.partition("=")
            git, folder, queries = rest.split(":")
            with tempfile.TemporaryDirectory() as extracted:
                extract(git, "HEAD", [folder], Path(extracted))
                breaks = Breaks(History(name=name, git=git, migrations=folder, queries=queries), server, Path(extracted))
                breaks.compare(f"history{number}")
            total += breaks.counts
            _print_breaks(name, breaks.counts, time.perf_counter() - started)
            for difference in breaks.differences if arguments.verbose else ():
                print(f"    {difference}", flush=True)
    _print_breaks("all histories", total, 0.0)
    return 0


def _print_breaks(title: str, counts: "Counter[str]", seconds: float) -> None:
    same = _percent(counts["pairs with the same answer"], counts["pairs"])
    print(f"\n{title}: the same answer for {same} of {counts['pairs']:,} pairs" + (f" ({seconds:.0f} s)" if seconds else ""))
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}", flush=True)


def compare_losses(arguments: argparse.Namespace) -> int:
    """Drops each index of projects, and compares the queries that lose it with those that the rule names; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            project = Project(argument)
            with (
                tempfile.TemporaryDirectory() as folder,
                seeded_database(server, project.migrations, f"loss{number}", arguments.rows) as (connection, unfilled),
            ):
                losses = LostIndexes(project.migrations, project.queries_at, project.queries, Path(folder))
                losses.compare(connection, unfilled)
            server.drop_database(f"loss{number}")
            total += losses.counts
            _print_losses(str(project), losses.counts)
            for confusion in losses.confusions if arguments.verbose else ():
                print(f"    {confusion}", flush=True)
    _print_losses("all projects", total)
    return 0


def _print_losses(title: str, counts: "Counter[str]") -> None:
    right, false, missed = counts["lost, called lost"], counts["kept, called lost"], counts["lost, called kept"]
    print(f"\n{title}: precision {_percent(right, right + false)} ({false} wrong), recall {_percent(right, right + missed)} ({missed} missed)")
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}", flush=True)


def compare_trials(arguments: argparse.Namespace) -> int:
    """Tries indexes for all queries of projects, and verifies what is reported; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            name, _, rest = argument.partition("=")
            folder, _, queries = rest.partition(":")
            with seeded_database(server, folder, f"trial{number}", arguments.rows) as (connection, _):
                trial = ReportedIndexes(connection, final_predictor(folder, server.major), queries)
            server.drop_database(f"trial{number}")
            total += trial.counts
            _print_trials(name, trial.counts)
            for line in trial.lines if arguments.verbose else ():
                print(f"    {line}", flush=True)
    _print_trials("all projects", total)
    return 1 if total["indexes that are not used"] else 0


def _print_trials(title: str, counts: "Counter[str]") -> None:
    print(f"\n{title}: {_percent(counts['warnings confirmed'], counts['warnings of the linter'])} of the linter's warnings confirmed")
    for name, count in counts.items():
        print(f"    {count:6,}  {name}", flush=True)


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def main() -> int:
    """Reads the arguments, and runs a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=("indexes", "trials", "loses", "breaks"))
    parser.add_argument("projects", nargs="+", metavar="NAME=MIGRATIONS:QUERIES")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of each table (default: 100,000)")
    parser.add_argument("--truth", type=Path, help="a folder where the server's answers are stored, and read again by later runs")
    parser.add_argument("--generic-limit", action="store_true", help="for indexes: plan LIMIT $1 for a tenth of the rows, not for 20")
    parser.add_argument("--as-seeded", action="store_true", help="for indexes: leave all columns as they were generated")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--verbose", action="store_true", help="show every difference")
    arguments = parser.parse_args()
    try:
        compare = {"indexes": compare_indexes, "trials": compare_trials, "loses": compare_losses, "breaks": compare_breaks}
        return compare[arguments.comparison](arguments)
    except MigsafeError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
