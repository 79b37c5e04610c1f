"""The findings about the application's queries."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import NamedQuery, Severity
from migsafe.patterns import lazy_pattern
from migsafe.replaying.queries.plan_findings import plan_findings
from migsafe.replaying.queries.query_finding import QueryFinding
from migsafe.replaying.queries.results import BrokenQuery, BrokenWrite, ChangedQuery, QueryResults
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation
from migsafe.sql.operations.values import quoted

_BREAKS = "replay-query-breaks"
_WRITE_BREAKS = "replay-write-breaks"
_CHANGES = "replay-query-changes"
_MISSING = ("42P01", "42703", "42704", "3F000", "42883")
"""The errors of a query that names something which does not exist."""

_COLUMN = lazy_pattern(r'column (?:"|\w+\.)?(?P<name>\w+)"?(?: of relation "[^"]+")? does not exist')
"""PostgreSQL's messages about a missing column."""

_Broken = TypeVar("_Broken", BrokenQuery, BrokenWrite)


def query_findings(results: QueryResults) -> Iterator[QueryFinding]:
    """Yields what a migration does to the queries of the application: one finding for the queries that a statement breaks in the same way."""
    for broken in _together(results.broken):
        message = f"{_sent(broken, results)} no longer {_verb(broken, 'works', 'work')}: PostgreSQL answers `{broken[0].failure.message}`"
        help = _after_release(f"does not send {_verb(broken, 'the query', 'these queries')}")
        yield _finding(_BREAKS, Severity.ERROR, f"{message} ({broken[0].failure.sqlstate})", broken, help)
    yield from _of_new_release(results)
    for writes in _together(results.broken_writes):
        message = f"{_sent(writes, results)} can still be prepared, but {_verb(writes, 'fails', 'fail')} when executed: PostgreSQL answers "
        message += f"`{writes[0].failure.message}` ({writes[0].failure.sqlstate}); before the migration, the same values are accepted"
        severity = Severity.ERROR if all(each.is_certain for each in writes) else Severity.WARNING
        help = _after_release(f"{_verb(writes, 'sends a query that satisfies', 'sends queries that satisfy')} the new schema")
        yield _finding(_WRITE_BREAKS, severity, message, writes, help)
    for changed in _by_statement(results.changed):
        yield _changes(changed)
    yield from plan_findings(results.plans)


def _of_new_release(results: QueryResults) -> Iterator[QueryFinding]:
    """Yields the queries of the new release that do not work on the schema with which it has to run: the one after the last migration."""
    if not results.at_end:
        return
    for broken in _together(results.broken_new):
        message = f"the new release's {_names(broken)} worked before this statement, and "
        message += f"no longer {_verb(broken, 'does', 'do')}: PostgreSQL answers `{broken[0].failure.message}` ({broken[0].failure.sqlstate})"
        yield _finding(_BREAKS, Severity.ERROR, message, broken)
    by_message: dict[str, list[NamedQuery]] = {}
    for failing in results.failing:
        if failing.is_write or failing.failure.sqlstate in _MISSING:
            by_message.setdefault(f"`{failing.failure.message}` ({failing.failure.sqlstate})", []).append(failing.query)
    for answer, queries in by_message.items():
        message = f"after all migrations, the new release's {_queries(queries)} {'does' if len(queries) == 1 else 'do'} not work: PostgreSQL "
        yield QueryFinding(_BREAKS, Severity.WARNING, f"{message}answers {answer}", None, tuple(queries))


def _changes(changed: list[ChangedQuery]) -> QueryFinding:
    """Returns the finding about queries that work as before with other types or result columns."""
    first = changed[0]
    number = len(changed)
    named = f"the query {first.query}" if number == 1 else f"{number} queries"
    example = f"{'' if number == 1 else f'in {first.query}, '}{'; '.join((*first.parameters, *first.columns))}"
    message = f"{named} {_verb(changed, 'works', 'work')} as before, but with other types or columns: {example}"
    if any(each.columns for each in changed):
        message += ". A session that has prepared such a query fails once with `cached plan must not change result type`, unless its driver "
        message += "prepares it again"
    return QueryFinding(_CHANGES, Severity.INFO, message, first.statement, tuple(each.query for each in changed))


def _together(broken: Iterable[_Broken]) -> Iterator[list[_Broken]]:
    """Yields the queries of the same releases that the same statement breaks in the same way."""
    groups: dict[tuple[int | None, str, str, bool], list[_Broken]] = {}
    for each in broken:
        # The same column may be named with an alias, or as one of the target of an INSERT.
        column = _COLUMN.fullmatch(each.failure.message)
        cause = column["name"] if column is not None else each.failure.message
        groups.setdefault((each.statement, each.failure.sqlstate, cause, each.in_both), []).append(each)
    yield from groups.values()


def _by_statement(changed: Iterable[ChangedQuery]) -> Iterator[list[ChangedQuery]]:
    groups: dict[int | None, list[ChangedQuery]] = {}
    for each in changed:
        groups.setdefault(each.statement, []).append(each)
    yield from groups.values()


def _finding(rule: str, severity: Severity, message: str, broken: list[_Broken], help: str = "") -> QueryFinding:
    return QueryFinding(rule, severity, message, broken[0].statement, tuple(each.query for each in broken), help)


def _sent(broken: list[_Broken], results: QueryResults) -> str:
    """Returns the queries and the release that sends them, as the subject of a sentence."""
    return f"the {_whose(results, in_both=broken[0].in_both)} {_names(broken)}"


def _whose(results: QueryResults, *, in_both: bool) -> str:
    return "application's" if not results.compared else "running and the new release's" if in_both else "running release's"


def _names(broken: list[_Broken]) -> str:
    return _queries([each.query for each in broken])


def _queries(queries: list[NamedQuery]) -> str:
    return f"{'query' if len(queries) == 1 else 'queries'} {join_queries(queries)}"


def _verb(queries: Sized, one: str, many: str) -> str:
    return one if len(queries) == 1 else many


def in_steps(found: QueryFinding, operations: Iterable[Operation]) -> str:
    """Returns the help of a finding at a statement with these operations: which release comes first, and how to keep the old name or type."""
    if found.rule != _BREAKS or not found.help:
        return found.help
    for operation in operations:
        match operation:
            case sql.RenameColumn(column=column, new_name=new):
                steps = f"-- or in steps: add {quoted(new)}, write both columns (by a trigger, for example), copy the values, deploy,\n"
                return f"{found.help}\n{steps}-- and drop {quoted(column)} when no running release uses it"
            case sql.Rename(kind="table", name=name, new_name=new):
                view = f"CREATE VIEW {name} AS SELECT * FROM {name._replace(name=new)};"  # noqa: S608  # quoted
                steps = "-- or keep the old name, in the same transaction, and drop the view when no running release uses it:\n"
                return f"{found.help}\n{steps}{view}"
            case sql.AlterColumnType(column=column):
                return (
                    f"{found.help}\n-- or add a column of the new type, let releases write both, and drop {quoted(column)} when no running "
                    "release uses it"
                )
    return found.help


def _after_release(what: str) -> str:
    return f"-- first deploy a release that {what}; run the statement when every running release is one of those, in a later migration"
