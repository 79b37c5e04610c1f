"""Markdown, for a pull request or a runbook. The HTML page is made from it."""

from collections.abc import Iterator, Sequence

from migsafe.assessment.failure_modes import ROWS_VIOLATE
from migsafe.assessment.premortem import Assessment, FailureMode, PartialFailure, Phase, Premortem, RollbackPlan, RolloutStep
from migsafe.assessment.rollout import HEADINGS
from migsafe.linting.facts.wording import join_queries
from migsafe.patterns import lazy_pattern
from migsafe.reports.markup import code, escaped, fenced
from migsafe.terminal.display import Display
from migsafe.terminal.width import columns, wrapped

_MAX_FAILURE_MODES = 40
_LIST_MARK = lazy_pattern(r" *(?:- (?:\[ \] )?|\d+\. )")
_BEGINS_BLOCK = lazy_pattern(r" (?=(?:[-+*]|\d+[.)]|#+|>.*|=+|-+)(?: |$))")
"""A space before a word that would begin a list, a heading or a quote if it stood at the beginning of a line."""
_UNBREAKABLE = "\0"
_DEPLOY_STEP = "First deploy, everywhere, a release that satisfies the new constraints and no longer uses the removed objects."
_MAX_STEPS = 4
_PLURALS = {"column": "columns", "table": "tables", "function": "functions", "view": "views", "type": "types", "sequence": "sequences"}
_MAX_ITEMS = 12
_LONG_TRANSACTIONS = (
    "SELECT pid, now() - xact_start AS open_for, state, left(query, 60) FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start;"
)
_WAITING_QUERIES = "SELECT pid, pg_blocking_pids(pid), left(query, 60) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0;"


def report(premortem: Premortem, display: Display) -> str:
    """Returns the whole pre-mortem. On a terminal, lines are wrapped at its width and tables are lists."""
    lines = "\n".join(_lines(premortem, tables=display.width is None)).splitlines()
    if display.width is not None:
        lines = [wrapped_line for line in _classify_lines(lines) for wrapped_line in _wrap_line(*line, display.width)]
    return "\n".join(lines).rstrip() + "\n"


