"""The page of a replay, without network access or scripts; light or dark as the reader's system is."""

from collections.abc import Iterator

from markupsafe import Markup
from msgspec import Struct

from migsafe import __version__
from migsafe.library.replay import Replay
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.recording.records import MeasuredEffect, Recording, StatementRecord, Wait, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.page import lines, render_page
from migsafe.sources import Migration
from migsafe.sql.operations import Name
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration, format_size

_WIDTH, _ROW, _LABEL, _TOP = 960, 26, 230, 24
_LONGEST_SQL = 4000
_MOST_ROWS = 24
_QUESTIONS = {
    "rerun": "Does it run a second time?",
    "crash": "Can it be run again after a crash half-way?",
    "round trip": "Does the downgrade work, and the upgrade after it?",
    "agreement": "Did it do what was predicted?",
}
_ANSWERS = {True: ("yes", "good"), False: ("no", "bad"), None: ("not tried", "none")}
_STRENGTH = {0: "weak", 1: "writes", 2: "reads"}


class Tile(Struct, frozen=True):
    """A number at the top of the page; `mood` is its colour."""

    label: str
    value: str
    mood: str


class Tick(Struct, frozen=True):
    """A mark on the time axis."""

    x: str
    anchor: str
    label: str


class Bar(Struct, frozen=True):
    """A lock, or the wait of a query, on the timeline."""

    kind: str
    x: str
    y: int
    width: str
    height: str
    title: str


class Row(Struct, frozen=True):
    """The bars of a relation."""

    y: int
    relation: Name
    bars: tuple[Bar, ...]


class Timeline(Struct, frozen=True):
    """When a migration locked each relation, and when queries waited; `more` relations are not shown."""

    height: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    more: int
    width: int = _WIDTH
    top: int = _TOP
    label_end: int = _LABEL - 8


def report(replay: Replay, display: Display) -> str:
    """Returns the whole page."""
    names = [replayed.migration.up.file.path.rpartition("/")[2] for replayed in replay.replayed]
    return render_page(
        "replay.html",
        {
            "blocks": _blocks,
            "count_of": _count_of,
            "duration": format_duration,
            "further_observations": _further_observations,
            "line_in": _line_in,
            "longest_waits": _longest_waits,
            "mood": _mood,
            "size": format_size,
            "sql": _sql,
            "work": _work,
        },
        title="Replay: " + ", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
        replay=replay,
        tiles=list(_tiles(replay)),
        timelines=[_timeline(replayed) for replayed in replay.replayed],
        questions=_QUESTIONS,
        answers=_ANSWERS,
        version=__version__,
    )


def _tiles(replay: Replay) -> Iterator[Tile]:
    replayed, findings = replay.replayed, replay.verdict.findings
    statements = [statement for migration in replayed for statement in migration.recording.statements]
    wait = max((migration.recording.longest_wait for migration in replayed), default=0.0)
    yield Tile("longest wait of a query", format_duration(wait) if wait else "none", "bad" if wait >= 1000 else "warn" if wait else "good")
    blocking = [measured for statement in statements for measured in statement.measured_effects if _is_blocking(measured.effect)]
    held = max((measured.held_ms for measured in blocking), default=0.0)
    yield Tile("longest lock that blocks queries", format_duration(held) if held else "none", "warn" if held >= 500 else "none")
    growing = sum(bool(effects_growing_with_rows(statement)) for statement in statements)
    yield Tile("statements whose time grows with the rows", str(growing), "warn" if growing else "none")
    is_bad = any(migration.recording.failure is not None for migration in replayed) or any(
        finding.severity.name == "ERROR" for finding in findings
    )
    yield Tile("findings", str(len(findings)), "bad" if is_bad else "warn" if findings else "good")


