"""Markdown, for a pull request or a runbook; the page in HTML is made of it."""

from collections.abc import Iterator

from migsafe.premortem.assessment import Assessment, Premortem, Way
from migsafe.premortem.rollout import HEADINGS
from migsafe.reports.markup import code, escaped, fenced

_MOST_WAYS = 40


def report(premortem: Premortem) -> str:
    """The whole pre-mortem."""
    return "\n".join(_lines(premortem)).rstrip() + "\n"


def _lines(premortem: Premortem) -> Iterator[str]:
    number = len(premortem.assessments)
    yield "# Pre-mortem: assume that this deployment has failed"
    yield ""
    yield f"{number} migration{'' if number == 1 else 's'}, PostgreSQL {premortem.pg_version}. " + _basis(premortem)
    yield ""
    if premortem.forbidden:
        yield "**The gate is closed:**"
        yield ""
        yield from (f"- {escaped(line)}" for line in premortem.forbidden)
        yield ""
    yield from _rollout(premortem)
    for one in premortem.assessments:
        yield from _assessment(one)
    yield from _checklist(premortem)


def _basis(premortem: Premortem) -> str:
    rows = "Row counts are production's, from the statistics." if premortem.with_rows else "No row counts are known: every table may be large."
    measured = f" Times were measured on {escaped(premortem.replayed_on)}." if premortem.replayed_on else " Nothing was measured."
    return rows + measured


def _rollout(premortem: Premortem) -> Iterator[str]:
    steps = premortem.steps
    if not steps:
        return
    yield "## The order of a safe rollout"
    yield ""
    number = 0
    phases = sorted({step.phase for step in steps})
    for phase in phases:
        number += 1
        yield f"{number}. {HEADINGS[phase]}:"
        yield from (f"   - {code(step.text)} ({escaped(step.migration)}, line {step.line})" for step in steps if step.phase is phase)
        if phase == 1 and len(phases) > 1:
            number += 1
            yield f"{number}. Deploy the new release, and let it run beside the old one."
    yield ""
    mixed = [one for one in premortem.assessments if len({step.phase for step in one.steps}) > 1]
    for one in mixed:
        yield f"{code(one.path)} does several of these at once: as it is, they cannot be rolled out one after the other. Split it."
        yield ""


def _assessment(one: Assessment) -> Iterator[str]:
    yield f"## {escaped(one.path)}"
    yield ""
    yield f"It runs in {escaped(one.manner)}."
    yield ""
    yield from _radius(one)
    if one.ways:
        yield "### How it can fail"
        yield ""
        for way in one.ways[:_MOST_WAYS]:
            yield from _way(way)
    else:
        yield "Nothing was found that would stop anybody, or that rows could refuse."
        yield ""
    yield from _after(one)
    yield "### The running release, on the new schema"
    yield ""
    if one.running_release:
        yield from (f"- breaks: {escaped(finding.message)}" for finding in one.running_release)
    else:
        yield "- nothing that it uses is taken away, as far as the schema tells"
    yield ""
    yield "### The way back"
    yield ""
    yield one.back[0]
    yield ""
    if len(one.back) > 1:
        yield from (f"- {escaped(line)}" for line in one.back[1:])
        yield ""
    if one.measured:
        yield "### Measured"
        yield ""
        yield from (f"- {escaped(line)}" for line in one.measured)
        yield ""


def _radius(one: Assessment) -> Iterator[str]:
    if not one.touched:
        return
    yield "| relation | lock | stops | rows | what hangs on it |"
    yield "|---|---|---|---|---|"
    for each in one.touched:
        rows = f"{each.rows:,}" if each.rows is not None else "?"
        grows = ", read or written whole" if each.grows else ""
        around = "; ".join(each.around) or "–"
        yield f"| {code(str(each.relation))} | {each.lock} | {each.stops} | {rows}{grows} | {escaped(around)} |"
    yield ""


def _way(way: Way) -> Iterator[str]:
    where = f" (line {way.line})" if way.line else ""
    yield f"**{escaped(way.title)}**{where}"
    yield ""
    yield f"- You see: {escaped(way.sees)}"
    yield f"- Because {escaped(way.because)}."
    if way.lasts:
        yield f"- It lasts {escaped(way.lasts)}."
    if way.check:
        yield "- Look first:"
        yield ""
        yield from (f"  {line}" for line in fenced(way.check, "sql").splitlines())
        yield ""
    if way.instead:
        yield f"- Instead: {code(way.instead) if way.instead.isupper() or ';' in way.instead else escaped(way.instead)}"
    yield ""


def _after(one: Assessment) -> Iterator[str]:
    yield "### When it stops half-way"
    yield ""
    if not one.left:
        yield "- nothing stays behind: run it again"
    for each in one.left:
        kept = "1 statement stays done" if each.kept == 1 else f"{each.kept} statements stay done"
        yield f"- at line {each.line}: {kept}; can the whole be run again? {escaped(each.again)}"
    yield ""


def _checklist(premortem: Premortem) -> Iterator[str]:
    yield "## Before you start"
    yield ""
    yield "- [ ] No long transaction is open: `SELECT pid, now() - xact_start, query FROM pg_stat_activity ORDER BY xact_start;`"
    if any(way.check and way.title.startswith("Rows") for one in premortem.assessments for way in one.ways):
        yield "- [ ] The queries under “Look first” return nothing"
    if any(each.grows for one in premortem.assessments for each in one.touched):
        yield "- [ ] There is room on the disk for a second copy of what is rewritten or indexed, and for its WAL; replicas keep up"
    yield "- [ ] Somebody watches waiting sessions, and knows how to end the migration: `SELECT pg_cancel_backend(pid);`"
    if any(one.migration.down is None for one in premortem.assessments):
        yield "- [ ] A backup or snapshot is fresh, and restoring it has been tried: there is no way back"
    yield "- [ ] The old release has been seen running on the new schema"
