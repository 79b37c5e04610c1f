"""Which queries of a project a server calls un-indexed, and which of them migsafe does."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import (
    EXPENSIVE,
    TENFOLD,
    Candidate,
    Connection,
    GenericPlans,
    Plan,
    cheapest,
    ends_at_first_rows,
    full_cost,
    know_expressions,
)
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.workload.assessment import Assessor, QueryAssessment
from migsafe.workload.query import Query
from migsafe.workload.reading import read_workload

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
        self.in_full: set[str] = set()

    def measure(self) -> dict[str, Costs]:
        """Returns what the server says about the queries that it plans, by text."""
        assessed = {query.text: self.project.assessor.assess(query, self.catalog) for query in self.project.queries}
        if not self.as_seeded:
            know_expressions(self.connection, dict.fromkeys(each for found in assessed.values() for each in _proposed(found)))
        planned: dict[str, float] = {}
        tables: dict[str, set[str]] = {}
        for query in self.project.queries:
            plan = self.plans.explain(query)
            if isinstance(plan, Plan):
                if not self.as_seeded and ends_at_first_rows(plan):
                    self.in_full.add(query.text)
                planned[query.text] = full_cost(plan) if query.text in self.in_full else plan.cost
                tables[query.text] = _read_as_a_whole(plan)
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
            for text, cost in cheapest(self.connection, self.plans, users, [candidate], self.in_full).items():
                costs.setdefault(text, {})[str(candidate)] = cost
        for number, (candidates, users) in enumerate(by_set.items(), 1):
            _progress(f"{self.project.name}: indexes together {number} of {len(by_set)}")
            still = [query for query in users if min(costs.get(query.text, {"": 0.0}).values()) * TENFOLD > planned[query.text]]
            together = cheapest(self.connection, self.plans, still, candidates, self.in_full) if still and len(candidates) > 1 else {}
            for text, cost in together.items():
                costs[text]["all of them"] = cost
        return costs

    def _candidates(self, assessment: QueryAssessment, tables: set[str]) -> Iterator[Candidate]:
        yield from _proposed(assessment)
        for relation in assessment.relations:
            if relation.name.name in tables:
                for column in relation.columns:
                    yield Candidate(relation.name, (sql.quoted(column),))


def _read_as_a_whole(plan: Plan) -> set[str]:
    """Returns the tables that a plan reads as a whole, unless EXISTS or LIMIT ends it early."""
    whole = {read.relation.name for read in plan.full_reads}
    return whole | {node["Relation Name"] for node in plan.nodes() if node["Node Type"] == "Seq Scan" and "Filter" in node}


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
            costs = measured.costs.get(query.text)
            fails = assessment.failure is not None
            self.counts["queries"] += 1
            is_resolved = not assessment.unresolved and not assessment.uncertain and not (fails and costs is not None)
            self.counts["resolved"] += is_resolved
            self.counts["fail, as the server says"] += fails and costs is None
            self.counts["resolved, but not planned by the server"] += is_resolved and not fails and costs is None
            if fails and costs is not None:
                self._confuse("called failing, but planned: ", query, str(assessment.failure))
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
            proposed = "; ".join(map(str, _proposed(assessment)))
            why = f"cost {cost:,.0f}, {lowest:,.0f} with {name}; proposed {proposed or 'nothing'}"
            self._confuse("called un-indexed: " if ours else "missed: ", query, why)

    def _confuse(self, verdict: str, query: Query, why: str) -> None:
        place = query.places[0]
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


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
