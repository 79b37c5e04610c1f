"""Trials of indexes: each is built on the disposable server, in a transaction that is rolled back, and the queries are planned with it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.patterns import lazy_pattern
from migsafe.replaying.estimates import grown
from migsafe.replaying.queries.index_candidates import Candidate, candidates_for, proposed
from migsafe.replaying.queries.index_results import BuiltIndex, IndexEstimate, IndexResults, MissingIndex, ServedQuery, UnservedQuery
from migsafe.replaying.queries.plan_changes import EXPENSIVE, TENFOLD
from migsafe.replaying.queries.plan_trees import Plan, Unexplained
from migsafe.replaying.queries.planner_state import PlannerState, read_planner_state
from migsafe.replaying.queries.plans import GenericPlans, with_usual_page
from migsafe.replaying.queries.rows_read import rows_read
from migsafe.replaying.refusals import error_class, failure_of
from migsafe.schema.catalog import Catalog
from migsafe.schema.statistics import row_count
from migsafe.sql.operations import Name
from migsafe.workload.assessment import QueryAssessment
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

MIN_ROWS = 10_000
"""With fewer rows, no plan is expensive, so that nothing follows from its cost."""
_SIMILAR = 3.0
_CHEAP = 100.0
"""An index is as good as the best one if the query costs at most this many times as much with it, or very little."""
_SIZE_SPREAD = 0.2
"""By how much the size of an index may differ from proportion: values that repeat make it smaller, longer ones larger."""
_NAME = "migsafe_trial_{}"
_LIMIT = lazy_pattern(r"\bLIMIT\s+\$\d", re.IGNORECASE)
"""A LIMIT that is not known when a generic plan is made (preprocess_limit in planner.c)."""
_BUILT = """
    SELECT c.relname, pg_catalog.pg_relation_size(c.oid) FROM pg_catalog.pg_class AS c
    WHERE c.oid = ANY (ARRAY(SELECT relid::oid FROM pg_catalog.pg_partition_tree(%s::regclass)) || %s::regclass::oid)
