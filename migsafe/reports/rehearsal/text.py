"""The report for people: the phases as a table with both releases as columns, then what fails, and what was not tried."""

from collections.abc import Iterator

from migsafe.assessment.rehearsal import Backfill, PhaseFailure, PhaseResult
from migsafe.library.rehearse import Rehearsal
from migsafe.reports.rehearsal.wording import RESULTS, backfill, heading, load_of, release_cell, remarks, verdict
from migsafe.reports.replay.wording import facts
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration
from migsafe.terminal.width import WIDTH_OF_A_FILE, columns, padded, visible, wrapped

_COLOURS = {True: BOLD, False: RED, None: MAGENTA}
_HEAD = ("phase", "running release", "new release", "result")
_FACTS = ("server", "rows")
_MARGIN = 8


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the table, the failures, the remarks, and the verdict."""
    pieces = [f"{heading(rehearsal)}\n", "\n".join(_table(rehearsal, display)) + "\n"]
    for phase in rehearsal.phases:
        pieces += ["\n".join(_failure(phase, failure, display)) + "\n" for failure in phase.failures]
    for phase in rehearsal.phases:
        pieces += ["\n".join(_backfill(phase, change, display)) + "\n" for change in phase.backfills]
    room = display.width or WIDTH_OF_A_FILE
    notes = [visible(note) for note in remarks(rehearsal)]
    if notes:
        pieces.append("\n".join(line for note in notes for line in _item(note, room)) + "\n")
    lines = [line for name, text in facts(rehearsal.replay) if name in _FACTS for line in _fact(name, visible(text), room)]
    lines.append(display.paint(f"Verdict: {verdict(rehearsal)}.", _COLOURS[rehearsal.passed]))
    return "\n".join((*pieces, "\n".join(lines) + "\n"))


def _table(rehearsal: Rehearsal, display: Display) -> Iterator[str]:
    rows = [
        (phase.phase.name.lower(), release_cell(phase.running), release_cell(phase.new), RESULTS[phase.passed]) for phase in rehearsal.phases
    ]
    widths = [max(columns(row[column]) for row in (_HEAD, *rows)) + 2 for column in range(len(_HEAD))]
    yield display.paint("".join(map(padded, _HEAD, widths)).rstrip(), DIM)
    for phase, row in zip(rehearsal.phases, rows, strict=True):
        cells = "".join(map(padded, row[:-1], widths))
        yield cells + display.paint(row[-1], _COLOURS[phase.passed])
        for migration in phase.migrations:
            time = "did not run" if migration.duration_ms is None else format_duration(migration.duration_ms)
            yield f"  {visible(migration.path)} {display.paint(f'· {time}', DIM)}"
            if migration.load is not None:
                yield display.paint(f"    {load_of(migration.load)}", DIM)


def _failure(phase: PhaseResult, failure: PhaseFailure, display: Display) -> Iterator[str]:
    place = f"{failure.path}:{failure.line}" if failure.line else failure.path
    where = f"{display.paint(visible(place), BOLD)} " if place else ""
    yield f"{where}{display.paint(phase.phase.name.lower(), RED)} {display.paint(failure.rule, BOLD)}"
    yield from _message(failure.message, failure.help, display)


def _backfill(phase: PhaseResult, change: Backfill, display: Display) -> Iterator[str]:
    yield f"{display.paint(visible(f'{change.path}:{change.line}'), BOLD)} {phase.phase.name.lower()}, one transaction"
    yield from _message(backfill(change), change.help, display)


def _message(message: str, help: str, display: Display) -> Iterator[str]:
    """Yields a message, and the safe way."""
    width = display.width or WIDTH_OF_A_FILE
    yield from ("  " + line for line in wrapped(visible(message), max(width - 2, 20)))
    if help:
        yield f"  {display.paint('Safe:', BOLD)}"
        yield from (f"    {visible(line)}".rstrip() for line in help.splitlines())


def _item(text: str, width: int) -> Iterator[str]:
    for number, line in enumerate(wrapped(text, max(width - 2, 20))):
        yield ("  " if number else "- ") + line


def _fact(name: str, text: str, width: int) -> Iterator[str]:
    for number, line in enumerate(wrapped(text, max(width - _MARGIN, 20))):
        yield ("" if number else name).ljust(_MARGIN) + line
