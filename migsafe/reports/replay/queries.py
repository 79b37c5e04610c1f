"""What a replay says about the application's queries: the lines that the text and the page have in common."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from migsafe.library.replay import Replay
from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.first_steps import FirstStep, Works, first_steps
from migsafe.replaying.queries.results import QueryFailure, QueryResults
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.replay.indexes import plan_notes
from migsafe.reports.replay.wording import line_of
from migsafe.terminal.quantities import format_duration

_MOST = 5
"""How many queries a line names."""


class QueryLine(Struct, frozen=True):
    """A line about queries: what is the case, since which line of the migration, and for which queries. `mood` is `good`, `bad`, `warn` or
    empty."""

    label: str
    text: str
    mood: str = ""


def query_lines(replayed: ReplayedMigration) -> Iterator[QueryLine]:
    """Yields what a migration means for the queries of the application; nothing without any."""
    results = replayed.queries
    if results is None:
        return
    line = _line_in(replayed)
    yield QueryLine("queries", _counts(results))
    for name, broken in (("stops working", results.broken), ("fails when executed", results.broken_writes)):
        for (where, failure), queries in _grouped((line(each.statement), each.failure, each.query) for each in broken):
            yield QueryLine(name, f"{where}{join_queries(queries, _MOST)}: {failure}", "bad")
    new_release = "of the new release: " if results.compared else ""
    for (where, failure), queries in _grouped((line(each.statement), each.failure, each.query) for each in results.broken_new):
        yield QueryLine("stops working", f"{where}{new_release}{join_queries(queries, _MOST)}: {failure}", "warn")
    for where, working in groupby(sorted(results.working, key=lambda each: each.statement or 0), key=lambda each: line(each.statement)):
        yield QueryLine("works now", f"{where}{join_queries([each.query for each in working], _MOST)}", "good")
    for where, changed in groupby(sorted(results.changed, key=lambda each: each.statement or 0), key=lambda each: line(each.statement)):
        listed = list(changed)
        example = "; ".join((*listed[0].parameters, *listed[0].columns))
        yield QueryLine("other types", f"{where}{join_queries([each.query for each in listed], _MOST)}: {example}", "")
    yield from (QueryLine("plans", note, "warn" if results.plans.regressions else "") for note in plan_notes(results.plans))


def untried_lines(replay: Replay) -> Iterator[str]:
    """Yields the queries of which nothing is known, with the reasons: those that could not be prepared after the last migration, and those that
    could not be executed around one of the migrations. A query that one of the migrations breaks is known to fail afterwards."""
    results = [replayed.queries for replayed in replay.replayed if replayed.queries is not None]
    broken = {each.query.fingerprint for result in results for each in (*result.broken, *result.broken_new)}
    broken |= {each.query.fingerprint for result in results for each in result.broken_writes}
    for what, is_write, listed in (("prepared", False, results[-1:]), ("executed with generated values", True, results)):
        reasons: dict[str, dict[str, NamedQuery]] = {}
        for untried in (untried for each in listed for untried in each.untried if untried.is_write is is_write):
            if untried.query.fingerprint in broken:
                continue
            reasons.setdefault(untried.reason, {})[untried.query.fingerprint] = untried.query
        listed_reasons = list(reasons.items())
        for reason, queries in listed_reasons[:_MOST]:
            number = f"{len(queries)} {'query' if len(queries) == 1 else 'queries'}"
            yield f"Not tried: {number} could not be {what}: {join_queries(list(queries.values()), _MOST)}: {reason}."
        more = sum(len(queries) for _, queries in listed_reasons[_MOST:])
        if more:
            yield f"Not tried: {more} more could not be {what}, for other reasons; --format json has all."


def new_query_lines(replay: Replay) -> Iterator[tuple[str, str]]:
    """Yields the first step at which the queries of the new release work, and these queries; nothing if it has none, or is not known."""
    steps = first_steps([replayed.queries for replayed in replay.replayed])
    for where, group in groupby(steps, key=lambda step: _step(step, replay.replayed)):
        listed = list(group)
        yield where, f"{len(listed)}: {join_queries([each.query for each in listed], _MOST)}"


def _step(step: FirstStep, replayed: Sequence[ReplayedMigration]) -> str:
    match step.works:
        case Works.BEFORE:
            return "before the migrations"
        case Works.FROM:
            assert step.migration is not None
            migration = replayed[step.migration]
            line = f":{line_of(migration.recording, step.statement)}" if step.statement is not None else ""
            return f"after {migration.migration.up.file.path}{line}"
        case Works.NEVER:
            return f"never: {step.failure}"
    return f"not known: {step.reason}"


def _counts(results: QueryResults) -> str:
    text = f"{results.prepared:,} of {results.total:,} accepted after it, prepared in {format_duration(results.prepare_ms)}"
    return text + (f"; {results.written:,} executed in {format_duration(results.write_ms)}" if results.written else "")


def _grouped(broken: Iterable[tuple[str, QueryFailure, NamedQuery]]) -> Iterator[tuple[tuple[str, QueryFailure], list[NamedQuery]]]:
    """Yields the queries that fail in the same way since the same line."""
    groups: dict[tuple[str, QueryFailure], list[NamedQuery]] = {}
    for where, failure, query in broken:
        groups.setdefault((where, failure), []).append(query)
    yield from groups.items()


def _line_in(replayed: ReplayedMigration) -> Callable[[int | None], str]:
    """Returns a function that returns the place of a statement as the beginning of a sentence; empty if it is not known."""
    return lambda statement: f"since line {line_of(replayed.recording, statement)}: " if statement is not None else ""
