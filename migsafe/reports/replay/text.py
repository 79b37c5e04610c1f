"""The report for people: each statement with its time and its locks, a timeline of the locks, the queries that they blocked, and the results
of the experiments."""

from collections.abc import Iterator

from migsafe.library.replay import Replay
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.excerpt import first_words
from migsafe.reports.text import findings_text
from migsafe.sql.operations import Name
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration, format_size
from migsafe.terminal.width import WIDTH_OF_A_FILE, columns, padded, visible, wrapped

_NARROWEST, _WIDEST = 40, 140
_BAR = 36
_MOST_STEPS = 5
_MOST_BARS = 12
_TIME = 9
_GAP = "  "
_MARKS = {2: "█", 1: "▓", 0: "░"}
"""The mark of a lock by how many of reads and writes it blocks."""


def report(replay: Replay, display: Display) -> str:
    """Returns every migration, the findings, and a line with the counts."""
    pieces = ["\n".join(_Migration(replayed, display).lines()) + "\n" for replayed in replay.replayed]
    if replay.verdict.findings:
        pieces.append(findings_text(replay.verdict, display))
    closing = (wrapped(line, display.width) if display.width else (line,) for line in _closing(replay))
    pieces.append("\n".join(line for lines in closing for line in lines) + "\n")
    return "\n".join(pieces)


