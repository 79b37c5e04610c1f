"""One page to read before the release: no network, no script; light and dark as the reader's system is."""

from collections.abc import Iterator
from html import escape

from migsafe import __version__
from migsafe.library.replay import Replay
from migsafe.quantities import format_duration as elapsed
from migsafe.quantities import format_size as spelt
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord, Wait, effects_growing_with_rows
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.paths import unicode
from migsafe.reports.replay.style import STYLE
from migsafe.sql.operations import Name
from migsafe.terminal.display import Display
from migsafe.terminal.width import visible

_WIDTH, _ROW, _LABEL, _TOP = 960, 26, 230, 24
_LONGEST_SQL = 4000
_MOST_ROWS = 24
_QUESTIONS = {
    "rerun": "Does it run a second time?",
    "crash": "Can it be run again after a crash half-way?",
    "round trip": "Does the way back work, and up again?",
    "agreement": "Did it do what was foreseen?",
}
_ANSWERS = {True: ("yes", "good"), False: ("no", "bad"), None: ("not tried", "none")}
_STRENGTH = {0: "weak", 1: "writes", 2: "reads"}


def report(replay: Replay, display: Display) -> str:
    """The whole page."""
    body = "\n".join((*_head(replay), *(line for one in replay.replayed for line in _migration(one)), *_foot(replay)))
    title = "Replay: " + ", ".join(_name(one) for one in replay.replayed[:3]) + (" …" if len(replay.replayed) > 3 else "")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(visible(unicode(text)))


def _lines(text: str) -> str:
    """Text of several lines."""
    return "\n".join(map(_text, text.splitlines()))


def _name(one: ReplayedMigration) -> str:
    return one.migration.up.file.path.rpartition("/")[2]


def _head(replay: Replay) -> Iterator[str]:
    replayed = replay.replayed
    failed = [one for one in replayed if one.recording.failure is not None]
    worst = max((one.recording.longest_wait for one in replayed), default=0.0)
    findings = replay.verdict.findings
    verdict = "bad" if failed or any(finding.severity.name == "ERROR" for finding in findings) else "warn" if findings else "good"
    yield "<h1>Replay of a release</h1>"
    yield f'<p class="lead">{len(replayed)} migration{"" if len(replayed) == 1 else "s"} on {_text(replay.host)}</p>'
    yield '<ul class="tiles">'
    yield _tile(
        "longest wait of a query", elapsed(worst) if worst else "nobody waited", "bad" if worst >= 1000 else "warn" if worst else "good"
    )
    held = max(
        (touch.held_ms for one in replayed for played in one.recording.statements for touch in played.measured_effects if _stops(touch)),
        default=0.0,
    )
    yield _tile("longest lock that stops somebody", elapsed(held) if held else "none", "warn" if held >= 500 else "none")
    grows = sum(bool(effects_growing_with_rows(played)) for one in replayed for played in one.recording.statements)
    yield _tile("statements that grow with the rows", str(grows), "warn" if grows else "none")
    yield _tile("findings", str(len(findings)), verdict)
    yield "</ul>"
    if findings:
        yield "<h2>What was found</h2><ul class='findings'>"
        for finding in findings:
            place = finding.script.position(finding.span.start)
            where = f"{finding.script.path}:{place.line}"
            yield (
                f'<li class="{finding.severity.word}"><b>{_text(finding.rule)}</b> <code>{_text(where)}</code><br>{_text(finding.message)}</li>'
            )
        yield "</ul>"


def _tile(label: str, value: str, mood: str) -> str:
    return f'<li class="{mood}"><b>{escape(value)}</b><span>{escape(label)}</span></li>'


def _stops(touch: MeasuredEffect) -> bool:
    return bool(touch.effect.blocks) and not touch.effect.new


def _migration(one: ReplayedMigration) -> Iterator[str]:
    recording = one.recording
    wal = sum(played.wal_bytes for played in recording.statements)
    yield f"<section><h2>{_text(one.migration.up.file.path)}</h2>"
    yield f'<p class="lead">{elapsed(recording.duration_ms)}, {spelt(wal)} of WAL</p>'
    if recording.failure is not None:
        yield f'<p class="failed">PostgreSQL refuses it: {_text(recording.failure.message)}</p>'
    yield from _timeline(one)
    yield from _stopped(one)
    yield from _table(one)
    yield from _experiments(one.outcomes)
    yield "</section>"


