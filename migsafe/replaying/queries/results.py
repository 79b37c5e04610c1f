"""What was measured of the application's queries around one migration."""

from collections.abc import Callable, Iterable
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
    if that is not known. `hint` says how to do it in steps; empty if that is not known."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    statement: int | None = None
    hint: str = ""


class WorkingQuery(Struct, frozen=True, kw_only=True):
    """A query of the new release that PostgreSQL refuses before a migration and accepts after it. `statement` is the index of the statement
    after which it works; None if that is not known. `before` is why it was refused."""

    query: NamedQuery
    text: str
    before: QueryFailure
    statement: int | None = None


class FailingQuery(Struct, frozen=True, kw_only=True):
    """A query of the new release, which the running one does not send, that PostgreSQL still refuses after a migration."""

    query: NamedQuery
    text: str
    failure: QueryFailure


class ChangedQuery(Struct, frozen=True, kw_only=True):
    """A query of the running release that works before and after a migration, but with other types. `changes` are phrases such as
    `$1 is bigint instead of integer`."""

    query: NamedQuery
    text: str
    changes: tuple[str, ...]
    statement: int | None = None


class BrokenWrite(Struct, frozen=True, kw_only=True):
    """An INSERT, UPDATE or MERGE of the running release that succeeds with generated values before a migration and fails with the same values
    after it."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    statement: int | None = None


class UntriedQuery(Struct, frozen=True, kw_only=True):
    """A query of which nothing is known, and why. `is_write` if it can be prepared, but not executed with generated values."""

    query: NamedQuery
    text: str
    reason: str
    is_write: bool = False


class QueryResults(Struct, frozen=True, kw_only=True):
    """What was measured of the queries of both releases around one migration.

    `prepared` is how many were prepared, `written` how many INSERTs, UPDATEs and MERGEs were executed. `broken` are those of the running
    release, `broken_new` those that only the new release sends. `failing` are those of the new release that do not work yet. `compared` says
    whether the running release is known; without, the queries are those of both. `prepare_ms` is the time of one preparation of all queries,
    `write_ms` that of the writes. `plans` are the plans before and after the migration.
    """

    prepared: int = 0
    written: int = 0
    compared: bool = False
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
    )
