"""The indexes that a replay would report for all queries of a project: whether they are used, and which warnings of the linter they confirm."""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import Connection, GenericPlans, Plan
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.queries.index_results import IndexResults, MissingIndex
from migsafe.replaying.queries.index_trials import IndexTrials
from migsafe.sql.operations import Name
from migsafe.workload.query import Workload
from migsafe.workload.reading import read_workload


class ReportedIndexes:
    """Tries indexes for all queries of a project in a database whose tables are filled. `lines` say what was found."""

    def __init__(self, connection: Connection, predictor: Predictor, queries_at: str) -> None:
        workload = read_workload([queries_at], ".")
        self._connection = connection
        self._catalog = predictor.catalog
        self._queries = ProjectQueries(Workload(queries=workload.queries, running=workload.queries))
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        started = time.perf_counter()
        trials = IndexTrials(connection, self._queries, predictor.catalog, production_rows={})
        results = trials.judge(list(self._queries.current.values()))
        self.counts["seconds"] = round(time.perf_counter() - started)
        self.counts["queries"] = results.judged
        self.counts["indexes built"] = results.built
        for missing in results.missing:
            self._verify(missing)
        self._compare(results)

    def _verify(self, missing: MissingIndex) -> None:
        """Creates reported indexes by themselves, and looks whether the queries use them."""
        names = []
        for number, index in enumerate(missing.indexes):
            candidate = index.candidate
            names.append(Name(f"reported_{number}", candidate.table.schema))
            self._connection.execute(f"CREATE INDEX {names[-1].name} ON {candidate}".encode())
            if any(key.startswith("(") for key in candidate.keys):  # its values are known only after ANALYZE
                self._connection.execute(f"ANALYZE {candidate.table}".encode())
        plans = GenericPlans(self._connection)
        self.counts["indexes reported"] += 1
        for served in missing.queries:
            plan = plans.explain(self._queries.all[served.query.fingerprint])
            is_used = isinstance(plan, Plan) and all(any(used.startswith(name.name) for used in plan.indexes) for name in names)
            is_cheap = isinstance(plan, Plan) and plan.cost * 10 < served.cost_before
            self.counts["queries that use the reported index"] += is_used and is_cheap
            if not (is_used and is_cheap):
                self.counts["indexes that are not used"] += 1
            shown = " and ".join(str(index.candidate) for index in missing.indexes)
            self.lines.append(f"reported: {served.query}: {served.cost_before:,.0f} → {served.cost_after:,.1f} with {shown}")
        for name in names:
            self._connection.execute(f"DROP INDEX {name}".encode())

    def _compare(self, results: IndexResults) -> None:
        """Compares with the warnings of query-without-index, without row counts."""
        served = {each.query.fingerprint for missing in results.missing for each in missing.queries}
        reasons = {each.query.fingerprint: f"no index helps: {each.reason}" for each in results.unserved}
        reasons |= {each.query.fingerprint: f"not tried: {each.reason}" for each in results.not_tried}
        warned = set()
        for fingerprint, query in self._queries.current.items():
            if any(access.is_unindexed for access in self._queries.assess(query, self._catalog).accesses):
                warned.add(fingerprint)
                self.counts["warnings of the linter"] += 1
                self.counts["warnings confirmed"] += fingerprint in served
                reason = reasons.get(fingerprint, "")
                if fingerprint not in served:
                    self.counts[f"warnings: {reason.partition(':')[0] or 'needs none'}"] += 1
                    self.lines.append(f"not confirmed: {self._queries.named(query)}: {reason or 'its plan is cheap'}")
        self.counts["found without a warning"] = len(served - warned)
