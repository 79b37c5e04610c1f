"""The assembly of a pre-mortem from judged and replayed migrations."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.blocking import BlockedRelation, find_blocked_relations, find_row_work, total_duration, with_statement_locks
from migsafe.assessment.durations import Duration
from migsafe.assessment.failure_modes import NOT_ANALYSED, LineOf, find_failure_modes
from migsafe.assessment.gate import Budget, GateResult, check_budgets
from migsafe.assessment.interruptions import describe_timeouts, describe_transactions, find_partial_failures, statement_lines
from migsafe.assessment.measurements import describe_measurements, measured_hold
from migsafe.assessment.operation_facts import OperationFacts, project_findings, unsuppressed_findings
from migsafe.assessment.premortem import AffectedRelation, Assessment, Premortem, RollbackPlan, RolloutStep
from migsafe.assessment.rollout import phase_of, why_no_safe_order
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.session import sent_statements
from migsafe.sources import Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayedMigration

_LONGEST = 90
_MOST_NEIGHBOURS = 4
_MOST_STATEMENTS = 3
_NOT_RUN = ("The replay ran none of its statements: everything about it is predicted.",)


class JudgedMigration(Struct, frozen=True):
    """A migration with its findings, the facts of its operations, and its replay, if there was one."""

    migration: Migration
    findings: tuple[Finding, ...]
    facts: tuple[OperationFacts, ...]
    replayed: "ReplayedMigration | None" = None


def assemble_premortem(
    judged: Sequence[JudgedMigration], pg_version: int, *, with_rows: bool, slo: Budget | None = None, replayed_on: str = ""
) -> Premortem:
    """Returns the pre-mortem of a deployment."""
    slo = slo or Budget()
    judged = [_timed(one) for one in judged]
    rulings = [_ruling(slo, one) for one in judged]
    return Premortem(
        assessments=tuple(_assessment(one, replayed=bool(replayed_on)) for one in judged),
        pg_version=pg_version,
        with_rows=with_rows,
        replayed_on=replayed_on,
        budgets=tuple(slo.descriptions()),
        forbidden=tuple(line for one in rulings for line in one.forbidden),
        doubtful=tuple(line for one in rulings for line in one.doubtful),
    )


def _timed(one: JudgedMigration) -> JudgedMigration:
    """Returns the migration with the estimates of its replay for production's rows. A replay that sent no statement is ignored."""
    if one.replayed is None or not one.replayed.recording.statements:
        return replace(one, replayed=None)
    times = {index: Duration(estimate.low_ms, estimate.high_ms) for index, estimate in one.replayed.estimates.items()}
    return replace(one, facts=tuple(replace(each, measured_duration=times.get(each.statement)) for each in one.facts))


def _line(one: JudgedMigration) -> LineOf:
    lines = statement_lines(one.migration.up)
    return lambda statement: lines.get(statement, 1)


def _ruling(slo: Budget, one: JudgedMigration) -> GateResult:
    return check_budgets(slo, one.migration.up.file.path, one.facts, _line(one), one.replayed)


def _assessment(one: JudgedMigration, *, replayed: bool) -> Assessment:
    line = _line(one)
    half = one.migration.up
    findings = unsuppressed_findings(one.findings)
    found = tuple(find_failure_modes(one.facts, findings, line, one.replayed))
    return Assessment(
        migration=one.migration,
        transactions=describe_transactions(half, one.facts),
        failure_modes=found,
        affected_relations=_touched(one),
        timeouts=tuple(describe_timeouts(one.facts, line)),
        partial_failures=tuple(find_partial_failures(half, findings, line)),
        running_release=tuple(_running(one.facts, findings)),
        new_release=tuple(dict.fromkeys(each.new_object for each in one.facts if each.new_object)),
        rollback_plan=_back(one),
        findings=project_findings(one.findings),
        steps=_steps(one),
        no_safe_order=tuple(_unordered(one)),
        unknown=tuple(way.because for way in found if way.title == NOT_ANALYSED),
        measured=tuple(describe_measurements(one.replayed, line)) if one.replayed is not None else _NOT_RUN if replayed else (),
    )


def _touched(one: JudgedMigration) -> tuple[AffectedRelation, ...]:
    """Returns the relations that other sessions can use, each with its strongest lock."""
    locks: dict[Name, tuple[LockMode, OperationFacts]] = {}
    for each in with_statement_locks(one.facts):
        for effect in each.effects:
            name = effect.relation
            least = LockMode.ROW_EXCLUSIVE if _changes(each) else LockMode.SHARE_UPDATE_EXCLUSIVE
            if effect.lock >= least and (name not in locks or effect.lock > locks[name][0]):
                locks[name] = (effect.lock, each)
    blocked: dict[Name, list[BlockedRelation]] = {}
    for found in find_blocked_relations(one.facts):
        blocked.setdefault(found.relation, []).append(found)
    return tuple(
        AffectedRelation(
            relation=name,
            lock=str(lock),
            blocks=_stopped(blocked[name]) if name in blocked else "nothing",
            duration=_lasts(one.facts, name, blocked.get(name, [])),
            rows=each.rows.get(name),
            measured=measured_hold(one.replayed, name),
            related=_around(each, name),
        )
        for name, (lock, each) in locks.items()
    )


def _changes(one: OperationFacts) -> bool:
    return isinstance(one.operation, sql.Update | sql.Delete | sql.Insert | sql.Merge)


