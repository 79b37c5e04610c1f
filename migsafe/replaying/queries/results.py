"""What was measured of the application's queries around one migration."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.plan_results import PlanRegression, PlanResults


class QueryFailure(Struct, frozen=True):
    """Why PostgreSQL refuses a query: the SQLSTATE and the primary message."""

    sqlstate: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} ({self.sqlstate})" if self.sqlstate else self.message


class Prepared(Struct, frozen=True, kw_only=True):
    """What PostgreSQL says about a query in one state of the database. `failure` is None if it accepts the query; then `parameters` are the
    types of its parameters, and `columns` the names and types of its result columns. `untyped` if it was prepared without the known types of
    its parameters, because PostgreSQL refuses it with them."""

    failure: QueryFailure | None = None
    parameters: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    untyped: bool = False


class BrokenQuery(Struct, frozen=True, kw_only=True):
    """A query that PostgreSQL accepts before a migration and refuses after it. `statement` is the index of the statement that caused it; None
    if that is not known. `in_both`: the running and the new release send it."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    statement: int | None = None
    in_both: bool = False


class WorkingQuery(Struct, frozen=True, kw_only=True):
    """A query that PostgreSQL refuses before a migration and accepts after it. `statement` is the index of the statement after which it works;
    None if that is not known. `before` is why it was refused. `is_new` if it is known that the running release does not send it."""

    query: NamedQuery
    text: str
    before: QueryFailure
    statement: int | None = None
    is_new: bool = False


class FailingQuery(Struct, frozen=True, kw_only=True):
    """A query that only the new release sends, and that PostgreSQL refuses before and after a migration. `is_write` if it can be prepared, but
    fails when it is executed, with any values."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    is_write: bool = False


class ChangedQuery(Struct, frozen=True, kw_only=True):
    """A query that works before and after a migration, but with other types or result columns. `parameters` and `columns` are phrases such as
    `$1 is bigint instead of integer`."""

    query: NamedQuery
    text: str
    parameters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    statement: int | None = None


class BrokenWrite(Struct, frozen=True, kw_only=True):
    """A write of the running release that succeeds before a migration, and fails with the same values after it. `is_certain` if it fails with
    any values: for a constraint, the query itself or a default gives the value. `in_both`: the new release sends it, too."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    statement: int | None = None
    is_certain: bool = True
    in_both: bool = False


class UntriedQuery(Struct, frozen=True, kw_only=True):
    """A query that could not be compared, and why. `is_write` if it can be prepared, but not executed with generated values."""

    query: NamedQuery
    text: str
    reason: str
    is_write: bool = False


class QueryResults(Struct, frozen=True, kw_only=True):
    """What was measured of the queries of both releases around one migration.

    `total` is the number of queries, `prepared` how many of them PostgreSQL accepts after the migration, `written` how many writes
    were executed. `new_queries` are those that only the new release sends. `compared` says whether the running release is known;
    otherwise the queries are those of both releases. `at_end` if the history ends with this migration, and all of it was run; `is_release` if
    the migrations that are replayed are those of one release. `broken` are queries of the running release, `broken_new` those that only the new
    release sends. `plans` are the plans before and after the migration. `prepare_ms` is the time in which all queries were prepared once,
    `write_ms` that of the writes.
    """

    total: int = 0
    prepared: int = 0
    written: int = 0
    new_queries: tuple[NamedQuery, ...] = ()
    compared: bool = False
    at_end: bool = False
    is_release: bool = True
    broken: tuple[BrokenQuery, ...] = ()
    broken_new: tuple[BrokenQuery, ...] = ()
    broken_writes: tuple[BrokenWrite, ...] = ()
    working: tuple[WorkingQuery, ...] = ()
    failing: tuple[FailingQuery, ...] = ()
    changed: tuple[ChangedQuery, ...] = ()
    untried: tuple[UntriedQuery, ...] = ()
    prepare_ms: float = 0.0
    write_ms: float = 0.0
    plans: PlanResults = PlanResults()


_Broken = TypeVar("_Broken", BrokenQuery, BrokenWrite)


def without_repaired(results: Sequence[QueryResults | None]) -> list[QueryResults | None]:
    """Returns the results of a history's migrations without the queries that break and work again after the last one, or that become
    expensive and cheap again, if it is not known to which release they belong: a query of the last release never meets the states before."""
    last = next((each for each in reversed(results) if each is not None), None)
    if last is None or last.compared or last.is_release:
        return list(results)
    lists: tuple[Iterable[BrokenQuery | BrokenWrite | FailingQuery | UntriedQuery], ...]
    lists = (last.untried, last.failing, last.broken, last.broken_writes)
    failing = {each.query.fingerprint for listed in lists for each in listed}

    def lasting(broken: Iterable[_Broken]) -> tuple[_Broken, ...]:
        return tuple(each for each in broken if each.query.fingerprint in failing)

    found: list[QueryResults | None] = []
    recovered: frozenset[str] = frozenset()
    for each in reversed(results):
        if each is not None:
            regressions = tuple(every for every in each.plans.regressions if every.query.fingerprint not in recovered)
            recovered |= each.plans.recovered
            plans = replace(each.plans, regressions=regressions)
            each = replace(each, broken=lasting(each.broken), broken_writes=lasting(each.broken_writes), plans=plans)  # noqa: PLW2901
        found.append(each)
    return found[::-1]


_Caused = TypeVar("_Caused", PlanRegression, BrokenQuery, BrokenWrite, ChangedQuery, WorkingQuery)


def part_of_results(results: QueryResults, statement_in: Callable[[int], int | None], is_last: bool) -> QueryResults:
    """Returns what one of several migrations in a transaction causes. `statement_in` returns the index of a statement in that migration, None
    for one of another migration. The last migration gets what no statement explains."""

    def caused(found: Iterable[_Caused]) -> tuple[_Caused, ...]:
        own = []
        for each in found:
            statement = statement_in(each.statement) if each.statement is not None else None
            if statement is not None or (each.statement is None and is_last):
                own.append(replace(each, statement=statement))
        return tuple(own)

    return replace(
        results,
        broken=caused(results.broken),
        broken_new=caused(results.broken_new),
        broken_writes=caused(results.broken_writes),
        working=caused(results.working),
        changed=caused(results.changed),
        plans=replace(results.plans, regressions=caused(results.plans.regressions)),
        failing=results.failing if is_last else (),
        untried=results.untried if is_last else (),
        at_end=results.at_end and is_last,
    )
