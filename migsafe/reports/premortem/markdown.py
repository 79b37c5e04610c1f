"""Markdown, for a pull request or a runbook; the page in HTML is made of it."""

import re
from collections.abc import Iterator, Sequence

from migsafe.premortem.assessment import Assessment, Back, Left, Phase, Premortem, RolloutStep, Way
from migsafe.premortem.rollout import HEADINGS
from migsafe.premortem.ways import NO_FIT
from migsafe.reports.markup import code, escaped, fenced
from migsafe.terminal.display import Display
from migsafe.terminal.width import columns, wrapped

_MOST_WAYS = 40
_MARK = re.compile(r" *(?:- (?:\[ \] )?|\d+\. )")
_DEPLOYED = "Deploy, everywhere, the release that keeps to what is demanded below, and does without what goes."
_MOST_STEPS = 4
_PLURALS = {"column": "columns", "table": "tables", "function": "functions", "view": "views", "type": "types", "sequence": "sequences"}
_MOST_SQL = 12
_LONG = (
    "SELECT pid, now() - xact_start AS open_for, state, left(query, 60) FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start;"
)
_WAITING = "SELECT pid, pg_blocking_pids(pid), left(query, 60) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;"


def report(premortem: Premortem, display: Display) -> str:
    """The whole pre-mortem. On a terminal its lines are as long as that is wide, and tables are lists."""
    lines = "\n".join(_lines(premortem, tables=display.width is None)).splitlines()
    if display.width is not None:
        lines = [short for line in _apart(lines) for short in _short(*line, display.width)]
    return "\n".join(lines).rstrip() + "\n"


