"""Markdown, for a pull request or a runbook. The HTML page is made from it."""

import re
from collections.abc import Iterator, Sequence

from migsafe.assessment.failure_modes import ROWS_VIOLATE
from migsafe.assessment.premortem import Assessment, FailureMode, PartialFailure, Phase, Premortem, RollbackPlan, RolloutStep
from migsafe.assessment.rollout import HEADINGS
from migsafe.reports.markup import code, escaped, fenced
from migsafe.terminal.display import Display
from migsafe.terminal.width import columns, wrapped

_MOST_WAYS = 40
_MARK = re.compile(r" *(?:- (?:\[ \] )?|\d+\. )")
_BEGINS_BLOCK = re.compile(r" (?=(?:[-+*]|\d+[.)]|#+|>.*|=+|-+)(?: |$))")
"""A space before a word that would begin a list, a heading or a quote if it stood at the beginning of a line."""
_UNBREAKABLE = "\0"
_DEPLOYED = "First deploy, everywhere, a release that satisfies the new constraints and no longer uses the removed objects."
_MOST_STEPS = 4
_PLURALS = {"column": "columns", "table": "tables", "function": "functions", "view": "views", "type": "types", "sequence": "sequences"}
_MOST_SQL = 12
_LONG = (
    "SELECT pid, now() - xact_start AS open_for, state, left(query, 60) FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start;"
)
_WAITING = "SELECT pid, pg_blocking_pids(pid), left(query, 60) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;"


def report(premortem: Premortem, display: Display) -> str:
    """Returns the whole pre-mortem. On a terminal, lines are wrapped at its width and tables are lists."""
    lines = "\n".join(_lines(premortem, tables=display.width is None)).splitlines()
    if display.width is not None:
        lines = [short for line in _apart(lines) for short in _short(*line, display.width)]
    return "\n".join(lines).rstrip() + "\n"


