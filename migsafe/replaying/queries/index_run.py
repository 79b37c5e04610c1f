"""The trial of indexes after the last migration of a history: which queries are judged, and where a missing index is reported."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.linting.facts.queries import index_help_after
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.queries.project_queries import ProjectQueries, main_place
from migsafe.linting.script_suppressions import with_comments
from migsafe.linting.suppressions import covers, find_suppressions, mentions_migsafe
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.queries.index_results import IndexResults, MissingIndex, UnservedQuery
from migsafe.replaying.queries.index_trials import IndexTrials
from migsafe.replaying.queries.planner_state import analyze
from migsafe.replaying.queries.results import QueryResults
from migsafe.schema.catalog import Catalog
from migsafe.sources import Migration, Runner
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation
from migsafe.text import Script, Span
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection

QUERY_WITHOUT_INDEX = "query-without-index"
_ACCEPTED = f"a comment at the query accepts {QUERY_WITHOUT_INDEX}"
_WITH_REFERENCES = (sql.CreateTable, sql.AddColumn, sql.AddConstraint)


class AffectedQueries:
    """What migrations mean for the queries, as far as it decides which are judged: `altered` are the tables that they create or alter,
    `regressed` the queries of which it is reported already that they read a whole table, by fingerprint."""

    def __init__(self) -> None:
        self.altered: set[Name] = set()
        self.regressed: set[str] = set()

    def add(self, predictions: Iterable[StatementPrediction], results: QueryResults | None, catalog: Catalog) -> None:
        """Adds a migration, after which the schema is that of the `catalog`."""
        self.altered.update(altered_tables(predictions, catalog))
        if results is not None:
            self.regressed.update(each.query.fingerprint for each in results.plans.regressions)


class IndexRun:
    """Tries indexes for the queries of the new release, after the last `migration` of a history. Compared with a revision, the queries that it
    did not have are judged; else those that use a table which the migrations create or alter."""

    def __init__(self, queries: ProjectQueries, predictor: Predictor, migration: Migration, runner: Runner, affected: AffectedQueries) -> None:
        self._queries = queries
        self._predictor = predictor
        self._migration = migration
        self._runner = runner
        judged = judged_queries(queries, predictor.catalog, affected.altered)
        open_ones = [query for query in judged if query.fingerprint not in affected.regressed]
        self._accepted: list[Query] = []
        self.judged: list[Query] = []
        for query in open_ones:
            (self._accepted if self._is_accepted(query) else self.judged).append(query)

    def _is_accepted(self, query: Query) -> bool:
        """Whether a comment at the query accepts what the linter's rule, query-without-index, reports about it."""
        script, span = self._place(query)
        if not script.path.endswith((".sql", ".py")) or not mentions_migsafe(script):
            return False
        finding = Finding(
            rule=QUERY_WITHOUT_INDEX,
            category="queries",
            severity=Severity.WARNING,
            message="",
            help="",
            script=script,
            span=span,
            migration="",
            statement=1,
        )
        return any(covers(suppression, finding, ()) for suppression in find_suppressions(script, [with_comments(script, span)]))

    def _place(self, query: Query) -> tuple[Script, Span]:
        """Returns the file that contains or sends a query, and its place there."""
        place = main_place(query)
        return self._queries.files.locate(query, place) if place is not None else self._queries.files.locate_unplaced(query)

    @property
    def scope(self) -> str:
        """The judged queries, as a noun phrase."""
        compared = self._queries.workload.compared
        return "queries that the new release adds" if compared else "queries of the tables that the migrations create or alter"

    def skipped(self, reason: str) -> IndexResults:
        """Returns that nothing was tried."""
        return IndexResults(scope=self.scope, judged=len(self.judged), skipped=reason)

    @property
    def tables(self) -> frozenset[Name]:
        """The tables that the judged queries use, which need rows. Where the schema is not completely known, their names have no schema."""
        catalog = self._predictor.catalog
        names = {relation.name for query in self.judged for relation in self._queries.assess(query, catalog).relations}
        return frozenset(names if catalog.complete else (Name(name.name) for name in names))

    def run(
        self,
        connection: "Connection[Any]",
        production_rows: Mapping[str, int],
        limit: float | None,
        has_real_rows: Callable[[Name], bool],
        progress: Callable[[str], None],
    ) -> IndexResults:
        """Tries the indexes in a database. `limit` is the most seconds that all builds may take; `has_real_rows` says
        whether the rows of a table are not generated."""
        analyze(connection, self.tables)
        trials = IndexTrials(
            connection,
            self._queries,
            self._predictor.catalog,
            production_rows=production_rows,
            limit=limit or None,
            has_real_rows=has_real_rows,
            progress=progress,
        )
        results = trials.judge(self.judged)
        return replace(
            results,
            scope=self.scope,
            judged=results.judged + len(self._accepted),
            not_tried=(*results.not_tried, *(UnservedQuery(self._queries.named(query), _ACCEPTED) for query in self._accepted)),
            missing=tuple(self._with_help(missing, production_rows) for missing in results.missing),
        )

    def _with_help(self, missing: MissingIndex, production_rows: Mapping[str, int]) -> MissingIndex:
        """Returns a missing index with the migration that creates it, and the place at which it is reported."""
        helps = [
            index_help_after(self._migration, self._predictor, self._runner, production_rows, table, candidates)
            for table, candidates in missing.by_table().items()
        ]
        script, span = self._place(self._queries.all[missing.queries[0].query.fingerprint])
        return replace(missing, help="\n".join(helps), script=script, span=span)


def judged_queries(queries: ProjectQueries, catalog: Catalog, altered: Iterable[Name]) -> list[Query]:
    """Returns the queries of the new release for which indexes are tried: compared with a revision, those that it did not have; else those
    that use a table which the migrations create or alter."""
    if queries.workload.compared:
        return queries.workload.new_queries()
    tables = frozenset(altered)
    return [
        query for query in queries.current.values() if any(relation.name in tables for relation in queries.assess(query, catalog).relations)
    ]


def tables_beside(touched: frozenset[Name], queries: ProjectQueries, catalog: Catalog) -> frozenset[Name]:
    """Returns the touched tables and those that queries read together with them: the plan of a join depends on the rows of both."""
    plain = {name.name for name in touched}
    found = set(touched)
    for query in queries.all.values():
        used = [relation.name for relation in queries.assess(query, catalog).relations]
        if any(name in touched or (not catalog.complete and name.name in plain) for name in used):
            found.update(name if catalog.complete else Name(name.name) for name in used)
    return frozenset(found)


def altered_tables(predictions: Iterable[StatementPrediction], catalog: Catalog) -> Iterator[Name]:
    """Yields the tables that statements create or alter, with the names that they have afterwards; not those that are only referenced."""
    for prediction in predictions:
        for operation, effects in prediction.operations:
            match operation:
                case sql.CreateTable(table=name) | sql.CreateTableAs(table=name):
                    yield catalog.resolve(name)
                case sql.Rename(kind="table", new_name=new):
                    yield from (Name(new, effect.relation.schema) for effect in effects)
                case sql.SetSchema(kind="table", name=name, schema=schema):
                    yield Name(name.name, schema)
            yield from (effect.relation for effect in effects if _is_altered(operation, effect))


def _is_altered(operation: Operation, effect: Effect) -> bool:
    if effect.lock < LockMode.SHARE_UPDATE_EXCLUSIVE:
        return False
    if not isinstance(operation, _WITH_REFERENCES):
        return True
    target = operation.table if isinstance(operation, sql.CreateTable) else operation.target.name
    return effect.relation.name == target.name