def _apart(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The lines, each with whether it is prose."""
    inside = False
    for line in lines:
        fence = line.lstrip().startswith("```")
        yield line, not (inside or fence)
        inside = inside != fence


def _short(line: str, prose: bool, width: int) -> Iterator[str]:
    """A line of Markdown as several, which mean the same."""
    if not prose or columns(line) <= width or line.startswith("#"):
        yield line
        return
    mark = _MARK.match(line)
    indent = " " * len(mark[0]) if mark is not None else ""
    for number, part in enumerate(wrapped(line[len(indent) :], max(width - len(indent), 20))):
        yield (mark[0] if mark is not None and number == 0 else indent) + part


def _lines(premortem: Premortem, *, tables: bool) -> Iterator[str]:
    number = len(premortem.assessments)
    yield "# Pre-mortem: assume that this deployment has failed"
    yield ""
    yield f"{number} migration{'' if number == 1 else 's'}, PostgreSQL {premortem.pg_version}. {_basis(premortem)}"
    yield ""
    yield from _gate(premortem)
    yield from _rollout(premortem)
    telling = [one for one in premortem.assessments if not _is_quiet(one)]
    quiet = [one for one in premortem.assessments if _is_quiet(one)]
    for one in telling:
        yield from _assessment(one, replayed=bool(premortem.replayed_on), tables=tables)
    if quiet:
        yield f"## {'Nothing else' if telling else 'Nothing'} to fear"
        yield ""
        yield "These lock nothing that others use, take nothing away, and leave nothing behind that stops another run:"
        yield ""
        yield from (f"- {_file(one.path)}" for one in quiet)
        yield ""
    yield from _checklist(premortem)


def _is_quiet(one: Assessment) -> bool:
    """Whether there is nothing to say of a migration that anybody would act on."""
    stuck = any(each.again != "yes" for each in one.left)
    return not (one.ways or one.running_release or one.back.gone or one.unordered or one.measured or stuck or one.touched)


def _basis(premortem: Premortem) -> str:
    rows = "Row counts are production's, from the statistics." if premortem.with_rows else "No row counts are known: every table may be large."
    if premortem.replayed_on:
        return f"{rows} “Measured” is what a replay on {escaped(premortem.replayed_on)} showed; all else is predicted."
    estimates = " Times are estimates: from narrow rows in memory to wide ones on a slow disk." if premortem.with_rows else ""
    return f"{rows}{estimates} Nothing was measured: `--replay` does."


def _gate(premortem: Premortem) -> Iterator[str]:
    if premortem.forbidden:
        yield "**The gate is closed:**"
        yield ""
        yield from (f"- {escaped(line)}" for line in premortem.forbidden)
        yield ""
    elif premortem.budgets:
        yield f"**The gate is open**: nothing breaks the budgets ({escaped('; '.join(premortem.budgets))})."
        yield ""
    if premortem.doubtful:
        yield "In doubt, which closes nothing:"
        yield ""
        yield from (f"- {escaped(line)}" for line in premortem.doubtful)
        yield ""


def _rollout(premortem: Premortem) -> Iterator[str]:
    steps = premortem.steps
    if not steps:
        return
    yield "## The order of a safe rollout"
    yield ""
    mixed = {one.path for one in premortem.assessments if len({step.phase for step in one.steps}) > 1}
    present = {step.phase for step in steps}
    number = 0
    for phase in Phase:
        if phase in present:
            number += 1
            yield f"{number}. {HEADINGS[phase]}:"
            yield from _phase([step for step in steps if step.phase is phase], mixed, alone=len(premortem.assessments) == 1)
        needed = any(one.new_release for one in premortem.assessments)
        if phase is Phase.EXPAND and (needed or not present <= {Phase.EXPAND, Phase.BACKFILL}):
            number += 1
            yield f"{number}. Deploy the new release, beside the old one." if needed else f"{number}. {_DEPLOYED}"
    yield ""
    for path in sorted(mixed):
        yield f"{_file(path)} does several of these at once: as it is, they cannot be rolled out one after the other. Split it."
        yield ""
    for text in dict.fromkeys(text for one in premortem.assessments for text in one.unordered):
        yield f"No order is safe for {escaped(text)}."
        yield ""


def _phase(steps: Sequence[RolloutStep], mixed: "set[str]", *, alone: bool) -> Iterator[str]:
    """The files of a phase; of one that belongs to several, the statements. One that is `alone` needs no name."""
    by_path: dict[str, list[RolloutStep]] = {}
    for step in steps:
        by_path.setdefault(step.path, []).append(step)
    for path, found in by_path.items():
        if path not in mixed:
            yield f"   - {_file(path)}"
            continue
        file = "" if alone else f"{code(path.rpartition('/')[2])}, "
        for step in found[:_MOST_STEPS]:
            yield f"   - {code(step.text)} ({file}line {step.line})"
        if len(found) > _MOST_STEPS:
            yield f"   - and {len(found) - _MOST_STEPS} more{'' if alone else f' of {file[:-2]}'}"


def _assessment(one: Assessment, *, replayed: bool, tables: bool) -> Iterator[str]:
    yield f"## {_file(one.path)}"
    yield ""
    yield f"It runs in {escaped(one.manner)}."
    yield ""
    yield from _radius(one, replayed=replayed) if tables else _radii(one, replayed=replayed)
    if one.ways:
        yield "### How it can fail"
        yield ""
        for way in one.ways[:_MOST_WAYS]:
            yield from _way(way)
        if len(one.ways) > _MOST_WAYS:
            yield f"And {len(one.ways) - _MOST_WAYS} more of the same kinds."
            yield ""
    else:
        yield "Nothing was found that would stop anybody, or that rows could refuse."
        yield ""
    yield from _section("Measured", [escaped(line) for line in one.measured])
    yield from _section("Timeouts and retries", [escaped(line) for line in one.timeouts])
    yield from _section("When it stops half-way", list(_after(one.left)))
    yield from _section("The releases", list(_releases(one)))
    yield from _back(one.back, unknown=bool(one.unknown))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"### {title}"
        yield ""
        yield from (f"- {line}" for line in lines)
        yield ""


def _radius(one: Assessment, *, replayed: bool) -> Iterator[str]:
    if not one.touched:
        return
    measured = (" measured |", "---|") if replayed else ("", "")
    yield f"| relation | lock | stops | for how long, predicted |{measured[0]} rows | what hangs on it |"
    yield f"|---|---|---|---|{measured[1]}---:|---|"
    for each in one.touched:
        rows = f"{each.rows:,}" if each.rows is not None else "?"
        around = "; ".join(each.around) or "–"
        seen = f" {each.measured or '–'} |" if replayed else ""
        yield f"| {code(str(each.relation))} | {each.lock} | {each.stops} | {each.lasts} |{seen} {rows} | {escaped(around)} |"
    yield ""


def _radii(one: Assessment, *, replayed: bool) -> Iterator[str]:
    """The blast radius as a list."""
    for each in one.touched:
        rows = f"{each.rows:,} rows" if each.rows is not None else "rows unknown"
        seen = f", measured {each.measured}" if replayed and each.measured else ""
        around = f"; {'; '.join(each.around)}" if each.around else ""
        stops = f"stops {each.stops} for {each.lasts}" if each.stops != "nothing" else f"stops nothing, {each.lasts}"
        said = f"{each.lock}, {stops}{seen}; {rows}{around}"
        yield f"- {code(str(each.relation))}: {escaped(said)}"
    if one.touched:
        yield ""


def _file(path: str) -> str:
    return code(path) if path != "-" else "Standard input"


def _way(way: Way) -> Iterator[str]:
    yield f"**{escaped(way.title)}**{_where(way.lines)}"
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
        yield f"- Instead: {_instead(way.instead)}."
    yield ""


def _where(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    shown = ", ".join(map(str, lines[:6])) + (" …" if len(lines) > 6 else "")
    return f" (line{'' if len(lines) == 1 else 's'} {shown})"


def _instead(text: str) -> str:
    """Advice that may begin with SQL, up to its semicolon."""
    statement, semicolon, rest = text.partition(";")
    return f"{code(statement + semicolon)}{escaped(rest) and ' ' + escaped(rest)}" if semicolon else escaped(text)


def _after(left: Sequence[Left]) -> Iterator[str]:
    """Failures after which the same can be done, together."""
    if not left:
        yield "nothing stays behind: run it again"
    groups: dict[str, list[Left]] = {}
    for each in left:
        groups.setdefault(each.again, []).append(each)
    for again, found in groups.items():
        where = ", ".join(str(each.line) for each in found[:6]) + (" …" if len(found) > 6 else "")
        kept = found[0].kept if len(found) == 1 else "what stands before it"
        stays = "stay" if kept.startswith("lines") else "stays"
        yield f"at line{'' if len(found) == 1 else 's'} {where}: {escaped(kept)} {stays}. Can the whole be run again? {escaped(again)}"


def _releases(one: Assessment) -> Iterator[str]:
    if one.unknown:
        yield "What this does is not known in full, and what the releases make of it neither"
    if one.running_release:
        yield "The running release, on the new schema:\n" + "\n".join(f"  - {escaped(line)}" for line in one.running_release)
    elif not one.unknown:
        yield "The running release, on the new schema: nothing that it uses is taken away, as far as the schema tells"
    if one.new_release:
        yield f"The new release, on the old schema: fails where it uses {escaped(_needs(one.new_release))}. Migrate first"
    elif not one.unknown:
        yield "The new release, on the old schema: misses nothing, for this makes nothing that it could use"


def _needs(needs: Sequence[str]) -> str:
    """What is missing, by its kind: `the columns a and b; the table c`."""
    kinds: dict[str, list[str]] = {}
    for need in needs:
        kind, _, name = need.partition(" ")
        kinds.setdefault(kind if kind in _PLURALS else need, []).append(name)
    said = []
    for kind, names in kinds.items():
        shown = ", ".join(names[:_MOST_SQL]) + (f" and {len(names) - _MOST_SQL} more" if len(names) > _MOST_SQL else "")
        said.append(f"the {kind if len(names) == 1 else _PLURALS[kind]} {shown}" if kind in _PLURALS else f"the {kind}")
    return "; ".join(said)


def _back(back: Back, *, unknown: bool) -> Iterator[str]:
    yield "### The way back"
    yield ""
    if back.manner == "written":
        yield "There is one, written down." + ("" if back.loses or back.but else " It drops nothing that holds data.")
    elif back.manner == "unread":
        yield "There is one; what it loses is not looked at."
    elif back.manner == "by hand":
        yield "None is written down. By hand, in this order:"
        yield ""
        shown = [*back.steps[:_MOST_SQL], *([f"-- and {len(back.steps) - _MOST_SQL} more"] if len(back.steps) > _MOST_SQL else [])]
        yield from fenced("\n".join(shown), "sql").splitlines()
    elif back.gone or back.but:
        yield "None is written down, and there is none by hand that brings all back."
    elif unknown:
        yield "None is written down, and what there is to take back is not known."
    else:
        yield "There is nothing to take back."
    yield ""
    lines = [
        *([f"It loses {escaped('; '.join(back.loses))}."] if back.loses else []),
        *([f"Gone, but for a backup and what was copied before: {escaped('; '.join(back.gone))}."] if back.gone else []),
        *(f"{escaped(text[:1].upper() + text[1:])}." for text in back.but),
    ]
    if back.manner == "by hand" and not lines:
        lines = ["It loses no data."]
    if lines:
        yield from (f"- {line}" for line in lines)
        yield ""


def _checklist(premortem: Premortem) -> Iterator[str]:
    ways = [way for one in premortem.assessments for way in one.ways]
    stops = any(each.stops != "nothing" for one in premortem.assessments for each in one.touched)
    yield "## Before you start"
    yield ""
    if any(one.touched for one in premortem.assessments):
        yield f"- [ ] No long transaction is open: {code(_LONG)}"
    if any(way.check and way.title == NO_FIT for way in ways):
        yield "- [ ] The queries under “Look first” find nothing"
    if any(line.startswith(("lock_timeout is not set", "lock_timeout is off")) for one in premortem.assessments for line in one.timeouts):
        yield "- [ ] lock_timeout is set, and somebody or something tries again when it strikes"
    if any(each.lasts not in ("a moment", "unknown") for one in premortem.assessments for each in one.touched):
        yield "- [ ] There is room on the disk for what is written anew or indexed, and for its WAL; the replicas keep up"
    if stops:
        yield f"- [ ] Somebody watches who waits, and ends the migration if it is too much: {code(_WAITING)} `SELECT pg_cancel_backend(pid);`"
    if any(one.back.gone for one in premortem.assessments):
        yield "- [ ] A backup is fresh, and restoring it has been tried: there is no other way to what is gone"
    if any(one.running_release for one in premortem.assessments):
        yield "- [ ] The old release has been seen running on the new schema"
    yield "- [ ] Everybody knows who decides to stop, and how the way back goes"