def _timeline(one: ReplayedMigration) -> Iterator[str]:
    """A row a relation: bars for its locks, and on top of them the times when canaries got no answer."""
    total = one.recording.duration_ms / 1000
    rows = _rows(one)
    if total <= 0 or not rows:
        return
    shown = list(rows.items())[:_MOST_ROWS]
    height = _TOP + _ROW * len(shown) + 6
    scale = (_WIDTH - _LABEL) / total
    waits: dict[Name, list[Wait]] = {}
    for wait in one.recording.waits:
        waits.setdefault(wait.relation, []).append(wait)
    yield f'<div class="wide"><svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="When each relation was locked">'
    for part in range(5):
        x = _LABEL + (_WIDTH - _LABEL) * part / 4
        anchor = "start" if part == 0 else "end" if part == 4 else "middle"
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{height}"/>'
        yield f'<text class="axis" x="{x:.1f}" y="12" text-anchor="{anchor}">{elapsed(1000 * total * part / 4) if part else "0"}</text>'
    for number, (name, bars) in enumerate(shown):
        y = _TOP + _ROW * number
        yield f'<text class="label" x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{_text(str(name))}</text>'
        for played, touch in bars:
            x, width = _LABEL + played.started * scale, max((played.ended - played.started) * scale, 1.5)
            said = f"{touch.effect.lock}, held {elapsed(touch.held_ms)}, by statement {played.statement.index}"
            yield f'<rect class="{_STRENGTH[len(touch.effect.blocks)]}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="16">'
            yield f"<title>{_text(said)}</title></rect>"
        for wait in waits.get(name, ()):
            x, width = _LABEL + max(wait.started, 0) * scale, max(wait.ms / 1000 * scale, 1.5)
            lower = 0 if wait.access == "reads" else 4
            yield f'<rect class="wait" x="{x:.1f}" y="{y + 14 + lower / 2:.0f}" width="{min(width, _WIDTH - x):.1f}" height="2.5">'
            yield f"<title>{wait.access} waited for {elapsed(wait.ms)}</title></rect>"
    yield "</svg></div>"
    if len(rows) > len(shown):
        yield f'<p class="note">and {len(rows) - len(shown)} more relations</p>'
    yield (
        '<p class="key"><i class="reads"></i> reads and writes stop <i class="writes"></i> writes stop <i class="weak"></i> nothing stops '
        '<i class="wait"></i> a query beside it got no answer</p>'
    )


def _rows(one: ReplayedMigration) -> dict[Name, list[tuple[StatementRecord, MeasuredEffect]]]:
    found: dict[Name, list[tuple[StatementRecord, MeasuredEffect]]] = {}
    for played in one.recording.statements:
        for touch in played.measured_effects:
            if not touch.effect.new:
                found.setdefault(touch.effect.relation, []).append((played, touch))
    return found


def _stopped(one: ReplayedMigration) -> Iterator[str]:
    recording = one.recording
    longest: dict[tuple[Name, str], Wait] = {}
    for wait in recording.waits:
        key = (wait.relation, wait.access)
        if key not in longest or wait.ms > longest[key].ms:
            longest[key] = wait
    if longest:
        yield "<ul>"
        for wait in longest.values():
            cause = f", by statement {wait.statement}" if wait.statement is not None else ""
            yield f'<li class="bad">{wait.access} of <code>{_text(str(wait.relation))}</code> were stopped for {elapsed(wait.ms)}{cause}</li>'
        yield "</ul>"
    if recording.times_before.probes:
        yield (
            f'<p class="note">Queries beside it, before: half took less than {elapsed(recording.times_before.p50)}, 99 % less than '
            f"{elapsed(recording.times_before.p99)}, the slowest {elapsed(recording.times_before.slowest)}. While it ran: {elapsed(recording.times_during.p50)}, "
            f"{elapsed(recording.times_during.p99)}, {elapsed(recording.times_during.slowest)}.</p>"
        )
    for relation, error in recording.probe_errors.items():
        said = error.splitlines()[0] if error else ""
        yield f'<p class="bad">Queries of <code>{_text(str(relation))}</code> that worked before fail now: {_text(said)}</p>'