def _classify_lines(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields the lines, each with whether it is prose (not code)."""
    inside = False
    for line in lines:
        fence = line.lstrip().startswith("```")
        yield line, not (inside or fence)
        inside = inside != fence


def _wrap_line(line: str, prose: bool, width: int) -> Iterator[str]:
    """Yields a line of Markdown as shorter lines with the same meaning."""
    if not prose or columns(line) <= width or line.startswith("#"):
        yield line
        return
    mark = _LIST_MARK.match(line)
    indent = " " * len(mark[0]) if mark is not None else ""
    text = _BEGINS_BLOCK.sub(_UNBREAKABLE, line[len(indent) :])
    for number, wrapped_part in enumerate(wrapped(text, max(width - len(indent), 20))):
        yield (mark[0] if mark is not None and number == 0 else indent) + wrapped_part.replace(_UNBREAKABLE, " ")


def _lines(premortem: Premortem, *, tables: bool) -> Iterator[str]:
    number = len(premortem.assessments)
    yield "# Pre-mortem: assume that this deployment has failed"
    yield ""
    yield f"{number} migration{'' if number == 1 else 's'}, PostgreSQL {premortem.pg_version}. {_basis(premortem)}"
    yield ""
    yield from _gate(premortem)
    yield from _rollout(premortem)
    hazardous = [assessment for assessment in premortem.assessments if not _is_quiet(assessment)]
    quiet = [assessment for assessment in premortem.assessments if _is_quiet(assessment)]
    for assessment in hazardous:
        yield from _assessment_lines(assessment, replayed=bool(premortem.replayed_on), tables=tables)
    if quiet:
        yield f"## {'No other hazards' if hazardous else 'No hazards'} found"
        yield ""
        yield "These migrations lock no relation that the application uses, remove nothing, and can be run again after a failure:"
        yield ""
        yield from (f"- {_file(assessment.path)}" for assessment in quiet)
        yield ""
    yield from _queries(premortem)
    yield from _checklist(premortem)


def _queries(premortem: Premortem) -> Iterator[str]:
    """Yields what is wrong with the release's queries themselves."""
    if not premortem.queries:
        return
    yield "## The release's queries"
    yield ""
    for finding in premortem.queries:
        line = finding.script.position(finding.span.start).line
        yield f"- {code(f'{finding.script.path}:{line}')} {code(finding.rule)}: {escaped(finding.message)}."
        if finding.help:
            yield ""
            yield from (f"  {line}" for line in fenced(finding.help).splitlines())
            yield ""
    yield ""


def _is_quiet(assessment: Assessment) -> bool:
    """Whether the report on a migration would contain nothing to act on."""
    cannot_rerun = any(failure.rerun != "yes" for failure in assessment.partial_failures)
    return not (
        assessment.failure_modes
        or assessment.running_release
        or assessment.rollback_plan.gone
        or assessment.no_safe_order
        or assessment.measured
        or cannot_rerun
        or assessment.affected_relations
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
    mixed = {assessment.path for assessment in premortem.assessments if len({step.phase for step in assessment.steps}) > 1}
    present = {step.phase for step in steps}
    number = 0
    for phase in Phase:
        if phase in present:
            number += 1
            yield f"{number}. {HEADINGS[phase]}:"
            yield from _phase_steps([step for step in steps if step.phase is phase], mixed, alone=len(premortem.assessments) == 1)
        needed = any(assessment.new_release or assessment.query_effects.needing for assessment in premortem.assessments)
        if phase is Phase.EXPAND and (needed or not present <= {Phase.EXPAND, Phase.BACKFILL}):
            number += 1
            yield (
                f"{number}. Deploy the new release; the old one may still run.{_needing(premortem)}" if needed else f"{number}. {_DEPLOY_STEP}"
            )
    yield ""
    for path in sorted(mixed):
        yield f"{_file(path)} contains several of these steps, so they cannot be rolled out one by one. Split it."
        yield ""
    for text in dict.fromkeys(text for assessment in premortem.assessments for text in assessment.no_safe_order):
        yield f"No order is safe for {escaped(text)}."
        yield ""


def _needing(premortem: Premortem) -> str:
    """Returns which queries need the steps before the new release; empty without any."""
    queries = list(dict.fromkeys(query for assessment in premortem.assessments for query in assessment.query_effects.needing))
    return f" It needs the steps above for {escaped(join_queries(queries))}." if queries else ""


def _phase_steps(steps: Sequence[RolloutStep], mixed: "set[str]", *, alone: bool) -> Iterator[str]:
    """Yields the files of a phase; for a file that belongs to several phases, its statements. `alone`: its name need not be repeated."""
    by_path: dict[str, list[RolloutStep]] = {}
    for step in steps:
        by_path.setdefault(step.path, []).append(step)
    for path, path_steps in by_path.items():
        if path not in mixed:
            yield f"   - {_file(path)}"
            continue
        file = "" if alone else f"{code(path.rpartition('/')[2])}, "
        for step in path_steps[:_MAX_STEPS]:
            yield f"   - {code(step.text)} ({file}line {step.line})"
        if len(path_steps) > _MAX_STEPS:
            yield f"   - and {len(path_steps) - _MAX_STEPS} more{'' if alone else f' of {file[:-2]}'}"


def _assessment_lines(assessment: Assessment, *, replayed: bool, tables: bool) -> Iterator[str]:
    yield f"## {_file(assessment.path)}"
    yield ""
    yield f"It runs in {escaped(assessment.transactions)}."
    yield ""
    yield from _relation_table(assessment, replayed=replayed) if tables else _relation_list(assessment, replayed=replayed)
    yield from _section("The application's queries", [escaped(line) for line in assessment.query_effects.lines])
    if assessment.failure_modes:
        yield "### How it can fail"
        yield ""
        for failure_mode in assessment.failure_modes[:_MAX_FAILURE_MODES]:
            yield from _failure_mode_lines(failure_mode)
        if len(assessment.failure_modes) > _MAX_FAILURE_MODES:
            yield f"And {len(assessment.failure_modes) - _MAX_FAILURE_MODES} more of the same kinds."
            yield ""
    else:
        yield "No statement was found that blocks queries or that existing rows could make fail."
        yield ""
    yield from _section("Measured", [escaped(line) for line in assessment.measured])
    yield from _section("Timeouts and retries", [escaped(line) for line in assessment.timeouts])
    yield from _section("When it fails half-way", list(_partial_failure_lines(assessment.partial_failures)))
    yield from _section("The releases", list(_releases(assessment)))
    yield from _rollback_plan(assessment.rollback_plan, unknown=bool(assessment.unknown))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"### {title}"
        yield ""
        yield from (f"- {line}" for line in lines)
        yield ""


def _relation_table(assessment: Assessment, *, replayed: bool) -> Iterator[str]:
    if not assessment.affected_relations:
        return
    measured_heading, measured_rule = (" measured |", "---|") if replayed else ("", "")
    yield f"| relation | lock | blocks | for how long (predicted) |{measured_heading} rows | related objects |"
    yield f"|---|---|---|---|{measured_rule}---:|---|"
    for relation in assessment.affected_relations:
        rows = f"{relation.rows:,}" if relation.rows is not None else "?"
        related = "; ".join(relation.related) or "–"
        measured_cell = f" {relation.measured or '–'} |" if replayed else ""
        hold = f"{relation.lock} | {relation.blocks} | {relation.duration}"
        yield f"| {code(str(relation.relation))} | {hold} |{measured_cell} {rows} | {escaped(related)} |"
    yield ""


def _relation_list(assessment: Assessment, *, replayed: bool) -> Iterator[str]:
    """Yields the affected relations as a list."""
    for relation in assessment.affected_relations:
        rows = f"{relation.rows:,} rows" if relation.rows is not None else "rows unknown"
        measured = f", measured {relation.measured}" if replayed and relation.measured else ""
        related = f"; {'; '.join(relation.related)}" if relation.related else ""
        blocking = (
            f"blocks {relation.blocks} for {relation.duration}" if relation.blocks != "nothing" else f"blocks nothing, {relation.duration}"
        )
        description = f"{relation.lock}, {blocking}{measured}; {rows}{related}"
        yield f"- {code(str(relation.relation))}: {escaped(description)}"
    if assessment.affected_relations:
        yield ""


def _file(path: str) -> str:
    return code(path) if path != "-" else "Standard input"


def _failure_mode_lines(failure_mode: FailureMode) -> Iterator[str]:
    yield f"**{escaped(failure_mode.title)}**{_line_numbers(failure_mode.lines)}"
    yield ""
    yield f"- You see: {escaped(failure_mode.sees)}"
    yield f"- Because {escaped(failure_mode.because)}."
    if failure_mode.lasts:
        yield f"- It lasts {escaped(failure_mode.lasts)}."
    if failure_mode.check:
        yield "- Check first:"
        yield ""
        yield from (f"  {line}" for line in fenced(failure_mode.check, "sql").splitlines())
        yield ""
    if failure_mode.instead:
        yield f"- Instead: {_advice(failure_mode.instead)}."
    yield ""


def _line_numbers(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    shown = ", ".join(map(str, lines[:6])) + (" …" if len(lines) > 6 else "")
    return f" (line{'' if len(lines) == 1 else 's'} {shown})"


def _advice(text: str) -> str:
    """Returns advice, with the SQL that it may begin with (up to a semicolon) as code."""
    statement, semicolon, rest = text.partition(";")
    return f"{code(statement + semicolon)}{escaped(rest) and ' ' + escaped(rest)}" if semicolon else escaped(text)


def _partial_failure_lines(failures: Sequence[PartialFailure]) -> Iterator[str]:
    """Yields what failures leave behind, grouped by whether the migration can run again."""
    if not failures:
        yield "the failed migration leaves nothing behind: run it again"
    groups: dict[str, list[PartialFailure]] = {}
    for failure in failures:
        groups.setdefault(failure.rerun, []).append(failure)
    for rerun, group in groups.items():
        lines = ", ".join(str(failure.line) for failure in group[:6]) + (" …" if len(group) > 6 else "")
        kept = group[0].kept if len(group) == 1 else "what earlier statements did"
        verb = ("stay" if kept.startswith("lines") else "stays") + ("" if kept.endswith("INVALID index") else " committed")
        yield (
            f"if it fails at line{'' if len(group) == 1 else 's'} {lines}, {escaped(kept)} {verb}. "
            f"Can the migration be run again? {escaped(rerun[:1].upper() + rerun[1:])}"
        )


def _releases(assessment: Assessment) -> Iterator[str]:
    if assessment.unknown:
        yield "What this migration does is not fully known, so its effect on the releases is not fully known either"
    if assessment.running_release:
        yield "The running release, on the new schema:\n" + "\n".join(f"  - {escaped(line)}" for line in assessment.running_release)
    elif not assessment.unknown:
        yield "The running release, on the new schema: this migration removes nothing that the schema shows to be in use"
    if assessment.new_release:
        missing = escaped(_missing_objects(assessment.new_release))
        yield f"The new release, on the old schema: it fails where it uses {missing}. Run the migration first"
    elif not assessment.unknown:
        yield "The new release, on the old schema: it needs nothing from this migration, which creates no object that it could use"


def _missing_objects(new_objects: Sequence[str]) -> str:
    """Returns what is missing, grouped by kind: `the columns a, b or the table c`."""
    kinds: dict[str, list[str]] = {}
    for new_object in new_objects:
        kind, _, name = new_object.partition(" ")
        kinds.setdefault(kind if kind in _PLURALS else new_object, []).append(name)
    descriptions = []
    for kind, names in kinds.items():
        shown = ", ".join(names[:_MAX_ITEMS]) + (f" and {len(names) - _MAX_ITEMS} more" if len(names) > _MAX_ITEMS else "")
        descriptions.append(f"the {kind if len(names) == 1 else _PLURALS[kind]} {shown}" if kind in _PLURALS else f"the {kind}")
    return " or ".join(descriptions)


def _rollback_plan(plan: RollbackPlan, *, unknown: bool) -> Iterator[str]:
    yield "### Rollback plan"
    yield ""
    if plan.manner == "written":
        yield "The migration has a down migration." + ("" if plan.loses or plan.but else " It drops nothing that contains data.")
    elif plan.manner == "unread":
        yield "The migration has a down migration; what it loses was not analysed."
    elif plan.manner == "by hand":
        yield "The migration has no down migration. By hand, in this order:"
        yield ""
        shown = [*plan.steps[:_MAX_ITEMS], *([f"-- and {len(plan.steps) - _MAX_ITEMS} more"] if len(plan.steps) > _MAX_ITEMS else [])]
        yield from fenced("\n".join(shown), "sql").splitlines()
    elif plan.gone or plan.but:
        yield "The migration has no down migration, and no statements by hand restore everything."
    elif unknown:
        yield "The migration has no down migration, and what would have to be undone is not known."
    else:
        yield "There is nothing to undo."
    yield ""
    lines = [
        *([f"Rolling back loses {escaped('; '.join(plan.loses))}."] if plan.loses else []),
        *([f"Lost when the migration runs, unless you have a backup or a copy: {escaped('; '.join(plan.gone))}."] if plan.gone else []),
        *(f"{escaped(text[:1].upper() + text[1:])}." for text in plan.but),
    ]
    if plan.manner == "by hand" and not lines:
        lines = ["Rolling back loses no data."]
    if lines:
        yield from (f"- {line}" for line in lines)
        yield ""


def _checklist(premortem: Premortem) -> Iterator[str]:
    failure_modes = [failure_mode for assessment in premortem.assessments for failure_mode in assessment.failure_modes]
    has_blocked_relation = any(
        relation.blocks != "nothing" for assessment in premortem.assessments for relation in assessment.affected_relations
    )
    yield "## Before you start"
    yield ""
    if any(assessment.affected_relations for assessment in premortem.assessments):
        yield f"- [ ] No long transaction is open: {code(_LONG_TRANSACTIONS)}"
    if any(failure_mode.check and failure_mode.title == ROWS_VIOLATE for failure_mode in failure_modes):
        yield "- [ ] The queries under “Check first” find nothing"
    if any(
        line.startswith(("lock_timeout is not set", "lock_timeout is off"))
        for assessment in premortem.assessments
        for line in assessment.timeouts
    ):
        yield "- [ ] lock_timeout is set, and the deployment retries when it expires"
    if any(
        relation.duration not in ("a moment", "unknown") for assessment in premortem.assessments for relation in assessment.affected_relations
    ):
        yield "- [ ] The disk has room for rewritten tables, new indexes and their WAL; the replicas keep up"
    if has_blocked_relation:
        watch = f"{code(_WAITING_QUERIES)} `SELECT pg_cancel_backend(pid);`"
        yield f"- [ ] One person watches for waiting queries and cancels the migration if too many wait: {watch}"
    if any(assessment.rollback_plan.gone for assessment in premortem.assessments):
        yield "- [ ] A recent backup exists, and restoring it was tested: nothing else restores the lost data"
    if any(assessment.running_release for assessment in premortem.assessments):
        yield "- [ ] The old release was tested on the new schema"
    yield "- [ ] Everyone knows who can abort, and what the rollback plan is"
