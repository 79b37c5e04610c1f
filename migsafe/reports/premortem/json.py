"""JSON. Its keys change only with `version`."""

from typing import Any

import msgspec

from migsafe.assessment.premortem import AffectedRelation, Assessment, FailureMode, Premortem
from migsafe.reports.json import finding_object
from migsafe.reports.paths import unicode
from migsafe.terminal.display import Display

VERSION = 1


def report(premortem: Premortem, display: Display) -> str:
    """Returns the whole pre-mortem as one object."""
    document = {
        "version": VERSION,
        "pg_version": premortem.pg_version,
        "with_rows": premortem.with_rows,
        "replayed_on": premortem.replayed_on or None,
        "budgets": premortem.budgets,
        "forbidden": premortem.forbidden,
        "doubtful": premortem.doubtful,
        "rollout": [
            {"phase": step.phase.name.lower(), "migration": unicode(step.migration), "line": step.line, "sql": step.text}
            for step in premortem.steps
        ],
        "migrations": [_assessment(assessment) for assessment in premortem.assessments],
        "queries": [finding_object(finding) for finding in premortem.queries],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _assessment(assessment: Assessment) -> dict[str, Any]:
    plan = assessment.rollback_plan
    return {
        "id": unicode(assessment.migration.id),
        "path": unicode(assessment.path),
        "manner": assessment.transactions,
        "ways": [_failure_mode(mode) for mode in assessment.failure_modes],
        "touched": [_affected_relation(affected) for affected in assessment.affected_relations],
        "timeouts": assessment.timeouts,
        "left": [
            {"statement": failure.statement, "line": failure.line, "kept": failure.kept, "again": failure.rerun}
            for failure in assessment.partial_failures
        ],
        "running_release": assessment.running_release,
        "new_release_needs": assessment.new_release,
        "back": {"manner": plan.manner, "steps": plan.steps, "loses": plan.loses, "gone": plan.gone, "but": plan.but},
        "no_safe_order": assessment.no_safe_order,
        "measured": assessment.measured,
        "queries": {
            name: [{"name": query.name, "path": unicode(query.path), "line": query.line} for query in queries]
            for name, queries in (
                ("using", assessment.query_effects.using),
                ("waiting", assessment.query_effects.waiting),
                ("failing", assessment.query_effects.failing),
                ("slower", assessment.query_effects.slower),
                ("new", assessment.query_effects.needing),
            )
        },
        "findings": [finding_object(finding) for finding in assessment.findings],
    }


def _failure_mode(mode: FailureMode) -> dict[str, Any]:
    return {name: getattr(mode, name) for name in ("title", "sees", "because", "lasts", "check", "instead", "lines")}


def _affected_relation(affected: AffectedRelation) -> dict[str, Any]:
    return {
        "relation": str(affected.relation),
        "lock": affected.lock,
        "stops": affected.blocks,
        "lasts": affected.duration,
        "measured": affected.measured or None,
        "rows": affected.rows,
        "around": affected.related,
    }