"""


class _Expensive(Struct):
    """An expensive query: its plan, and the indexes to try; then the plans with those that make it cheap, by indexes."""

    query: Query
    plan: Plan
    candidates: tuple[Candidate, ...]
    together: frozenset[Candidate]
    lowest: float
    served: dict[frozenset[Candidate], Plan]


class IndexTrials:
    """Tries indexes for queries in a database, on a connection in autocommit. `limit` is the most seconds for all builds, None without a
    limit; `production_rows` are the rows of production's tables. `has_real_rows` says whether the rows of a table are not generated."""

    def __init__(
        self,
        connection: "Connection[Any]",
        queries: ProjectQueries,
        catalog: Catalog,
        *,
        production_rows: Mapping[str, int],
        limit: float | None = None,
        has_real_rows: Callable[[Name], bool] = lambda name: False,
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._catalog = catalog
        self._production_rows = production_rows
        self._limit = limit
        self._has_real_rows = has_real_rows
        self._started = perf_counter()
        self._progress = progress
        self._plans = GenericPlans(connection)
        self._state: PlannerState = read_planner_state(connection)
        self._built: dict[Candidate, BuiltIndex] = {}
        self._failures: dict[Candidate, str] = {}
        self._unserved: list[UnservedQuery] = []
        self._not_tried: list[UnservedQuery] = []

    def judge(self, judged: Sequence[Query]) -> IndexResults:
        """Returns the indexes that make expensive queries cheap, and what is known of the others."""
        expensive = [found for query in judged if (found := self._expensive(query)) is not None]
        self._try_each(expensive)
        self._try_together(expensive)
        missing = tuple(self._missing(expensive))
        for each in expensive:
            named = self._queries.named(each.query)
            if not each.served and not all(map(self._is_tried, each.candidates)):
                self._not_tried.append(UnservedQuery(named, "building indexes took longer than --statement-limit"))
            elif not each.served:
                self._unserved.append(UnservedQuery(named, self._why_unserved(each)))
        return IndexResults(
            judged=len(judged),
            fine=len(judged) - len(self._unserved) - len(self._not_tried) - sum(len(each.queries) for each in missing),
            built=len(self._built),
            missing=missing,
            unserved=tuple(self._unserved),
            not_tried=tuple(self._not_tried),
        )

    def _expensive(self, query: Query) -> _Expensive | None:
        """Returns what is to be tried for a query; None if it is cheap, or cannot be judged."""
        plan = self._plans.explain(query)
        assessment = self._queries.assess(query, self._catalog)
        if isinstance(plan, Unexplained):
            reason = f"PostgreSQL cannot plan it: {plan}"
            self._not_tried.append(UnservedQuery(self._queries.named(query), reason))
            return None
        if plan.cost <= EXPENSIVE:
            self._note_cheap(query, plan, assessment)
            return None
        if assessment.unresolved and plan.full_reads:
            self._not_tried.append(UnservedQuery(self._queries.named(query), f"its conditions are not understood: {assessment.unresolved}"))
            return None
        candidates = candidates_for(assessment, plan, self._state, self._has_real_rows)
        together = frozenset(each for access in assessment.accesses for each in proposed(access))
        if candidates:
            return _Expensive(query, plan, candidates, together & frozenset(candidates), plan.cost, {})
        existing = next((str(each) for each in together if not each.predicate and self._state.has_index(each.table, each.keys)), "")
        if existing:
            reason = f"PostgreSQL does not use the index on {existing}, which exists, at an estimated cost of {plan.cost:,.0f}"
            self._unserved.append(UnservedQuery(self._queries.named(query), reason))
        return None

    def _note_cheap(self, query: Query, plan: Plan, assessment: QueryAssessment) -> None:
        """Notes why a query is not reported although no index serves one of its tables."""
        lacking = [access.name for access in assessment.accesses if access.candidates]
        if not lacking:
            return
        small = [(name, int(self._state.rows(name))) for name in lacking if self._state.rows(name) < MIN_ROWS]
        if small:
            name, rows = small[0]
            reason = f"{name} has {rows:,} rows here; a plan says nothing about an index with fewer than {MIN_ROWS:,}"
            self._not_tried.append(UnservedQuery(self._queries.named(query), reason))
        else:
            reads_all = any(self._state.root(read.relation) == lacking[0] for read in plan.full_reads)
            what = f"reads all of {lacking[0]} at" if reads_all else "has"
            reason = f"{what} an estimated cost of {plan.cost:,.0f}; only costs over {EXPENSIVE:,.0f} are reported"
            self._unserved.append(UnservedQuery(self._queries.named(query), reason))

    def _try_each(self, expensive: Sequence[_Expensive]) -> None:
        """Builds the most likely index of each query, then the next ones of those that are still expensive."""
        for number in range(max((len(each.candidates) for each in expensive), default=0)):
            unserved = [each for each in expensive if not each.served and number < len(each.candidates)]
            candidates = [
                candidate for candidate in dict.fromkeys(each.candidates[number] for each in unserved) if not self._is_tried(candidate)
            ]
            for position, candidate in enumerate(candidates, 1):
                if self._remaining() <= 0:
                    return
                self._progress(f"trying index {position} of {len(candidates)}: {candidate}")
                readers = [each for each in expensive if candidate in each.candidates or self._reads_all(each, candidate.table)]
                self._try(frozenset((candidate,)), readers)

    def _remaining(self) -> float:
        """Returns the seconds that are left for builds."""
        return self._limit - (perf_counter() - self._started) if self._limit is not None else inf

    def _is_tried(self, candidate: Candidate) -> bool:
        return candidate in self._built or candidate in self._failures

    def _reads_all(self, each: _Expensive, table: Name) -> bool:
        return any(self._state.root(read.relation) == table for read in each.plan.full_reads)

    def _try_together(self, expensive: Iterable[_Expensive]) -> None:
        """Builds all indexes of a query that none of them makes cheap: an OR, or several joins."""
        by_set: dict[frozenset[Candidate], list[_Expensive]] = {}
        for each in expensive:
            together = frozenset(candidate for candidate in each.together if candidate in self._built)
            if not each.served and len(together) > 1:
                by_set.setdefault(together, []).append(each)
        for candidates, readers in by_set.items():
            self._progress(f"trying {len(candidates)} indexes together")
            self._try(candidates, readers)

    def _try(self, candidates: frozenset[Candidate], readers: Iterable[_Expensive]) -> None:
        with self._with_indexes(candidates) as names:
            for each in readers if names else ():
                plan = self._plans.explain(each.query)
                if isinstance(plan, Unexplained):
                    continue
                each.lowest = min(each.lowest, plan.cost)
                used = frozenset(candidate for candidate, own in names.items() if plan.indexes & own)
                if plan.cost * TENFOLD < each.plan.cost and used == candidates:
                    each.served[candidates] = plan

    @contextmanager
    def _with_indexes(self, candidates: Iterable[Candidate]) -> Iterator[dict[Candidate, frozenset[str]]]:
        """Builds indexes, and drops them at the end of the `with` block; yields their names, nothing if one of them cannot be built."""
        names: dict[Candidate, frozenset[str]] = {}
        self._connection.execute("BEGIN")
        try:
            if self._limit is not None:
                self._connection.execute(f"SET LOCAL statement_timeout = {max(int(1000 * self._remaining()), 1)}".encode())
            for number, candidate in enumerate(candidates):
                try:
                    names[candidate] = self._build(candidate, _NAME.format(number))
                except error_class() as error:
                    if self._connection.closed:
                        raise
                    self._failures[candidate] = failure_of(error).message
                    self._connection.execute("ROLLBACK")
                    yield {}
                    return
            yield names
        finally:
            if not self._connection.closed:
                self._connection.execute("ROLLBACK")

    def _build(self, candidate: Candidate, name: str) -> frozenset[str]:
        """Builds an index; returns its name, and those of its partitions."""
        table = candidate.table
        started = perf_counter()
        self._connection.execute(f"CREATE INDEX {name} ON {candidate}".encode())
        build_ms = 1000 * (perf_counter() - started)
        if any(key.startswith("(") for key in candidate.keys):
            # The values of an expression are known only after ANALYZE.
            self._connection.execute(f"ANALYZE {table}".encode())
        index = str(Name(name, table.schema))
        built = self._connection.execute(_BUILT, (index, index)).fetchall()
        if candidate not in self._built:
            size = sum(size for _, size in built)
            self._built[candidate] = BuiltIndex(candidate=candidate, size=size, build_ms=build_ms, rows=int(self._state.rows(table)))
        return frozenset(own for own, _ in built)

    def _missing(self, expensive: Sequence[_Expensive]) -> Iterator[MissingIndex]:
        """Yields as few indexes as serve the queries: first those that serve the most of them, of these the shortest."""
        remaining = [each for each in expensive if each.served]
        while remaining:
            good = {
                each.query.fingerprint: {
                    candidates
                    for candidates, plan in each.served.items()
                    if plan.cost <= max(_SIMILAR * min(other.cost for other in each.served.values()), _CHEAP)
                }
                for each in remaining
            }
            order = list(dict.fromkeys(candidates for each in remaining for candidates in each.served))
            best = max(
                order,
                key=lambda candidates: (
                    sum(candidates in choices for choices in good.values()),
                    -len(candidates),
                    -sum(len(candidate.keys) for candidate in candidates),
                    -order.index(candidates),
                ),
            )
            served = [each for each in remaining if best in good[each.query.fingerprint]]
            remaining = [each for each in remaining if each not in served]
            indexes = tuple(self._built[candidate] for candidate in sorted(best, key=str))
            yield MissingIndex(
                indexes=indexes,
                queries=tuple(self._served(each, each.served[best]) for each in served),
                estimates=tuple(self._estimate(index) for index in indexes),
            )

    def _served(self, each: _Expensive, plan: Plan) -> ServedQuery:
        return ServedQuery(
            query=self._queries.named(each.query),
            text=each.query.text,
            cost_before=each.plan.cost,
            cost_after=plan.cost,
            rows_before=rows_read(each.plan, self._state),
            rows_after=rows_read(plan, self._state),
            reads_all=frozenset(self._state.root(read.relation) for read in each.plan.full_reads),
        )

    def _estimate(self, index: BuiltIndex) -> IndexEstimate | None:
        rows = row_count(self._production_rows, index.candidate.table)
        if rows is None or not index.rows:
            return None
        size = index.size * rows / index.rows
        low_ms, high_ms = grown(index.build_ms, index.rows, rows)
        return IndexEstimate(rows, int((1 - _SIZE_SPREAD) * size), int((1 + _SIZE_SPREAD) * size), low_ms, high_ms)

    def _why_unserved(self, each: _Expensive) -> str:
        tried = [candidate for candidate in each.candidates if candidate in self._built]
        if not tried:
            [candidate, *_] = each.candidates
            return f"the index {candidate} cannot be built: {self._failures.get(candidate, 'not known')}"
        names = f"{', '.join(map(str, tried[:3]))}{' and others' if len(tried) > 3 else ''}"
        planned = with_usual_page(each.query).text
        limit = "; a LIMIT whose value is computed from a parameter is planned for a tenth of the rows" if _LIMIT.search(planned) else ""
        return f"its estimated cost is {each.plan.cost:,.0f}, and {each.lowest:,.0f} at least with {names}{limit}"
