"""The page of a replay, without network access or scripts; light or dark as the reader's system is."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from migsafe import __version__
from migsafe.library.replay import Replay
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.recording.held_locks import HeldLock, held_locks
from migsafe.replaying.recording.records import Recording, Wait, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.page import lines, render_page
from migsafe.reports.replay.indexes import index_notes
from migsafe.reports.replay.load import load_sentence, phase_lines, unused_sentences
from migsafe.reports.replay.queries import new_query_lines, query_lines, untried_lines
from migsafe.reports.replay.wording import LockLine, blocked, facts, line_of, lock_line, status, verdict, work
from migsafe.sql.operations import Name
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration, format_range, format_size

_LONGEST_SQL = 4000
_MOST_ROWS = 24
_PARTS = 4
"""The parts of the time axis."""
_QUESTIONS = {
    "rerun": "Does it run a second time?",
    "crash": "Can it be run again after a crash half-way?",
    "round trip": "Does the downgrade work, and the upgrade after it?",
    "agreement": "Did it do what was predicted?",
}
_ANSWERS = {True: ("yes", "good"), False: ("no", "bad"), None: ("not tried", "none")}
_STRENGTH = {0: "blocks-nothing", 1: "blocks-writes", 2: "blocks-reads"}


class Tile(Struct, frozen=True):
    """A number at the top of the page; `mood` is its colour."""

    label: str
    value: str
    mood: str


class Bar(Struct, frozen=True):
    """A lock, or the wait of a query, on the timeline: its place in percent of the migration's time."""

    kind: str
    left: str
    width: str
    title: str


class Row(Struct, frozen=True):
    """The bars of a relation; `description` says the same in words."""

    relation: Name
    bars: tuple[Bar, ...]
    description: str


class Timeline(Struct, frozen=True):
    """When a migration locked each relation, and when queries waited; `more` relations are not shown."""

    ticks: tuple[str, ...]
    rows: tuple[Row, ...]
    more: int


def report(replay: Replay, display: Display) -> str:
    """Returns the whole page."""
    names = [replayed.migration.up.file.path.rpartition("/")[2] for replayed in replay.replayed]
    held = [held_locks(replayed.recording.statements) for replayed in replay.replayed]
    return render_page(
        "replay.html",
        {
            "blocked": blocked,
            "duration": format_duration,
            "further_observations": _further_observations,
            "line_in": line_of,
            "load_sentence": load_sentence,
            "lock_line": lock_line,
            "mood": _mood,
            "phase_lines": phase_lines,
            "query_lines": query_lines,
            "range": format_range,
            "size": format_size,
            "sql": _sql,
            "status": status,
            "unused_sentences": unused_sentences,
            "work": work,
        },
        title="Replay: " + ", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
        replay=replay,
        verdict=verdict(replay),
        facts=list(facts(replay)),
        index_notes=list(index_notes(replay)),
        tiles=list(_tiles(replay)),
        held=held,
        timelines=[_timeline(replayed, locks) for replayed, locks in zip(replay.replayed, held, strict=True)],
        new_queries=list(new_query_lines(replay)),
        untried_queries=list(untried_lines(replay)),
        questions=_QUESTIONS,
        answers=_ANSWERS,
        version=__version__,
    )


def _tiles(replay: Replay) -> Iterator[Tile]:
    statements = [statement for replayed in replay.replayed for statement in replayed.recording.statements]
    names = {"blocked": "longest wait of a query", "hold": "longest lock that blocks queries", "wal": "most WAL of a migration"}
    moods = {"kept": "good", "exceeded": "bad", "unknown": "warn", "no budget": "none"}
    for budget in replay.facts.budgets:
        value = format_size(int(budget.measured)) if budget.name == "wal" else format_duration(budget.measured) if budget.measured else "none"
        yield Tile(names[budget.name], value, moods[budget.answer])
    growing = sum(bool(effects_growing_with_rows(statement)) for statement in statements)
    yield Tile("statements whose time grows with the rows", str(growing), "warn" if growing else "none")


def _timeline(replayed: ReplayedMigration, held: Mapping[Name, Sequence[HeldLock]]) -> Timeline | None:
    """Returns a row for each relation: bars for its locks, and below them the times when probes waited."""
    recording = replayed.recording
    total = recording.duration_ms / 1000
    if total <= 0 or not held:
        return None
    rows = []
    for relation, locks in list(held.items())[:_MOST_ROWS]:
        bars = [_lock_bar(lock, recording, total) for lock in locks]
        waits = [_wait_bar(wait, total) for wait in recording.waits if wait.relation == relation]
        rows.append(Row(relation, (*bars, *waits), f"{relation}: {'; '.join(bar.title for bar in bars)}"))
    ticks = ("0", *(format_duration(recording.duration_ms * part / _PARTS) for part in range(1, _PARTS + 1)))
    return Timeline(ticks=ticks, rows=tuple(rows), more=len(held) - len(rows))


def _lock_bar(lock: HeldLock, recording: Recording, total: float) -> Bar:
    times = f"{format_duration(1000 * lock.started)} to {format_duration(1000 * lock.ended)}"
    on_index = f", {lock.index_lock} on an index" if lock.index_lock is not None and lock.index_lock > lock.lock else ""
    blocks = f"blocks {' and '.join(lock.blocks) or 'nothing'}"
    return Bar(
        kind=_STRENGTH[len(lock.blocks)],
        left=f"{100 * lock.started / total:.3f}",
        width=f"{100 * (lock.ended - lock.started) / total:.3f}",
        title=f"{lock.lock}{on_index}, {times}, taken by line {line_of(recording, lock.statement)}: {blocks}",
    )


def _wait_bar(wait: Wait, total: float) -> Bar:
    started = min(max(wait.started, 0), total)
    ended = min(wait.started + wait.ms / 1000, total)
    return Bar(
        kind=f"wait {wait.access}",
        left=f"{100 * started / total:.3f}",
        width=f"{100 * max(ended - started, 0) / total:.3f}",
        title=f"{wait.query or wait.access} waited for {format_duration(wait.ms)}",
    )


def _mood(line: LockLine) -> str:
    if line.is_new or not line.blocks:
        return ""
    return "bad" if "reads" in line.blocks else "warn"


def _further_observations(outcome: Outcome) -> list[Observation]:
    """Returns the observations that the summary does not contain."""
    return [observation for observation in outcome.observations if observation.text not in outcome.summary]


def _sql(text: str) -> Markup:
    return lines(text if len(text) <= _LONGEST_SQL else text[:_LONGEST_SQL] + " …")
