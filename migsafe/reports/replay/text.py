"""The report for people: each statement with its time and its locks, a timeline of the locks, the queries that they blocked, and the results
of the experiments."""

from collections.abc import Iterator, Sequence
from math import ceil

from migsafe.library.replay import Replay
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.held_locks import HeldLock, held_locks
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.excerpt import first_words
from migsafe.reports.replay.indexes import index_notes
from migsafe.reports.replay.load import load_sentence, load_table, unused_sentences
from migsafe.reports.replay.queries import new_query_lines, query_lines, untried_lines
from migsafe.reports.replay.wording import QUESTIONS, blocked, facts, line_of, lock_line, status, verdict, work
from migsafe.reports.text import findings_text
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration, format_range, format_size
from migsafe.terminal.width import WIDTH_OF_A_FILE, columns, padded, visible, wrapped

_NARROWEST, _WIDEST = 40, 140
_BAR = 36
_MOST_STEPS = 5
_MOST_BARS = 12
_TIME = 9
_LABEL = 19
_GAP = "  "
_MARKS = {2: "█", 1: "▓", 0: "░", -1: "·"}
"""The mark of a lock by how many of reads and writes it blocks, and of no lock."""


def report(replay: Replay, display: Display) -> str:
    """Returns every migration, the findings, the facts about the run, and the verdict."""
    pieces = ["\n".join(_Migration(replayed, display).lines()) + "\n" for replayed in replay.replayed]
    if replay.verdict.findings:
        pieces.append(findings_text(replay.verdict, display))
    closing = (wrapped(line, display.width) if display.width else (line,) for line in _closing(replay))
    pieces.append("\n".join(line for lines in closing for line in lines) + "\n")
    pieces.append("\n".join(_facts(replay, display)) + "\n")
    return "\n".join(pieces)


