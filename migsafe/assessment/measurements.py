"""The measurements of a replay in sentences, with estimates for production that are based on them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migsafe.assessment.durations import Duration, format_rounded
from migsafe.assessment.failure_modes import LineOf
from migsafe.linting.facts.wording import join_queries
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from migsafe.replaying.recording.records import Wait
    from migsafe.replaying.replay import ReplayedMigration

_EXPERIMENTS = {"rerun": "Run a second time", "crash": "Interrupted and run again", "round trip": "Rolled back and run again"}


def describe_measurements(replayed: "ReplayedMigration", line_of: LineOf) -> Iterator[str]:
    """Yields the measurements, the worst first."""
    from migsafe.replaying.recording.records import waiting_queries  # noqa: PLC0415  # not needed without a replay
    from migsafe.terminal.quantities import format_duration, format_size  # noqa: PLC0415

    recording = replayed.recording
    if recording.failure is not None:
        yield f"It failed at line {line_of(recording.statements[-1].statement.index)}: {recording.failure.message}"
    if replayed.untried:
        yield f"It was not tried: {replayed.untried}"
    if replayed.emptying is not None:
        yield f"It {replayed.emptying.event} ({replayed.emptying.message}) and was run again with empty tables: its times mean nothing."
    wal = sum(recorded.wal_bytes for recorded in recording.statements)
    yield f"It took {format_duration(recording.duration_ms)} and wrote {format_size(wal)} of WAL."
    waits: dict[tuple[Name, str], list[Wait]] = {}
    for wait in recording.waits:
        waits.setdefault((wait.relation, wait.access), []).append(wait)
    for (relation, access), waited in waits.items():
        queries = waiting_queries(waited)
        names = f": {join_queries(queries)}" if queries else ""
        yield f"{access.capitalize()} of {relation} waited for {format_duration(max(wait.ms for wait in waited))}{names}."
    if recording.times_before.probes and not waits:
        yield f"None of the {recording.times_during.probes:,} concurrent queries waited."
    for recorded in recording.statements:
        estimate = replayed.estimates.get(recorded.statement.index)
        if estimate is not None:
            rows = sum(
                measured_effect.rows or 0
                for measured_effect in recorded.measured_effects
                if measured_effect.grows_with_rows and not measured_effect.effect.new
            )
            sentence = f"Line {line_of(recorded.statement.index)} took {format_duration(recorded.duration_ms)} on {rows:,} rows"
            duration = Duration(estimate.low_ms, estimate.high_ms)
            yield f"{sentence}: estimate for production's {estimate.rows:,} rows on this machine: {duration}."
        elif recorded.duration_ms >= 1000:
            yield f"Line {line_of(recorded.statement.index)} took {format_duration(recorded.duration_ms)}."
    for relation in recording.deadlocks:
        yield f"The migration and queries of {relation} deadlocked."
    for relation, error in recording.probe_errors.items():
        yield f"Queries of {relation} that worked before fail now: {error.splitlines()[0].removeprefix('ERROR:').strip() if error else ''}"
    for outcome in replayed.outcomes:
        if outcome.experiment in _EXPERIMENTS and outcome.passed is not None:
            yield f"{_EXPERIMENTS[outcome.experiment]}: {outcome.summary}."


def measured_hold(replayed: "ReplayedMigration | None", relation: Name) -> str:
    """Returns how long the replay held a blocking lock on a relation; empty if it held none."""
    if replayed is None:
        return ""
    holds_ms = [
        measured_effect.held_ms
        for recorded in replayed.recording.statements
        for measured_effect in recorded.measured_effects
        if measured_effect.effect.relation == relation and measured_effect.effect.blocks and not measured_effect.effect.new
    ]
    return (f"{max(holds_ms):.0f} ms" if max(holds_ms) < 1000 else format_rounded(max(holds_ms))) if holds_ms else ""
