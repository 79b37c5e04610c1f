"""The first step of a release at which each query of the new release works."""

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.results import BrokenQuery, FailingQuery, QueryFailure, QueryResults


class Works(Enum):
    """When a query of the new release works."""

    BEFORE = "before"
    """It works before the migrations."""
    FROM = "from"
    """It works from a migration on."""
    NEVER = "never"
    """PostgreSQL refuses it after the last migration, too."""
    UNKNOWN = "unknown"
    """It could not be tried."""


class FirstStep(Struct, frozen=True, kw_only=True):
    """When a query of the new release works: `migration` is the position of the migration in the replay, and `statement` the index of the
    statement, after which it does. `failure` is the error after the last migration, `reason` why it could not be tried."""

    query: NamedQuery
    works: Works
    migration: int | None = None
    statement: int | None = None
    failure: QueryFailure | None = None
    reason: str = ""


def first_steps(results: Sequence[QueryResults | None]) -> list[FirstStep]:
    """Returns when each query of the new release works, in the order of the migrations; `results` are those of the replayed migrations."""
    last = next((each for each in reversed(results) if each is not None), None)
    if last is None:
        return []
    steps: dict[str, FirstStep] = {}
    for position, each in enumerate(results):
        for working in each.working if each is not None else ():
            if working.is_new:
                steps[working.query.fingerprint] = FirstStep(
                    query=working.query, works=Works.FROM, migration=position, statement=working.statement
                )
    refused: list[FailingQuery | BrokenQuery] = [*last.failing, *last.broken_new]
    for each_refused in refused:
        query = each_refused.query
        steps[query.fingerprint] = FirstStep(query=query, works=Works.NEVER, failure=each_refused.failure)
    new = {query.fingerprint for query in last.new_queries}
    for untried in last.untried:
        if untried.query.fingerprint in new and not untried.is_write:
            steps[untried.query.fingerprint] = FirstStep(query=untried.query, works=Works.UNKNOWN, reason=untried.reason)
    found = [steps.get(query.fingerprint) or FirstStep(query=query, works=Works.BEFORE) for query in last.new_queries]
    order = list(Works)
    return sorted(found, key=lambda step: (order.index(step.works), step.migration or 0, step.statement or 0))
