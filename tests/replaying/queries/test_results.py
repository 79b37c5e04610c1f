"""The results of migrations that share a transaction, and of a whole history."""

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.results import BrokenQuery, FailingQuery, QueryFailure, QueryResults, part_of_results, without_repaired

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