class _Migration:
    """The text of one migration."""

    def __init__(self, replayed: ReplayedMigration, display: Display) -> None:
        self._replayed = replayed
        self._display = display
        self._width = max(min(display.width or WIDTH_OF_A_FILE, _WIDEST), _NARROWEST)
        self._names = max(
            (columns(str(touch.effect.relation)) for played in replayed.recording.statements for touch in played.measured_effects), default=0
        )

    def lines(self) -> Iterator[str]:
        recording = self._replayed.recording
        half = self._replayed.migration.up
        wal = sum(played.wal_bytes for played in recording.statements)
        yield f"{self._display.paint(visible(half.file.path), BOLD)} " + self._display.paint(
            f"· {format_duration(recording.duration_ms)} · {format_size(wal)} of WAL", DIM
        )
        for played in recording.statements:
            yield from self._statement(played)
        yield from self._timeline()
        yield from self._blocked()
        for outcome in self._replayed.outcomes:
            yield from self._outcome(outcome)

    def _statement(self, played: StatementRecord) -> Iterator[str]:
        half = self._replayed.migration.up
        line = half.file.position(half.file_span(played.statement.span).start).line
        time = format_duration(played.duration_ms)
        room = self._width - 6 - _TIME - 2
        yield f"{self._display.paint(f'{line:4}', DIM)}  {padded(first_words(played.sql, room), room)}  {time:>{_TIME}}"
        if played.waited_ms >= 1:
            yield f"      {self._display.paint(f'waited for locks for {format_duration(played.waited_ms)}', MAGENTA)}"
        for touch in played.measured_effects:
            yield from self._touch(touch)
        estimate = self._replayed.estimates.get(played.statement.index)
        if estimate is not None:
            span = f"{format_duration(estimate.low_ms)} to {format_duration(estimate.high_ms)}"
            yield from self._prose(f"with production's {estimate.rows:,} rows: {span} on this machine (estimate)", MAGENTA, "      ")
        if played.skip_reason:
            yield from self._prose(f"not run: {visible(played.skip_reason)}", MAGENTA, "      ")
        if played.temp_bytes:
            yield f"      {format_size(played.temp_bytes)} of temporary files"
        if played.failure is not None:
            yield from self._prose(f"PostgreSQL refuses it: {visible(played.failure.message)}", RED, "      ")

    def _touch(self, touch: MeasuredEffect) -> Iterator[str]:
        effect = touch.effect
        blocked = "" if effect.new else " and ".join(effect.blocks)
        blocks = "blocks nothing: it is new" if effect.new else f"blocks {blocked or 'nothing'}"
        name = padded(visible(str(effect.relation)), self._names)
        colour = "" if effect.new or not blocked else RED if "reads" in effect.blocks else MAGENTA
        work = self._work(touch)
        lock = self._display.paint(f"{effect.lock!s:<22}", colour)
        head = f"      {name}  {lock}  held {format_duration(touch.held_ms):>8}"
        used = 6 + self._names + 2 + 22 + 2 + 13
        for text, its_colour in ((blocks, colour), (work, "")):
            if text and used + 2 + columns(text) <= self._width:
                head += f"  {self._display.paint(text, its_colour)}"
                used += 2 + columns(text)
            elif text:
                yield head.rstrip()
                head, used = f"        {self._display.paint(text, its_colour)}", self._width
                if columns(text) > self._width - 8:
                    yield from self._prose(text, its_colour, "        ")
                    head = ""
        if head:
            yield head.rstrip()

    def _work(self, touch: MeasuredEffect) -> str:
        effect, rows = touch.effect, touch.rows or 0
        if effect.new:
            return ""
        parts = []
        if effect.rewrite:
            parts.append(f"rewrites its {rows:,} rows")
        elif effect.scan:
            parts.append(f"reads all of its {rows:,} rows")
        if effect.rebuilt:
            parts.append(f"rebuilds {', '.join(effect.rebuilt)}")
        return "; ".join(parts) + (": time grows with the rows" if parts else "")

    def _timeline(self) -> Iterator[str]:
        """Yields a bar for each relation: when it was locked, and what the lock blocked."""
        bars = self._bars()
        total = self._replayed.recording.duration_ms
        if not bars or total <= 0:
            return
        yield f"      {'time of the locks':<{self._names}}  0 {'─' * (_BAR - len(format_duration(total)) - 3)} {format_duration(total)}"
        for name, cells in list(bars.items())[:_MOST_BARS]:
            bar = "".join(_MARKS[cell] if cell is not None else "·" for cell in cells)
            yield f"      {padded(visible(str(name)), self._names)}  {bar}"
        if len(bars) > _MOST_BARS:
            yield f"      and {len(bars) - _MOST_BARS} more"
        yield self._display.paint(f"      {_MARKS[2]} blocks reads and writes  {_MARKS[1]} blocks writes  {_MARKS[0]} blocks nothing", DIM)

    def _bars(self) -> dict[Name, list[int | None]]:
        total = self._replayed.recording.duration_ms / 1000
        bars: dict[Name, list[int | None]] = {}
        any_blocks = False
        for played in self._replayed.recording.statements:
            for touch in played.measured_effects:
                if touch.effect.new or total <= 0:
                    continue
                strength = len(touch.effect.blocks)
                any_blocks = any_blocks or bool(strength)
                cells = bars.setdefault(touch.effect.relation, [None] * _BAR)
                first = min(int(played.started / total * _BAR), _BAR - 1)
                last = min(int(played.ended / total * _BAR), _BAR - 1)
                for index in range(first, last + 1):
                    before = cells[index]
                    cells[index] = strength if before is None else max(before, strength)
        return bars if any_blocks else {}

    def _blocked(self) -> Iterator[str]:
        recording = self._replayed.recording
        longest: dict[tuple[Name, str], float] = {}
        for wait in recording.waits:
            key = (wait.relation, wait.access)
            longest[key] = max(longest.get(key, 0.0), wait.ms)
        for (relation, access), ms in longest.items():
            usual = f"usually {format_duration(recording.times_before.p50)}, at most {format_duration(recording.times_before.slowest)}"
            yield from self._prose(f"blocked: {access} of {relation} for {format_duration(ms)} ({usual})", RED, "      ")
        for relation, error in recording.probe_errors.items():
            first = visible(error.splitlines()[0].removeprefix("ERROR:").strip()) if error else ""
            yield from self._prose(f"broken: queries on {relation} that worked before now fail: {first}", RED, "      ")
        if recording.times_before.probes and not recording.waits:
            usual = f"{recording.times_during.probes:,} concurrent queries, the slowest {format_duration(recording.times_during.slowest)}"
            yield self._display.paint(f"      no query was blocked: {usual}", DIM)

    def _outcome(self, outcome: Outcome) -> Iterator[str]:
        word, colour = {True: ("yes", BOLD), False: ("no", DIM if outcome.harmless else RED), None: ("–", DIM)}[outcome.passed]
        head = f"      {_QUESTIONS.get(outcome.experiment, outcome.experiment):<24} {self._display.paint(f'{word:<4}', colour)} "
        lines = list(wrapped(visible(outcome.summary), max(self._width - 36, 20)))
        yield head + lines[0]
        for line in lines[1:]:
            yield " " * 36 + line
        steps = [step for step in outcome.observations if step.text not in outcome.summary]
        for step in steps[:_MOST_STEPS]:
            yield from self._prose(f"- {visible(step.text)}", "", " " * 36, " " * 38)
        if len(steps) > _MOST_STEPS:
            yield " " * 36 + f"and {len(steps) - _MOST_STEPS} more"

    def _prose(self, text: str, colour: str, margin: str, following: str | None = None) -> Iterator[str]:
        for number, line in enumerate(wrapped(text, max(self._width - len(margin), 20))):
            yield (margin if number == 0 or following is None else following) + self._display.paint(line, colour)


_QUESTIONS = {
    "rerun": "runs a second time?",
    "crash": "reruns after a crash?",
    "round trip": "downgrades and upgrades?",
    "agreement": "as predicted?",
}


def _closing(replay: Replay) -> Iterator[str]:
    statements = sum(len(replayed.recording.statements) for replayed in replay.replayed)
    failed = sum(replayed.recording.failure is not None for replayed in replay.replayed)
    grows = sum(bool(effects_growing_with_rows(played)) for replayed in replay.replayed for played in replayed.recording.statements)
    worst = max((replayed.recording.longest_wait for replayed in replay.replayed), default=0.0)
    number = len(replay.replayed)
    counts = f"{statements} statement{'' if statements == 1 else 's'} in {number} migration{'' if number == 1 else 's'} on {replay.host}"
    counts += f": {failed} failed" if failed else ""
    counts += f"; the longest wait was {format_duration(worst)}" if worst else "; no query was blocked"
    counts += f"; the time of {grows} grows with the rows" if grows else ""
    yield f"{counts}."
    yield from (visible(note) for note in replay.notes)
    for table, why in replay.unfilled.items():
        yield f"rows: {visible(table)}: {visible(why)}"
