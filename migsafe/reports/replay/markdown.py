"""Markdown, for a comment on a pull request: the verdict, a table of the migrations, the longest waits of queries, and the findings."""

from collections.abc import Iterator

from migsafe.library.replay import Replay
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.markdown import finding_blocks
from migsafe.reports.markup import code, escaped
from migsafe.reports.paths import from_root, unicode
from migsafe.reports.replay.wording import QUESTIONS, blocked, facts, status, verdict
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration

_ROOM = 40_000
"""How long the findings may be: with the linter's report before it, a comment must not exceed 65,536 characters."""
_MOST_MIGRATIONS = 40
_MOST_WAITS = 10
_WORD = {True: "🟢 yes", False: "🔴 no", None: "–"}
_HARMLESS = "🟢 no, harmless"
_HEAD = ("migration", "time", *(question.rstrip("?") for question in QUESTIONS.values()))


def report(replay: Replay, display: Display) -> str:
    """Returns the verdict, the table, the waits of queries, the findings, the notes, and the facts about the run."""
    blocks = [f"### Replay: {escaped(verdict(replay))}"]
    if replay.replayed:
        blocks.append("\n".join(_table(replay)))
    blocks += _waits(replay)
    blocks += finding_blocks(replay.verdict.findings, _ROOM)
    notes = [*(problem.message for problem in replay.verdict.problems), *replay.notes]
    notes += [f"rows: {table}: {why}" for table, why in replay.unfilled.items()]
    notes += [f"{name}: {text}" for name, text in facts(replay)]
    blocks.append("\n".join(f"- {escaped(unicode(note))}" for note in notes))
    return "\n\n".join(blocks) + "\n"


def _table(replay: Replay) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for replayed in replay.replayed[:_MOST_MIGRATIONS]:
        recording = replayed.recording
        note = status(replayed)
        time = "did not run" if not recording.statements else format_duration(recording.duration_ms)
        path = code(from_root(replayed.migration.up.file.path)).replace("|", "\\|")
        cells = [path, escaped(f"{time}: {unicode(note)}" if note else time).replace("|", "\\|"), *_answers(replayed)]
        yield f"| {' | '.join(cells)} |"
    left = len(replay.replayed) - _MOST_MIGRATIONS
    if left > 0:
        yield f"| and {left} more |{' |' * (len(_HEAD) - 1)}"


def _answers(replayed: ReplayedMigration) -> Iterator[str]:
    outcomes = {outcome.experiment: outcome for outcome in replayed.outcomes}
    for experiment in QUESTIONS:
        outcome = outcomes.get(experiment)
        yield "–" if outcome is None else _HARMLESS if outcome.harmless else _WORD[outcome.passed]


def _waits(replay: Replay) -> Iterator[str]:
    """Yields the longest waits of queries, worst first."""
    waits = [
        (max(wait.longest.values()), from_root(replayed.migration.up.file.path), wait.sentence)
        for replayed in replay.replayed
        for wait in blocked(replayed.recording)
    ]
    worst = sorted(waits, key=lambda wait: -wait[0])[:_MOST_WAITS]
    if worst:
        yield "\n".join(f"- {code(path)}: {escaped(unicode(sentence))}" for _, path, sentence in worst)
