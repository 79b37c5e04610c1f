"""The results of migrations that share a transaction, and of a whole history."""

from typing import cast

import psycopg

from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.queries.results import BrokenQuery, FailingQuery, QueryFailure, QueryResults, part_of_results, without_repaired
from migsafe.replaying.queries.trials import QueryTrials
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import unlimited
from migsafe.sources import Half, Migration, Transaction
from migsafe.text import Script
from migsafe.workload import Query, Workload

MISSING = QueryFailure("42703", 'column "note" does not exist')


def broken(name: str, statement: int | None = 1) -> BrokenQuery:
    return BrokenQuery(query=NamedQuery(name, name), text="SELECT 1", failure=MISSING, statement=statement)


def test_each_migration_of_a_transaction_has_what_it_causes() -> None:
    failing = FailingQuery(query=NamedQuery("new", "new"), text="SELECT 1", failure=MISSING)
    together = QueryResults(broken=(broken("a", 2), broken("b", 3), broken("c", None)), failing=(failing,), at_end=True)
    first = part_of_results(together, {1: 1, 2: 2}.get, is_last=False)
    last = part_of_results(together, {3: 1}.get, is_last=True)
    assert [(each.query.name, each.statement) for each in first.broken] == [("a", 2)]
    assert [(each.query.name, each.statement) for each in last.broken] == [("b", 1), ("c", None)]
    assert (first.failing, first.at_end, last.failing, last.at_end) == ((), False, (failing,), True)


def test_queries_that_work_at_the_end_of_a_history() -> None:
    # It is not known which release sends them: one that works at the end never met the states before.
    first = QueryResults(broken=(broken("repaired"), broken("lasting")), is_release=False)
    last = QueryResults(broken=(broken("lasting"),), is_release=False)
    assert [[query.query.name for query in each.broken] for each in without_repaired([first, None, last]) if each is not None] == [
        ["lasting"],
        ["lasting"],
    ]
    known = QueryResults(broken=(broken("repaired"),), is_release=False, compared=True)
    assert without_repaired([known, QueryResults(compared=True, is_release=False)])[0] == known


class FullHost:
    """A host without a free connection."""

    only_database = None

    def connect(self, database: str) -> None:
        raise psycopg.OperationalError("sorry, too many clients already")


def test_a_server_that_does_not_allow_the_trials() -> None:
    query = Query(text="SELECT 1", fingerprint="one")
    trials = QueryTrials(cast(Host, FullHost()), ProjectQueries(Workload(queries=(query,), running=(query,))), unlimited)
    trials.before("shop", Predictor(18))
    half = Half(Script("1.sql", ""), (), Transaction.NONE)
    recording = Recording(migration=Migration("1", "sql", half, None), statements=(), duration_ms=0.0)
    results = trials.after("shop", None, recording, Predictor(18))
    assert results.total == 1
    assert [each.reason for each in results.untried] == ["trying the queries ended with an error: sorry, too many clients already"]