def _apart(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields the lines, each with whether it is prose (not code)."""
    inside = False
    for line in lines:
        fence = line.lstrip().startswith("```")
        yield line, not (inside or fence)
        inside = inside != fence


def _short(line: str, prose: bool, width: int) -> Iterator[str]:
    """Yields a line of Markdown as shorter lines with the same meaning."""
    if not prose or columns(line) <= width or line.startswith("#"):
        yield line
        return
    mark = _MARK.match(line)
    indent = " " * len(mark[0]) if mark is not None else ""
    text = _BEGINS_BLOCK.sub(_UNBREAKABLE, line[len(indent) :])
    for number, part in enumerate(wrapped(text, max(width - len(indent), 20))):
        yield (mark[0] if mark is not None and number == 0 else indent) + part.replace(_UNBREAKABLE, " ")


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
        yield f"## {'No other hazards' if telling else 'No hazards'} found"
        yield ""
        yield "These migrations lock no relation that the application uses, remove nothing, and can be run again after a failure:"
        yield ""
        yield from (f"- {_file(one.path)}" for one in quiet)
        yield ""
    yield from _checklist(premortem)


def _is_quiet(one: Assessment) -> bool:
    """Whether the report on a migration would contain nothing to act on."""
    stuck = any(each.rerun != "yes" for each in one.partial_failures)
    return not (
        one.failure_modes
        or one.running_release
        or one.rollback_plan.gone
        or one.no_safe_order
        or one.measured
        or stuck
        or one.affected_relations
    )


def _basis(premortem: Premortem) -> str:
    rows = "Row counts are production's, from the statistics." if premortem.with_rows else "No row counts are known: any table may be large."
    if premortem.replayed_on:
        return f"{rows} “Measured” is what a replay on {escaped(premortem.replayed_on)} showed; the rest is predicted."
    estimates = " Times are estimates, from narrow rows in memory to wide rows on a slow disk." if premortem.with_rows else ""
    return f"{rows}{estimates} Nothing was measured (`--replay` measures)."


def _gate(premortem: Premortem) -> Iterator[str]:
    if premortem.forbidden:
        yield "**The gate is closed:**"
        yield ""
        yield from (f"- {escaped(line)}" for line in premortem.forbidden)
        yield ""
    elif premortem.budgets:
        yield f"**The gate is open**: no budget is exceeded ({escaped('; '.join(premortem.budgets))})."
        yield ""
    if premortem.doubtful:
        yield "Uncertain (the gate stays open):"
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
            yield f"{number}. Deploy the new release; the old one may still run." if needed else f"{number}. {_DEPLOYED}"
    yield ""
    for path in sorted(mixed):
        yield f"{_file(path)} contains several of these steps, so they cannot be rolled out one by one. Split it."
        yield ""
    for text in dict.fromkeys(text for one in premortem.assessments for text in one.no_safe_order):
        yield f"No order is safe for {escaped(text)}."
        yield ""


def _phase(steps: Sequence[RolloutStep], mixed: "set[str]", *, alone: bool) -> Iterator[str]:
    """Yields the files of a phase; for a file that belongs to several phases, its statements. `alone`: its name need not be repeated."""
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
    yield f"It runs in {escaped(one.transactions)}."
    yield ""
    yield from _radius(one, replayed=replayed) if tables else _radii(one, replayed=replayed)
    if one.failure_modes:
        yield "### How it can fail"
        yield ""
        for way in one.failure_modes[:_MOST_WAYS]:
            yield from _way(way)
        if len(one.failure_modes) > _MOST_WAYS:
            yield f"And {len(one.failure_modes) - _MOST_WAYS} more of the same kinds."
            yield ""
    else:
        yield "No statement was found that blocks queries or that existing rows could make fail."
        yield ""
    yield from _section("Measured", [escaped(line) for line in one.measured])
    yield from _section("Timeouts and retries", [escaped(line) for line in one.timeouts])
    yield from _section("When it fails half-way", list(_after(one.partial_failures)))
    yield from _section("The releases", list(_releases(one)))
    yield from _back(one.rollback_plan, unknown=bool(one.unknown))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"### {title}"
        yield ""
        yield from (f"- {line}" for line in lines)
        yield ""


def _radius(one: Assessment, *, replayed: bool) -> Iterator[str]:
    if not one.affected_relations:
        return
    measured = (" measured |", "---|") if replayed else ("", "")
    yield f"| relation | lock | blocks | for how long (predicted) |{measured[0]} rows | related objects |"
    yield f"|---|---|---|---|{measured[1]}---:|---|"
    for each in one.affected_relations:
        rows = f"{each.rows:,}" if each.rows is not None else "?"
        around = "; ".join(each.related) or "–"
        seen = f" {each.measured or '–'} |" if replayed else ""
        yield f"| {code(str(each.relation))} | {each.lock} | {each.blocks} | {each.duration} |{seen} {rows} | {escaped(around)} |"
    yield ""


def _radii(one: Assessment, *, replayed: bool) -> Iterator[str]:
    """Yields the affected relations as a list."""
    for each in one.affected_relations:
        rows = f"{each.rows:,} rows" if each.rows is not None else "rows unknown"
        seen = f", measured {each.measured}" if replayed and each.measured else ""
        around = f"; {'; '.join(each.related)}" if each.related else ""
        stops = f"blocks {each.blocks} for {each.duration}" if each.blocks != "nothing" else f"blocks nothing, {each.duration}"
        said = f"{each.lock}, {stops}{seen}; {rows}{around}"
        yield f"- {code(str(each.relation))}: {escaped(said)}"
    if one.affected_relations:
        yield ""


def _file(path: str) -> str:
    return code(path) if path != "-" else "Standard input"


def _way(way: FailureMode) -> Iterator[str]:
    yield f"**{escaped(way.title)}**{_where(way.lines)}"
    yield ""
    yield f"- You see: {escaped(way.sees)}"
    yield f"- Because {escaped(way.because)}."
    if way.lasts:
        yield f"- It lasts {escaped(way.lasts)}."
    if way.check:
        yield "- Check first:"
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
    """Returns advice, with the SQL that it may begin with (up to a semicolon) as code."""
    statement, semicolon, rest = text.partition(";")
    return f"{code(statement + semicolon)}{escaped(rest) and ' ' + escaped(rest)}" if semicolon else escaped(text)


def _after(left: Sequence[PartialFailure]) -> Iterator[str]:
    """Yields what failures leave behind, grouped by whether the migration can run again."""
    if not left:
        yield "the failed migration leaves nothing behind: run it again"
    groups: dict[str, list[PartialFailure]] = {}
    for each in left:
        groups.setdefault(each.rerun, []).append(each)
    for again, found in groups.items():
        where = ", ".join(str(each.line) for each in found[:6]) + (" …" if len(found) > 6 else "")
        kept = found[0].kept if len(found) == 1 else "what earlier statements did"
        stays = ("stay" if kept.startswith("lines") else "stays") + ("" if kept.endswith("INVALID index") else " committed")
        yield (
            f"if it fails at line{'' if len(found) == 1 else 's'} {where}, {escaped(kept)} {stays}. "
            f"Can the migration be run again? {escaped(again[:1].upper() + again[1:])}"
        )


def _releases(one: Assessment) -> Iterator[str]:
    if one.unknown:
        yield "What this migration does is not fully known, so its effect on the releases is not fully known either"
    if one.running_release:
        yield "The running release, on the new schema:\n" + "\n".join(f"  - {escaped(line)}" for line in one.running_release)
    elif not one.unknown:
        yield "The running release, on the new schema: this migration removes nothing that the schema shows to be in use"
    if one.new_release:
        yield f"The new release, on the old schema: it fails where it uses {escaped(_needs(one.new_release))}. Run the migration first"
    elif not one.unknown:
        yield "The new release, on the old schema: it needs nothing from this migration, which creates no object that it could use"


def _needs(needs: Sequence[str]) -> str:
    """Returns what is missing, grouped by kind: `the columns a, b or the table c`."""
    kinds: dict[str, list[str]] = {}
    for need in needs:
        kind, _, name = need.partition(" ")
        kinds.setdefault(kind if kind in _PLURALS else need, []).append(name)
    said = []
    for kind, names in kinds.items():
        shown = ", ".join(names[:_MOST_SQL]) + (f" and {len(names) - _MOST_SQL} more" if len(names) > _MOST_SQL else "")
        said.append(f"the {kind if len(names) == 1 else _PLURALS[kind]} {shown}" if kind in _PLURALS else f"the {kind}")
    return " or ".join(said)


def _back(back: RollbackPlan, *, unknown: bool) -> Iterator[str]:
    yield "### Rollback plan"
    yield ""
    if back.manner == "written":
        yield "The migration has a down migration." + ("" if back.loses or back.but else " It drops nothing that contains data.")
    elif back.manner == "unread":
        yield "The migration has a down migration; what it loses was not analysed."
    elif back.manner == "by hand":
        yield "The migration has no down migration. By hand, in this order:"
        yield ""
        shown = [*back.steps[:_MOST_SQL], *([f"-- and {len(back.steps) - _MOST_SQL} more"] if len(back.steps) > _MOST_SQL else [])]
        yield from fenced("\n".join(shown), "sql").splitlines()
    elif back.gone or back.but:
        yield "The migration has no down migration, and no statements by hand restore everything."
    elif unknown:
        yield "The migration has no down migration, and what would have to be undone is not known."
    else:
        yield "There is nothing to undo."
    yield ""
    lines = [
        *([f"Rolling back loses {escaped('; '.join(back.loses))}."] if back.loses else []),
        *([f"Lost when the migration runs, unless you have a backup or a copy: {escaped('; '.join(back.gone))}."] if back.gone else []),
        *(f"{escaped(text[:1].upper() + text[1:])}." for text in back.but),
    ]
    if back.manner == "by hand" and not lines:
        lines = ["Rolling back loses no data."]
    if lines:
        yield from (f"- {line}" for line in lines)
        yield ""


def _checklist(premortem: Premortem) -> Iterator[str]:
    ways = [way for one in premortem.assessments for way in one.failure_modes]
    stops = any(each.blocks != "nothing" for one in premortem.assessments for each in one.affected_relations)
    yield "## Before you start"
    yield ""
    if any(one.affected_relations for one in premortem.assessments):
        yield f"- [ ] No long transaction is open: {code(_LONG)}"
    if any(way.check and way.title == ROWS_VIOLATE for way in ways):
        yield "- [ ] The queries under “Check first” find nothing"
    if any(line.startswith(("lock_timeout is not set", "lock_timeout is off")) for one in premortem.assessments for line in one.timeouts):
        yield "- [ ] lock_timeout is set, and the deployment retries when it expires"
    if any(each.duration not in ("a moment", "unknown") for one in premortem.assessments for each in one.affected_relations):
        yield "- [ ] The disk has room for rewritten tables, new indexes and their WAL; the replicas keep up"
    if stops:
        watch = f"{code(_WAITING)} `SELECT pg_cancel_backend(pid);`"
        yield f"- [ ] One person watches for waiting queries and cancels the migration if too many wait: {watch}"
    if any(one.rollback_plan.gone for one in premortem.assessments):
        yield "- [ ] A recent backup exists, and restoring it was tested: nothing else restores the lost data"
    if any(one.running_release for one in premortem.assessments):
        yield "- [ ] The old release was tested on the new schema"
    yield "- [ ] Everyone knows who can abort, and what the rollback plan is"