def _stopped(found: Sequence[BlockedRelation]) -> str:
    return " and ".join(max(found, key=lambda one: len(one.effect.blocks)).effect.blocks)


def _lasts(observed: Sequence[OperationFacts], name: Name, blocked: Sequence[BlockedRelation]) -> str:
    """Returns for how long the lock is held after it is granted."""
    labour = (
        max((one.row_work for one in blocked), key=len, default=())
        if blocked
        else [one for one in find_row_work(observed) if one.relation == name]
    )
    if not labour and any(_changes(one) and any(effect.relation == name for effect in one.effects) for one in observed) and not blocked:
        return "grows with the number of changed rows"
    if not labour:
        return "unknown" if any(one.has_unknown_code for one in blocked) else "a moment"
    known = total_duration(labour)
    if any(one.rows is None for one in labour):
        return "grows with the number of rows" if not known.high else f"{known}, and more"
    return str(known)


def _around(one: OperationFacts, name: Name) -> tuple[str, ...]:
    near = one.related.get(name)
    if near is None:
        return ()
    said = []
    if near.referring:
        said.append(f"referenced by {_few(near.referring)}")
    if near.referred:
        said.append(f"references {_few(near.referred)}")
    if near.views:
        said.append(f"read by the view{'' if len(near.views) == 1 else 's'} {_few(near.views)}")
    return tuple(said)


def _few(names: Sequence[Name]) -> str:
    rest = len(names) - _MOST_NEIGHBOURS
    return ", ".join(map(str, names)) if rest <= 1 else f"{', '.join(map(str, names[:_MOST_NEIGHBOURS]))} and {rest} more"


def _running(observed: Sequence[OperationFacts], findings: Sequence[Finding]) -> Iterator[str]:
    """Yields what the running release meets on the new schema."""
    yield from dict.fromkeys(finding.message for finding in findings if finding.category == "compatibility")
    refused = list(dict.fromkeys(one.new_restriction for one in observed if one.new_restriction))
    yield from (f"refused from now on: {text}" for text in refused)
    selected = list(dict.fromkeys(one.changed_result for one in observed if one.changed_result))
    if selected:
        what = ", ".join(selected)
        yield f"prepared statements that select {what} fail until they are prepared again: `cached plan must not change result type`"


def _back(one: JudgedMigration) -> RollbackPlan:
    """Returns the rollback plan: the down migration, or statements by hand; and what neither of them restores."""
    down = one.migration.down
    undone = [each.rollback for each in one.facts if each.rollback is not None]
    gone = tuple(dict.fromkeys(each.lost_already for each in undone if each.lost_already))
    if down is None:
        back = list(dict.fromkeys(each.sql for each in reversed(undone) if each.sql))
        return RollbackPlan(
            manner="by hand" if back else "none",
            steps=tuple(back),
            loses=tuple(dict.fromkeys(each.loses for each in reversed(undone) if each.loses)),
            gone=gone,
            but=tuple(dict.fromkeys(each.note for each in undone if each.note)),
        )
    if down.program is not None and not down.program.calls:
        return RollbackPlan(manner="unread", gone=gone)
    operations = [operation for each in sent_statements(down) for operation in each.statement.operations]
    lost = tuple(text for text in dict.fromkeys(map(_lost, operations)) if text)
    unknown = {one.reason for one in operations if isinstance(one, sql.OpaqueCode | sql.Unparsed)}
    return RollbackPlan(
        manner="written", loses=lost, gone=gone, but=tuple(f"what it does is not fully known: {why}" for why in sorted(unknown))
    )


def _lost(operation: sql.Operation) -> str:
    match operation:
        case sql.DropColumn(column=column, target=target):
            return f"the values of {target.name}.{column}"
        case sql.Drop(kind="table" | "materialized view" | "schema" as kind, names=names):
            return f"the {kind} {', '.join(map(str, names))}"
        case sql.Truncate() | sql.Delete():
            return "the deleted rows"
        case sql.AlterColumnType(column=column, target=target, type=kind):
            return f"the values of {target.name}.{column} that do not fit into {kind}"
    return ""


def _steps(one: JudgedMigration) -> tuple[RolloutStep, ...]:
    half = one.migration.up
    steps = []
    for each in one.facts:
        phase = phase_of(each)
        if phase is not None:
            position = half.file.position(half.file_span(each.operation.span).start)
            steps.append(
                RolloutStep(phase=phase, path=half.file.path, migration=one.migration.id, line=position.line, text=_words(one, each.operation))
            )
    return tuple(dict.fromkeys(steps))


def _words(one: JudgedMigration, operation: sql.Operation) -> str:
    span = operation.span
    words = " ".join(one.migration.up.script.text[span.start : span.end].split())
    if isinstance(operation, sql.AlterRelation) and not words.upper().startswith("ALTER TABLE"):
        words = f"ALTER {operation.target.kind.upper()} {operation.target.name} {words}"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _unordered(one: JudgedMigration) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for each in one.facts:
        why = why_no_safe_order(each)
        if why:
            reasons.setdefault(why, []).append(f"`{_words(one, each.operation).replace('`', '')}`")
    for why, words in reasons.items():
        rest = len(words) - _MOST_STATEMENTS
        yield f"{', '.join(words[:_MOST_STATEMENTS])}{f' and {rest} more' if rest > 0 else ''}: {why}"
