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
from migsafe.assessment.query_effects import find_query_effects
from migsafe.assessment.rollout import phases_of, why_no_safe_order
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.session import sent_statements
from migsafe.sources import Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.templates import is_harmless

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayedMigration

_MAX_STATEMENT_LENGTH = 90
_MAX_NEIGHBOURS = 4
_MAX_STATEMENTS = 3
_NOTHING_REPLAYED = ("The replay ran none of its statements: everything about it is predicted.",)


class JudgedMigration(Struct, frozen=True):
    """A migration with its findings, the facts of its operations, and its replay, if there was one."""

    migration: Migration
    findings: tuple[Finding, ...]
    facts: tuple[OperationFacts, ...]
    replayed: "ReplayedMigration | None" = None


def assemble_premortem(
    migrations: Sequence[JudgedMigration], pg_version: int, *, with_rows: bool, slo: Budget | None = None, replayed_on: str = ""
) -> Premortem:
    """Returns the pre-mortem of a deployment."""
    slo = slo or Budget()
    migrations = [_with_measured_durations(migration) for migration in migrations]
    gate_results = [_gate_result(slo, migration) for migration in migrations]
    return Premortem(
        assessments=tuple(_assessment(migration, replayed=bool(replayed_on)) for migration in migrations),
        pg_version=pg_version,
        with_rows=with_rows,
        replayed_on=replayed_on,
        budgets=tuple(slo.descriptions()),
        forbidden=tuple(line for result in gate_results for line in result.forbidden),
        doubtful=tuple(line for result in gate_results for line in result.doubtful),
    )


def _with_measured_durations(judged: JudgedMigration) -> JudgedMigration:
    """Returns the migration with the estimates of its replay for production's rows. A replay that sent no statement is ignored."""
    if judged.replayed is None or not judged.replayed.recording.statements:
        return replace(judged, replayed=None)
    durations = {index: Duration(estimate.low_ms, estimate.high_ms) for index, estimate in judged.replayed.estimates.items()}
    return replace(judged, facts=tuple(replace(facts, measured_duration=durations.get(facts.statement)) for facts in judged.facts))


def _line_of(judged: JudgedMigration) -> LineOf:
    lines = statement_lines(judged.migration.up)
    return lambda statement: lines.get(statement, 1)


def _gate_result(slo: Budget, judged: JudgedMigration) -> GateResult:
    return check_budgets(slo, judged.migration.up.file.path, judged.facts, _line_of(judged), judged.replayed)


def _assessment(judged: JudgedMigration, *, replayed: bool) -> Assessment:
    line_of = _line_of(judged)
    up = judged.migration.up
    findings = unsuppressed_findings(judged.findings)
    failure_modes = tuple(find_failure_modes(judged.facts, findings, line_of, judged.replayed))
    return Assessment(
        migration=judged.migration,
        transactions=describe_transactions(up, judged.facts),
        failure_modes=failure_modes,
        affected_relations=_affected_relations(judged),
        timeouts=tuple(describe_timeouts(judged.facts, line_of)),
        partial_failures=tuple(find_partial_failures(up, findings, line_of)),
        running_release=tuple(_running_release_effects(judged.facts, findings)),
        new_release=tuple(dict.fromkeys(facts.new_object for facts in judged.facts if facts.new_object)),
        rollback_plan=_rollback_plan(judged),
        findings=project_findings(judged.findings),
        steps=_rollout_steps(judged),
        no_safe_order=tuple(_statements_without_order(judged)),
        unknown=tuple(failure_mode.because for failure_mode in failure_modes if failure_mode.title == NOT_ANALYSED),
        measured=tuple(describe_measurements(judged.replayed, line_of))
        if judged.replayed is not None
        else _NOTHING_REPLAYED
        if replayed
        else (),
        query_effects=find_query_effects(judged.facts, findings, statement_lines(up)),
    )


def _affected_relations(judged: JudgedMigration) -> tuple[AffectedRelation, ...]:
    """Returns the relations that other sessions can use, each with its strongest lock."""
    locks: dict[Name, tuple[LockMode, OperationFacts]] = {}
    for facts in with_statement_locks(judged.facts):
        for effect in facts.effects:
            name = effect.relation
            weakest = LockMode.ROW_EXCLUSIVE if _changes_rows(facts) else LockMode.SHARE_UPDATE_EXCLUSIVE
            if effect.lock >= weakest and (name not in locks or effect.lock > locks[name][0]):
                locks[name] = (effect.lock, facts)
    blocked: dict[Name, list[BlockedRelation]] = {}
    for blocked_relation in find_blocked_relations(judged.facts):
        blocked.setdefault(blocked_relation.relation, []).append(blocked_relation)
    return tuple(
        AffectedRelation(
            relation=name,
            lock=str(lock),
            blocks=_describe_blocked(blocked[name]) if name in blocked else "nothing",
            duration=_describe_hold(judged.facts, name, blocked.get(name, [])),
            rows=facts.rows.get(name),
            measured=measured_hold(judged.replayed, name),
            related=_describe_related(facts, name),
        )
        for name, (lock, facts) in locks.items()
    )


def _changes_rows(facts: OperationFacts) -> bool:
    return isinstance(facts.operation, sql.Update | sql.Delete | sql.Insert | sql.Merge)


def _describe_blocked(blocked_relations: Sequence[BlockedRelation]) -> str:
    return " and ".join(max(blocked_relations, key=lambda blocked: len(blocked.effect.blocks)).effect.blocks)