def _timeline(replayed: ReplayedMigration) -> Timeline | None:
    """Returns a row for each relation: bars for its locks, and on top of them the times when probes waited."""
    recording = replayed.recording
    total = recording.duration_ms / 1000
    locks: dict[Name, list[tuple[StatementRecord, MeasuredEffect]]] = {}
    for statement in recording.statements:
        for measured in statement.measured_effects:
            if not measured.effect.new:
                locks.setdefault(measured.effect.relation, []).append((statement, measured))
    if total <= 0 or not locks:
        return None
    scale = (_WIDTH - _LABEL) / total
    rows = []
    for number, (relation, locks_of_relation) in enumerate(list(locks.items())[:_MOST_ROWS]):
        y = _TOP + _ROW * number
        bars = [_lock_bar(statement, measured, y, scale) for statement, measured in locks_of_relation]
        bars += [_wait_bar(wait, y, scale) for wait in recording.waits if wait.relation == relation]
        rows.append(Row(y, relation, tuple(bars)))
    return Timeline(
        height=_TOP + _ROW * len(rows) + 6,
        ticks=tuple(_tick(part, 4, recording.duration_ms) for part in range(5)),
        rows=tuple(rows),
        more=len(locks) - len(rows),
    )


def _tick(part: int, parts: int, total_ms: float) -> Tick:
    x = _LABEL + (_WIDTH - _LABEL) * part / parts
    anchor = "start" if part == 0 else "end" if part == parts else "middle"
    return Tick(f"{x:.1f}", anchor, format_duration(total_ms * part / parts) if part else "0")


def _lock_bar(statement: StatementRecord, measured: MeasuredEffect, y: int, scale: float) -> Bar:
    return Bar(
        kind=_STRENGTH[len(measured.effect.blocks)],
        x=f"{_LABEL + statement.started * scale:.1f}",
        y=y + 3,
        width=f"{max((statement.ended - statement.started) * scale, 1.5):.1f}",
        height="16",
        title=f"{measured.effect.lock}, held {format_duration(measured.held_ms)}, by statement {statement.statement.index}",
    )


def _wait_bar(wait: Wait, y: int, scale: float) -> Bar:
    x = _LABEL + max(wait.started, 0) * scale
    return Bar(
        kind="wait",
        x=f"{x:.1f}",
        y=y + (14 if wait.access == "reads" else 16),
        width=f"{min(max(wait.ms / 1000 * scale, 1.5), _WIDTH - x):.1f}",
        height="2.5",
        title=f"{wait.access} waited for {format_duration(wait.ms)}",
    )


def _longest_waits(recording: Recording) -> list[Wait]:
    """Returns the longest wait for each relation and kind of access."""
    longest: dict[tuple[Name, str], Wait] = {}
    for wait in recording.waits:
        key = (wait.relation, wait.access)
        if key not in longest or wait.ms > longest[key].ms:
            longest[key] = wait
    return list(longest.values())


def _is_blocking(effect: Effect) -> bool:
    return bool(effect.blocks) and not effect.new


def _mood(effect: Effect) -> str:
    if not _is_blocking(effect):
        return ""
    return "bad" if "reads" in effect.blocks else "warn"


def _blocks(effect: Effect) -> str:
    if effect.new:
        return "blocks nothing: it is new"
    return f"blocks {' and '.join(effect.blocks) or 'nothing'}"


def _work(measured: MeasuredEffect) -> str:
    effect = measured.effect
    if not measured.grows_with_rows or effect.new:
        return ""
    verb = "rewrites" if effect.rewrite else "reads all of" if effect.scan else "rebuilds indexes of"
    return f"; {verb} its {measured.rows or 0:,} rows"


def _further_observations(outcome: Outcome) -> list[Observation]:
    """Returns the observations that the summary does not contain."""
    return [observation for observation in outcome.observations if observation.text not in outcome.summary]


def _line_in(statement: StatementRecord, migration: Migration) -> int:
    half = migration.up
    return half.file.position(half.file_span(statement.statement.span).start).line


def _sql(text: str) -> Markup:
    return lines(text if len(text) <= _LONGEST_SQL else text[:_LONGEST_SQL] + " …")


def _count_of(items: tuple[object, ...], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
