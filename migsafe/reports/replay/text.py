"""What a person reads: each statement with its time and its locks, a timeline of these, whom they stopped, and what the experiments
showed."""

from collections.abc import Iterator

from migsafe.library.replay import Replay
from migsafe.quantities import format_duration as elapsed
from migsafe.quantities import format_size as spelt
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports import Look
from migsafe.reports.excerpt import visible
from migsafe.reports.locks.cells import columns, first_words, padded, wrapped
from migsafe.reports.text import findings_text, paint
from migsafe.sql.operations import Name
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED

_WIDTH_OF_A_FILE = 120
_NARROWEST, _WIDEST = 40, 140
_BAR = 36
_MOST_STEPS = 5
_MOST_BARS = 12
_TIME = 9
_GAP = "  "
_MARKS = {2: "█", 1: "▓", 0: "░"}
"""A lock by how much of reads and writes it stops."""


def report(replay: Replay, look: Look) -> str:
    """Every migration, the findings, and a line that sums up."""
    pieces = ["\n".join(_Migration(one, look).lines()) + "\n" for one in replay.replayed]
    if replay.verdict.findings:
        pieces.append(findings_text(replay.verdict, look))
    closing = (wrapped(line, look.width) if look.width else (line,) for line in _closing(replay))
    pieces.append("\n".join(line for lines in closing for line in lines) + "\n")
    return "\n".join(pieces)