def _describe_hold(all_facts: Sequence[OperationFacts], name: Name, blocked: Sequence[BlockedRelation]) -> str:
    """Returns for how long the lock is held after it is granted."""
    row_work = (
        max((blocked_relation.row_work for blocked_relation in blocked), key=len, default=())
        if blocked
        else [work for work in find_row_work(all_facts) if work.relation == name]
    )
    if (
        not row_work
        and any(_changes_rows(facts) and any(effect.relation == name for effect in facts.effects) for facts in all_facts)
        and not blocked
    ):
        return "grows with the number of changed rows"
    if not row_work:
        return "unknown" if any(blocked_relation.has_unknown_code for blocked_relation in blocked) else "a moment"
    duration = total_duration(row_work)
    if any(work.rows is None for work in row_work):
        return "grows with the number of rows" if not duration.high else f"{duration}, and more"
    return str(duration)


def _describe_related(facts: OperationFacts, name: Name) -> tuple[str, ...]:
    related = facts.related.get(name)
    if related is None:
        return ()
    descriptions = []
    if related.referring:
        descriptions.append(f"referenced by {_join_names(related.referring)}")
    if related.referred:
        descriptions.append(f"references {_join_names(related.referred)}")
    if related.views:
        descriptions.append(f"read by the view{'' if len(related.views) == 1 else 's'} {_join_names(related.views)}")
    return tuple(descriptions)


def _join_names(names: Sequence[Name]) -> str:
    omitted = len(names) - _MAX_NEIGHBOURS
    return ", ".join(map(str, names)) if omitted <= 1 else f"{', '.join(map(str, names[:_MAX_NEIGHBOURS]))} and {omitted} more"


def _running_release_effects(all_facts: Sequence[OperationFacts], findings: Sequence[Finding]) -> Iterator[str]:
    """Yields what the running release meets on the new schema."""
    yield from dict.fromkeys(finding.message for finding in findings if finding.category == "compatibility")
    restrictions = list(dict.fromkeys(facts.new_restriction for facts in all_facts if facts.new_restriction))
    yield from (f"refused from now on: {text}" for text in restrictions)
    changed_results = list(dict.fromkeys(facts.changed_result for facts in all_facts if facts.changed_result))
    if changed_results:
        changed = ", ".join(changed_results)
        yield f"prepared statements that select {changed} fail until they are prepared again: `cached plan must not change result type`"


def _rollback_plan(judged: JudgedMigration) -> RollbackPlan:
    """Returns the rollback plan: the down migration, or statements by hand; and what neither of them restores."""
    down = judged.migration.down
    rollbacks = [facts.rollback for facts in judged.facts if facts.rollback is not None]
    lost_already = tuple(dict.fromkeys(rollback.lost_already for rollback in rollbacks if rollback.lost_already))
    if down is None:
        statements = list(dict.fromkeys(rollback.sql for rollback in reversed(rollbacks) if rollback.sql))
        return RollbackPlan(
            manner="by hand" if statements else "none",
            steps=tuple(statements),
            loses=tuple(dict.fromkeys(rollback.loses for rollback in reversed(rollbacks) if rollback.loses)),
            gone=lost_already,
            but=tuple(dict.fromkeys(rollback.note for rollback in rollbacks if rollback.note)),
        )
    if down.program is not None and not down.program.calls:
        return RollbackPlan(manner="unread", gone=lost_already)
    operations = [operation for sent in sent_statements(down) for operation in sent.statement.operations]
    lost = tuple(text for text in dict.fromkeys(map(_lost_data, operations)) if text)
    unknown = {
        operation.reason for operation in operations if isinstance(operation, sql.OpaqueCode | sql.Unparsed) and not is_harmless(operation)
    }
    return RollbackPlan(
        manner="written", loses=lost, gone=lost_already, but=tuple(f"what it does is not fully known: {why}" for why in sorted(unknown))
    )


def _lost_data(operation: sql.Operation) -> str:
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


def _rollout_steps(judged: JudgedMigration) -> tuple[RolloutStep, ...]:
    up = judged.migration.up
    steps = []
    for facts, phase in zip(judged.facts, phases_of(judged.facts), strict=True):
        if phase is not None:
            position = up.file.position(up.file_span(facts.operation.span).start)
            steps.append(
                RolloutStep(
                    phase=phase,
                    path=up.file.path,
                    migration=judged.migration.id,
                    line=position.line,
                    text=_shorten_statement(judged, facts.operation),
                )
            )
    return tuple(dict.fromkeys(steps))


def _shorten_statement(judged: JudgedMigration, operation: sql.Operation) -> str:
    span = operation.span
    text = " ".join(judged.migration.up.script.text[span.start : span.end].split())
    if isinstance(operation, sql.AlterRelation) and not text.upper().startswith("ALTER TABLE"):
        text = f"ALTER {operation.target.kind.upper()} {operation.target.name} {text}"
    return text if len(text) <= _MAX_STATEMENT_LENGTH else text[: _MAX_STATEMENT_LENGTH - 1] + "…"


def _statements_without_order(judged: JudgedMigration) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for facts in judged.facts:
        reason = why_no_safe_order(facts)
        if reason:
            reasons.setdefault(reason, []).append(f"`{_shorten_statement(judged, facts.operation).replace('`', '')}`")
    for reason, statements in reasons.items():
        omitted = len(statements) - _MAX_STATEMENTS
        yield f"{', '.join(statements[:_MAX_STATEMENTS])}{f' and {omitted} more' if omitted > 0 else ''}: {reason}"
