"""The sentences about a rehearsal that its formats have in common."""

from collections.abc import Iterator

from migsafe.assessment.premortem import Phase
from migsafe.assessment.rehearsal import Answer, Backfill, ReleaseResult
from migsafe.library.rehearse import Rehearsal
from migsafe.replaying.recording.load_times import LoadTimes
from migsafe.terminal.quantities import format_duration

RESULTS = {True: "passed", False: "failed", None: "not tried"}

PURPOSES = {
    Phase.EXPAND: "the running release meets each of these schemas",
    Phase.DEPLOY: "both releases run, as during a canary",
    Phase.BACKFILL: "both releases run",
    Phase.VALIDATE: "both releases may run, if all rows satisfy it",
    Phase.CONTRACT: "only the new release runs",
}
"""Which releases run in a phase."""

_HOW_TO_GET_QUERIES = "Name the application's queries in the configuration (`queries = [...]`): docs/queries.md says where they come from."
_HOW_TO_COMPARE = "The queries of the running release are read at --since, or from the files of --queries."

_MOST_NAMED = 5
_MOST_REASONS = 3


def release_cell(result: ReleaseResult) -> str:
    """Returns the cell of a release in the table of phases."""
    match result.answer:
        case Answer.WORKS:
            if not result.tried:
                return "works as before"
            slow = f", {len(result.slow)} slow" if result.slow else ""
            return f"works ({_count(result.tried, 'query')}{slow})"
        case Answer.FAILS:
            return f"fails ({len(result.failing)} of {_count(result.tried, 'query')})"
        case Answer.NOT_TRIED:
            return "not tried"
        case _:
            return result.reason


def backfill(change: Backfill) -> str:
    """Returns what a change of all rows does, and what was measured of it, in one transaction and in batches."""
    took = f". Here it took {format_duration(change.duration_ms)}" if change.duration_ms is not None else ""
    return f"{change.message}{took}. {_in_batches(change)}"


def _in_batches(change: Backfill) -> str:
    tried = change.in_batches
    if tried is None:
        return f"In batches, it was not tried{f': {change.untried}' if change.untried else ''}"
    if tried.failure:
        return f"In batches, it could not be tried: {tried.failure}"
    number = max(tried.transactions, 1)
    result = f"but leaves other rows: {'; '.join(tried.differences)}" if tried.differences else "and leaves the same rows"
    result = result if tried.compared else "and leaves other values, as does each run of the migration itself"
    average = "" if number == 1 else f" of {format_duration(tried.duration_ms / number)} on average"
    took = f", {format_duration(tried.duration_ms)} in all," if number > 1 else f" of {format_duration(tried.duration_ms)},"
    return f"In batches, which was tried on a copy, it needs {_count(number, 'transaction')}{average}{took} {result}"


def load_of(load: LoadTimes) -> str:
    """Returns how long the SELECTs took beside a migration."""
    if not load.queries:
        return "load: none, because no SELECT of the running release can be executed"
    phases = (("before", load.before), ("during", load.during), ("after", load.after))
    times = [
        f"{' / '.join(map(format_duration, (each.p50, each.p99, each.slowest))) if each.queries else 'none'} {name}" for name, each in phases
    ]
    failed = sum(sum(phase.errors.values()) for _, phase in phases)
    errors = f"; {_count(failed, 'query')} failed" if failed else ""
    return f"load of {_count(load.sessions, 'session')}, p50 / p99 / max: {', '.join(times)}{errors}"


def heading(rehearsal: Rehearsal) -> str:
    """Returns what was rehearsed: `2 migrations, 11 queries of the running release, 12 of the new one`."""
    number = sum(len(phase.migrations) for phase in rehearsal.phases)
    migrations = _count(number, "migration")
    if not rehearsal.running and not rehearsal.new:
        return f"{migrations}, no queries"
    if not rehearsal.compared:
        return f"{migrations}, {_count(rehearsal.new, 'query')} of the new release"
    return f"{migrations}, {_count(rehearsal.running, 'query')} of the running release, {rehearsal.new} of the new one"


def verdict(rehearsal: Rehearsal) -> str:
    """Returns the result, with its reasons: `failed: expand, deploy`."""
    failed = [phase.phase.name.lower() for phase in rehearsal.phases if phase.passed is False]
    untried = [phase.phase.name.lower() for phase in rehearsal.phases if phase.passed is None]
    parts = [f"failed: {', '.join(failed)}"] if failed else []
    parts += [f"not tried: {', '.join(untried)}"] if untried else []
    if not parts and rehearsal.passed is None:
        parts = ["incomplete: see the errors"] if rehearsal.replay.verdict.problems else ["nothing was tried"]
    return "; ".join(parts) or "passed"


def remarks(rehearsal: Rehearsal) -> Iterator[str]:
    """Yields what was not tried, with the reasons, and what the order means."""
    for phase in rehearsal.phases:
        yield from (f"{phase.phase.name.lower()}: {note}" for note in phase.notes)
    yield from _without_running(rehearsal)
    reasons = dict.fromkeys(reason for phase in rehearsal.phases for reason in phase.untried)
    for reason in reasons:
        yield f"{', '.join(phase.phase.name.lower() for phase in rehearsal.phases if reason in phase.untried)}: not tried: {reason}"
    for indexes in rehearsal.replay.indexes:
        if indexes.skipped:
            yield f"deploy: no index was tried for the {_count(indexes.judged, 'query')} of the new release: {indexes.skipped}"
        elif indexes.not_tried:
            first = indexes.not_tried[0]
            number = _count(len(indexes.not_tried), "query")
            yield f"deploy: it is not known whether an index serves {number}: {first.query}: {first.reason}"
    yield from _untried(rehearsal)
    if rehearsal.unread:
        yield f"{_count(rehearsal.unread, 'query')} could not be read: `migsafe queries` names them"
    if not rehearsal.new:
        yield _HOW_TO_GET_QUERIES
    if not rehearsal.compared:
        yield _HOW_TO_COMPARE


def _without_running(rehearsal: Rehearsal) -> Iterator[str]:
    """Yields which queries of the running release fail in the phases in which it no longer runs."""
    told: set[str] = set()
    for phase in rehearsal.phases:
        failing = [query for query in phase.running.failing if query.fingerprint not in told]
        if failing and phase.running.answer is Answer.NOT_RUNNING:
            names, more = ", ".join(map(str, failing[:_MOST_NAMED])), len(failing) - _MOST_NAMED
            names += f" and {more} more" if more > 0 else ""
            fails = f"queries {names} fail" if len(failing) > 1 else f"query {names} fails"
            again = "" if told else " A rollback of the application is not possible after it."
            yield f"{phase.phase.name.lower()}: begin it when no instance of the running release is left: then its {fails}.{again}"
            told.update(query.fingerprint for query in failing)


def _untried(rehearsal: Rehearsal) -> Iterator[str]:
    """Yields the queries of which a part was not tried, for each reason."""
    by_reason: dict[str, list[str]] = {}
    for each in rehearsal.untried:
        what = f"could not be executed: {each.reason}" if each.is_write else f"could not be prepared: {each.reason}"
        by_reason.setdefault(what, []).append(str(each.query))
    for number, (reason, names) in enumerate(by_reason.items()):
        if number == _MOST_REASONS:
            yield f"{_count(sum(map(len, list(by_reason.values())[number:])), 'query')} could not be tried for other reasons: see --format json"
            return
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"{', '.join(names[:_MOST_NAMED])}{more} {reason}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else 'queries' if noun == 'query' else noun + 's'}"