def _table(one: ReplayedMigration) -> Iterator[str]:
    yield '<div class="wide"><table class="played"><thead><tr><th>line</th><th>statement</th><th class="n">time</th><th class="n">WAL</th>'
    yield "<th>what it did</th></tr></thead><tbody>"
    half = one.migration.up
    for played in one.recording.statements:
        line = half.file.position(half.file_span(played.statement.span).start).line
        sql = played.sql if len(played.sql) <= _LONGEST_SQL else played.sql[:_LONGEST_SQL] + " …"
        yield (
            f'<tr><td class="n">{line}</td><td><pre>{_lines(sql)}</pre></td><td class="n">{elapsed(played.duration_ms)}</td>'
            f'<td class="n">{spelt(played.wal_bytes) if played.wal_bytes else "–"}</td><td>{"<br>".join(_did(one, played)) or "–"}</td></tr>'
        )
    yield "</tbody></table></div>"


def _did(one: ReplayedMigration, played: StatementRecord) -> Iterator[str]:
    if played.skip_reason:
        yield f'<span class="warn">not run: {_text(played.skip_reason)}</span>'
    if played.failure is not None:
        yield f'<span class="bad">refused: {_text(played.failure.message)}</span>'
    if played.waited_ms >= 1:
        yield f"waited {elapsed(played.waited_ms)} for locks"
    for touch in played.measured_effects:
        effect = touch.effect
        stops = "it is new" if effect.new else f"stops {' and '.join(effect.blocks)}" if effect.blocks else "stops nothing"
        mood = "" if effect.new or not effect.blocks else "bad" if "reads" in effect.blocks else "warn"
        work = ""
        if touch.grows_with_rows and not effect.new:
            verb = "rewrites" if effect.rewrite else "reads all of" if effect.scan else "rebuilds indexes of"
            work = f"; {verb} its {touch.rows or 0:,} rows"
        yield (
            f'<code>{_text(str(effect.relation))}</code> <span class="{mood}">{effect.lock}</span>, '
            f"held {elapsed(touch.held_ms)}, {stops}{work}"
        )
    estimate = one.estimates.get(played.statement.index)
    if estimate is not None:
        span = f"{elapsed(estimate.low_ms)} to {elapsed(estimate.high_ms)}"
        yield f'<span class="warn">with production\'s {estimate.rows:,} rows: {span}, an estimate for this machine</span>'


def _experiments(outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    if not outcomes:
        return
    yield '<dl class="experiments">'
    for outcome in outcomes:
        answer, mood = _ANSWERS[outcome.passed]
        mood = "none" if outcome.harmless else mood
        question = _QUESTIONS.get(outcome.experiment, escape(outcome.experiment))
        yield f'<dt>{question}</dt><dd><b class="{mood}">{answer}</b> {_text(outcome.summary)}'
        steps = [step for step in outcome.observations if step.text not in outcome.summary]
        if steps:
            yield "<ul>" + "".join(f"<li>{_text(step.text)}</li>" for step in steps) + "</ul>"
        yield "</dd>"
    yield "</dl>"


def _foot(replay: Replay) -> Iterator[str]:
    yield "<footer>"
    yield from (f"<p>{_text(note)}</p>" for note in replay.notes)
    if replay.unfilled:
        yield "<p>Tables that could not be filled, so that what reads or rewrites them took no time here:</p><ul>"
        yield from (f"<li><code>{_text(table)}</code>: {_text(why)}</li>" for table, why in replay.unfilled.items())
        yield "</ul>"
    for problem in replay.verdict.problems:
        yield f'<p class="bad">{_text(str(problem))}</p>'
    yield f"<p>migsafe {__version__}. Times are those of this machine, without the load of production.</p></footer>"