class _Migration:
    """One migration on paper."""

    def __init__(self, one: ReplayedMigration, look: Look) -> None:
        self._one = one
        self._look = look
        self._width = max(min(look.width or _WIDTH_OF_A_FILE, _WIDEST), _NARROWEST)
        self._names = max(
            (columns(str(touch.effect.relation)) for played in one.recording.statements for touch in played.measured_effects), default=0
        )

    def lines(self) -> Iterator[str]:
        recording = self._one.recording
        half = self._one.migration.up
        wal = sum(played.wal_bytes for played in recording.statements)
        yield f"{paint(visible(half.file.path), BOLD, self._look)} " + paint(
            f"· {elapsed(recording.duration_ms)} · {spelt(wal)} of WAL", DIM, self._look
        )
        for played in recording.statements:
            yield from self._statement(played)
        yield from self._timeline()
        yield from self._stopped()
        for outcome in self._one.outcomes:
            yield from self._outcome(outcome)

    def _statement(self, played: StatementRecord) -> Iterator[str]:
        half = self._one.migration.up
        line = half.file.position(half.file_span(played.statement.span).start).line
        time = elapsed(played.duration_ms)
        room = self._width - 6 - _TIME - 2
        yield f"{paint(f'{line:4}', DIM, self._look)}  {padded(first_words(played.sql, room), room)}  {time:>{_TIME}}"
        if played.waited_ms >= 1:
            yield f"      {paint(f'waited for locks for {elapsed(played.waited_ms)}', MAGENTA, self._look)}"
        for touch in played.measured_effects:
            yield from self._touch(touch)
        estimate = self._one.estimates.get(played.statement.index)
        if estimate is not None:
            span = f"{elapsed(estimate.low_ms)} to {elapsed(estimate.high_ms)}"
            yield from self._prose(f"with production's {estimate.rows:,} rows: {span}, an estimate for this machine", MAGENTA, "      ")
        if played.skip_reason:
            yield from self._prose(f"not run: {visible(played.skip_reason)}", MAGENTA, "      ")
        if played.temp_bytes:
            yield f"      {spelt(played.temp_bytes)} of temporary files"
        if played.failure is not None:
            yield from self._prose(f"PostgreSQL refuses it: {visible(played.failure.message)}", RED, "      ")

    def _touch(self, touch: MeasuredEffect) -> Iterator[str]:
        effect = touch.effect
        stops = "" if effect.new else " and ".join(effect.blocks)
        what = "stops nobody: it is new" if effect.new else f"stops {stops}" if stops else "stops nothing"
        name = padded(visible(str(effect.relation)), self._names)
        colour = "" if effect.new or not stops else RED if "reads" in effect.blocks else MAGENTA
        work = self._work(touch)
        lock = paint(f"{effect.lock!s:<22}", colour, self._look)
        head = f"      {name}  {lock}  held {elapsed(touch.held_ms):>8}"
        used = 6 + self._names + 2 + 22 + 2 + 13
        for text, its in ((what, colour), (work, "")):
            if text and used + 2 + columns(text) <= self._width:
                head += f"  {paint(text, its, self._look)}"
                used += 2 + columns(text)
            elif text:
                yield head.rstrip()
                head, used = f"        {paint(text, its, self._look)}", self._width
                if columns(text) > self._width - 8:
                    yield from self._prose(text, its, "        ")
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
            parts.append(f"builds {', '.join(effect.rebuilt)} anew")
        return "; ".join(parts) + (": takes longer the more there are" if parts else "")

    def _timeline(self) -> Iterator[str]:
        """A bar a relation: from when to when it was locked so that somebody had to wait, and how much."""
        bars = self._bars()
        total = self._one.recording.duration_ms
        if not bars or total <= 0:
            return
        yield f"      {'when it was locked':<{self._names}}  0 {'─' * (_BAR - len(elapsed(total)) - 3)} {elapsed(total)}"
        for name, cells in list(bars.items())[:_MOST_BARS]:
            bar = "".join(_MARKS[cell] if cell is not None else "·" for cell in cells)
            yield f"      {padded(visible(str(name)), self._names)}  {bar}"
        if len(bars) > _MOST_BARS:
            yield f"      and {len(bars) - _MOST_BARS} more"
        yield paint(f"      {_MARKS[2]} reads and writes stop  {_MARKS[1]} writes stop  {_MARKS[0]} nothing stops", DIM, self._look)

    def _bars(self) -> dict[Name, list[int | None]]:
        total = self._one.recording.duration_ms / 1000
        found: dict[Name, list[int | None]] = {}
        stopping = False
        for played in self._one.recording.statements:
            for touch in played.measured_effects:
                if touch.effect.new or total <= 0:
                    continue
                strength = len(touch.effect.blocks)
                stopping = stopping or bool(strength)
                cells = found.setdefault(touch.effect.relation, [None] * _BAR)
                first = min(int(played.started / total * _BAR), _BAR - 1)
                last = min(int(played.ended / total * _BAR), _BAR - 1)
                for place in range(first, last + 1):
                    before = cells[place]
                    cells[place] = strength if before is None else max(before, strength)
        return found if stopping else {}

    def _stopped(self) -> Iterator[str]:
        recording = self._one.recording
        longest: dict[tuple[Name, str], float] = {}
        for wait in recording.waits:
            key = (wait.relation, wait.access)
            longest[key] = max(longest.get(key, 0.0), wait.ms)
        for (relation, access), ms in longest.items():
            usual = f"usually {elapsed(recording.times_before.p50)}, at most {elapsed(recording.times_before.slowest)}"
            yield from self._prose(f"stopped: {access} of {relation} for {elapsed(ms)} ({usual})", RED, "      ")
        for relation, error in recording.probe_errors.items():
            first = visible(error.splitlines()[0].removeprefix("ERROR:").strip()) if error else ""
            yield from self._prose(f"broken: queries of {relation} that worked before fail now: {first}", RED, "      ")
        if recording.times_before.probes and not recording.waits:
            usual = f"{recording.times_during.probes:,} queries beside it, none slower than {elapsed(recording.times_during.slowest)}"
            yield paint(f"      nobody was stopped: {usual}", DIM, self._look)

    def _outcome(self, outcome: Outcome) -> Iterator[str]:
        word, colour = {True: ("yes", BOLD), False: ("no", DIM if outcome.harmless else RED), None: ("–", DIM)}[outcome.passed]
        head = f"      {_QUESTIONS.get(outcome.experiment, outcome.experiment):<24} {paint(f'{word:<4}', colour, self._look)} "
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
            yield (margin if number == 0 or following is None else following) + paint(line, colour, self._look)


_QUESTIONS = {
    "rerun": "runs a second time?",
    "crash": "survives a crash?",
    "round trip": "goes back and up again?",
    "agreement": "as foreseen?",
}


def _closing(replay: Replay) -> Iterator[str]:
    statements = sum(len(one.recording.statements) for one in replay.replayed)
    failed = sum(one.recording.failure is not None for one in replay.replayed)
    grows = sum(bool(effects_growing_with_rows(played)) for one in replay.replayed for played in one.recording.statements)
    worst = max((one.recording.longest_wait for one in replay.replayed), default=0.0)
    number = len(replay.replayed)
    said = f"{statements} statement{'' if statements == 1 else 's'} in {number} migration{'' if number == 1 else 's'} on {replay.host}"
    said += f": {failed} failed" if failed else ""
    said += f"; the longest wait was {elapsed(worst)}" if worst else "; nobody was stopped"
    said += f"; {grows} take{'s' if grows == 1 else ''} longer the more rows there are" if grows else ""
    yield f"{said}."
    yield from (visible(note) for note in replay.notes)
    for table, why in replay.unfilled.items():
        yield f"empty: {visible(table)}: {visible(why)}"
