"""The load beside a migration, in words for the text and the page, and as JSON."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from migsafe.replaying.recording.load_times import LoadPhase, LoadTimes
from migsafe.reports.json import query_object
from migsafe.reports.paths import unicode
from migsafe.terminal.quantities import format_duration

_MOST_UNUSED = 3


class PhaseLine(Struct, frozen=True):
    """One phase of the load as texts: a row of the table."""

    phase: str
    queries: str
    p50: str
    p99: str
    slowest: str
    slowest_query: str
    errors: str

    @property
    def rest(self) -> str:
        """The slowest query, and the errors."""
        return "; ".join(filter(None, (self.slowest_query, self.errors)))


HEADINGS = PhaseLine("", "queries", "p50", "p99", "max", "slowest", "")


def phase_lines(load: LoadTimes) -> list[PhaseLine]:
    """Returns the rows of the table: before, during and after the migration."""
    return [_phase_line(name, phase) for name, phase in (("before", load.before), ("during", load.during), ("after", load.after))]


def load_table(load: LoadTimes) -> Iterator[tuple[str, str]]:
    """Yields the lines of the table as text: the aligned numbers, and the rest."""
    lines = [HEADINGS, *phase_lines(load)]
    rows = [(line.phase, line.queries, line.p50, line.p99, line.slowest) for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, line in zip(rows, lines, strict=True):
        numbers = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"{row[0]:<{widths[0]}}  {numbers}", line.rest


def load_sentence(load: LoadTimes) -> str:
    """Returns what the load is."""
    if not load.queries:
        return "load: none, because no SELECT of the workload can be executed"
    sessions = f"{load.sessions} session{'' if load.sessions == 1 else 's'}"
    selects = f"{load.queries} SELECT{'' if load.queries == 1 else 's'} of the workload"
    return f"load: {sessions}, each with one of {selects} every {format_duration(load.interval_ms)} (a steady rate, weighted by their calls)"


def unused_sentences(load: LoadTimes) -> Iterator[str]:
    """Yields which SELECTs are not part of the load."""
    refused = [unused for unused in load.unused if unused.is_refused]
    others = [unused for unused in load.unused if not unused.is_refused]
    for unused in others[:_MOST_UNUSED]:
        yield f"not part of the load: {unused.query}: {unused.reason}"
    if len(others) > _MOST_UNUSED:
        yield f"not part of the load: {len(others) - _MOST_UNUSED} more"
    if refused:
        number = f"{len(refused)} SELECT{'' if len(refused) == 1 else 's'}"
        yield f"not part of the load: {number} that PostgreSQL refuses before the migration, such as {refused[0].query}: {refused[0].reason}"


def load_object(load: LoadTimes) -> dict[str, Any]:
    """Returns the load as JSON."""
    return {
        "sessions": load.sessions,
        "interval_ms": round(load.interval_ms, 3),
        "queries": load.queries,
        "unused": [{"query": query_object(unused.query), "reason": unicode(unused.reason)} for unused in load.unused],
        **{name: _phase_object(phase) for name, phase in (("before", load.before), ("during", load.during), ("after", load.after))},
    }


def _phase_line(name: str, phase: LoadPhase) -> PhaseLine:
    errors = ", ".join(f"{number:,} failed with {sqlstate}" for sqlstate, number in phase.errors.items())
    if not phase.queries:
        return PhaseLine(name, "0", "–", "–", "–", "", errors)
    times = (format_duration(phase.p50), format_duration(phase.p99), format_duration(phase.slowest))
    return PhaseLine(name, f"{phase.queries:,}", *times, str(phase.slowest_query), errors)


def _phase_object(phase: LoadPhase) -> dict[str, Any]:
    return {
        "seconds": round(phase.seconds, 3),
        "queries": phase.queries,
        "p50_ms": round(phase.p50, 3),
        "p99_ms": round(phase.p99, 3),
        "max_ms": round(phase.slowest, 3),
        "slowest_query": query_object(phase.slowest_query) if phase.slowest_query is not None else None,
        "errors": phase.errors,
    }