class _Migration:
    """The text of one migration."""

    def __init__(self, replayed: ReplayedMigration, display: Display) -> None:
        self._replayed = replayed
        self._recording = replayed.recording
        self._held = held_locks(self._recording.statements)
        self._display = display
        self._width = max(min(display.width or WIDTH_OF_A_FILE, _WIDEST), _NARROWEST)
        effects = [measured.effect for played in self._recording.statements for measured in played.measured_effects]
        self._names = max((columns(str(effect.relation)) for effect in effects), default=0)

    def lines(self) -> Iterator[str]:
        wal = sum(played.wal_bytes for played in self._recording.statements)
        path = self._replayed.migration.up.file.path
        counts = f"· {format_duration(self._recording.duration_ms)} · {format_size(wal)} of WAL"
        yield f"{self._display.paint(visible(path), BOLD)} " + self._display.paint(counts, DIM)
        note = status(self._replayed)
        if note:
            yield from self._prose(visible(note), RED, "      ")
        for played in self._recording.statements:
            yield from self._statement(played)
        yield from self._timeline()
        yield from self._blocked()
        yield from self._load()
        yield from self._queries()
        for outcome in self._replayed.outcomes:
            yield from self._outcome(outcome)

    def _statement(self, played: StatementRecord) -> Iterator[str]:
        line = line_of(self._recording, played.statement.index)
        time = "not run" if played.skip_reason else format_duration(played.duration_ms)
        room = self._width - 6 - _TIME - 2
        yield f"{self._display.paint(f'{line:4}', DIM)}  {padded(first_words(played.sql, room), room)}  {time:>{_TIME}}"
        if played.waited_ms >= 1:
            yield f"      {self._display.paint(f'waited for locks for {format_duration(played.waited_ms)}', MAGENTA)}"
        for measured in played.measured_effects:
            yield from self._effect(measured, played)
        estimate = self._replayed.estimates.get(played.statement.index)
        if estimate is not None:
            span = format_range(estimate.low_ms, estimate.high_ms)
            yield from self._prose(f"with production's {estimate.rows:,} rows: {span} on this machine (estimate)", MAGENTA, "      ")
        if played.skip_reason:
            yield from self._prose(f"left out of this replay: {visible(played.skip_reason)}", MAGENTA, "      ")
        if played.temp_bytes:
            yield f"      {format_size(played.temp_bytes)} of temporary files"
        if played.failure is not None:
            refused = "" if played.failure.lost or played.failure.is_interruption else "PostgreSQL refuses it: "
            yield from self._prose(f"{refused}{visible(played.failure.message)}", RED, "      ")

    def _effect(self, measured: MeasuredEffect, played: StatementRecord) -> Iterator[str]:
        line = lock_line(measured, played, self._recording, self._held)
        colour = "" if line.is_new or not line.blocks else RED if "reads" in line.blocks else MAGENTA
        name = padded(visible(str(line.relation)), self._names)
        head = f"      {name}  {self._display.paint(f'{line.lock:<22}', colour)}  {line.held:<13}"
        used = 6 + self._names + 2 + 22 + 2 + 13
        for text, its_colour in ((line.consequence, colour), (work(measured), "")):
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

    def _timeline(self) -> Iterator[str]:
        """Yields a bar for each relation: when it was locked, and what the strongest lock blocked."""
        total = self._recording.duration_ms
        if total <= 0 or not any(lock.blocks for locks in self._held.values() for lock in locks):
            return
        yield f"      {'time of the locks':<{self._names}}  0 {'─' * (_BAR - len(format_duration(total)) - 3)} {format_duration(total)}"
        for name, locks in list(self._held.items())[:_MOST_BARS]:
            yield f"      {padded(visible(str(name)), max(self._names, len('time of the locks')))}  {self._bar(locks)}"
        if len(self._held) > _MOST_BARS:
            yield f"      and {len(self._held) - _MOST_BARS} more"
        yield self._display.paint(f"      {_MARKS[2]} blocks reads and writes  {_MARKS[1]} blocks writes  {_MARKS[0]} blocks nothing", DIM)

    def _bar(self, locks: Sequence[HeldLock]) -> str:
        """Returns the marks of a relation's locks: in each part of the time, the one that blocks the most."""
        total = self._recording.duration_ms / 1000
        cells = [-1] * _BAR
        for lock in locks:
            first = min(int(lock.started / total * _BAR), _BAR - 1)
            last = max(min(ceil(lock.ended / total * _BAR), _BAR) - 1, first)
            for index in range(first, last + 1):
                cells[index] = max(cells[index], len(lock.blocks))
        return "".join(_MARKS[cell] for cell in cells)

    def _blocked(self) -> Iterator[str]:
        recording, before = self._recording, self._recording.times_before
        waited = blocked(recording)
        for wait in waited:
            yield from self._prose(f"blocked: {visible(wait.sentence)}", RED, "      ")
        if waited:
            usual = f"before the migration, the same queries took {format_duration(before.p50)}, at most {format_duration(before.slowest)}"
            yield from self._prose(usual, DIM, "      ")
        for relation, error in recording.probe_errors.items():
            first = visible(error.splitlines()[0].removeprefix("ERROR:").strip()) if error else ""
            yield from self._prose(f"broken: queries on {relation} that worked before now fail: {first}", RED, "      ")
        if recording.times_during.probes and not waited:
            usual = f"{recording.times_during.probes:,} concurrent queries, the slowest {format_duration(recording.times_during.slowest)}"
            yield self._display.paint(f"      no query was blocked: {usual}", DIM)

    def _load(self) -> Iterator[str]:
        """Yields how long executed queries took before, during and after the migration."""
        load = self._recording.load
        if load is None:
            return
        yield from self._prose(load_sentence(load), "", "      ")
        if load.queries:
            for numbers, rest in load_table(load):
                line = f"        {numbers}  {visible(rest)}".rstrip()
                if columns(line) <= self._width:
                    yield line
                else:
                    yield f"        {numbers}"
                    yield from self._prose(visible(rest), "", " " * 16)
        for sentence in unused_sentences(load):
            yield from self._prose(visible(sentence), DIM, "      ")

    def _queries(self) -> Iterator[str]:
        for line in query_lines(self._replayed):
            head = f"      {line.label:<{_LABEL}} "
            colour = {"bad": RED, "warn": MAGENTA}.get(line.mood, "")
            for text in wrapped(visible(line.text), max(self._width - len(head), 20)):
                yield head + self._display.paint(text, colour)
                head = " " * len(head)

    def _outcome(self, outcome: Outcome) -> Iterator[str]:
        word, colour = {True: ("yes", BOLD), False: ("no", DIM if outcome.harmless else RED), None: ("–", DIM)}[outcome.passed]
        head = f"      {QUESTIONS.get(outcome.experiment, outcome.experiment):<24} {self._display.paint(f'{word:<4}', colour)} "
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


def _closing(replay: Replay) -> Iterator[str]:
    """Yields the counts and the notes."""
    statements = sum(len(replayed.recording.statements) for replayed in replay.replayed)
    grows = sum(bool(effects_growing_with_rows(played)) for replayed in replay.replayed for played in replayed.recording.statements)
    number = len(replay.replayed)
    counts = f"{statements} statement{'' if statements == 1 else 's'} in {number} migration{'' if number == 1 else 's'}"
    yield f"{counts}{f'; the time of {grows} grows with the rows' if grows else ''}."
    yield from (visible(note) for note in replay.notes)
    yield from (visible(note) for note in index_notes(replay))
    for table, why in replay.unfilled.items():
        yield f"rows: {visible(table)}: {visible(why)}"
    yield from (visible(line) for line in untried_lines(replay))
    steps = list(new_query_lines(replay))
    if steps:
        yield "The new release's queries work:"
    yield from (f"  {visible(where)}: {visible(text)}" for where, text in steps)


def _facts(replay: Replay, display: Display) -> Iterator[str]:
    """Yields the facts about the run in two columns, and the verdict."""
    known = list(facts(replay))
    room = max(len(name) for name, _ in known) + 2
    for name, text in known:
        first, *rest = wrapped(visible(text), max((display.width or WIDTH_OF_A_FILE) - room, 20))
        yield f"{name:<{room}}{first}"
        yield from (" " * room + line for line in rest)
    colour = BOLD if replay.facts.passed else RED
    yield from (display.paint(line, colour) for line in wrapped(f"Verdict: {verdict(replay)}.", display.width or WIDTH_OF_A_FILE))
