"""Markdown, for a comment on a pull request or a page of the release."""

from collections.abc import Iterator

from migsafe.assessment.rehearsal import PhaseMigration, PhaseResult
from migsafe.library.rehearse import Rehearsal
from migsafe.reports.markup import code, escaped, fenced
from migsafe.reports.paths import unicode
from migsafe.reports.rehearsal.wording import RESULTS, backfill, heading, load_of, release_cell, remarks, verdict
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration

_HEAD = ("phase", "migrations", "running release", "new release", "result")
_SIGN = {True: "🟢", False: "🔴", None: "🟠"}


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the verdict, the table of phases, the failures, the backfills, and the remarks."""
    blocks = [f"### Rehearsal: {escaped(verdict(rehearsal))}", escaped(heading(rehearsal)), "\n".join(_table(rehearsal))]
    for phase in rehearsal.phases:
        blocks += _details(phase)
    notes = [f"- {escaped(remark)}" for remark in remarks(rehearsal)]
    notes += [f"- {escaped(unicode(problem.message))}" for problem in rehearsal.replay.verdict.problems]
    return "\n\n".join([*blocks, *(["\n".join(notes)] if notes else [])]) + "\n"


def _table(rehearsal: Rehearsal) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for phase in rehearsal.phases:
        migrations = "<br>".join(map(_migration, phase.migrations)) or "–"
        cells = (phase.phase.name.lower(), migrations, escaped(release_cell(phase.running)), escaped(release_cell(phase.new)))
        yield f"| {' | '.join(cells)} | {_SIGN[phase.passed]} {RESULTS[phase.passed]} |"


def _migration(migration: PhaseMigration) -> str:
    time = "did not run" if migration.duration_ms is None else format_duration(migration.duration_ms)
    return f"{code(unicode(migration.path)).replace('|', chr(92) + '|')} {escaped(time)}"


def _details(phase: PhaseResult) -> Iterator[str]:
    name = phase.phase.name.lower()
    for failure in phase.failures:
        place = f" {code(f'{unicode(failure.path)}:{failure.line}' if failure.line else unicode(failure.path))}" if failure.path else ""
        yield f"🔴 **{name}**: {code(failure.rule)}{place}"
        yield escaped(failure.message)
        yield from _safe(failure.help)
    for change in phase.backfills:
        yield f"**{name}**: all rows in one transaction, {code(f'{unicode(change.path)}:{change.line}')}"
        yield escaped(backfill(change))
        yield from _safe(change.help)
    for migration in phase.migrations:
        if migration.load is not None:
            yield escaped(f"{unicode(migration.path)}: {load_of(migration.load)}")


def _safe(help: str) -> Iterator[str]:
    if help:
        yield f"<details><summary>Safe</summary>\n\n{fenced(help)}\n\n</details>"
