"""JSON: what stands here changes only with its `version`."""

from typing import Any

import msgspec

from migsafe.assessment.premortem import Assessment, Premortem, Touched, Way
from migsafe.reports.json import finding_object
from migsafe.reports.paths import unicode
from migsafe.terminal.display import Display

VERSION = 1


def report(premortem: Premortem, display: Display) -> str:
    """The whole pre-mortem as one object."""
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
        "migrations": [_assessment(one) for one in premortem.assessments],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _assessment(one: Assessment) -> dict[str, Any]:
    return {
        "id": unicode(one.migration.id),
        "path": unicode(one.path),
        "manner": one.manner,
        "ways": [_way(way) for way in one.ways],
        "touched": [_touched(each) for each in one.touched],
        "timeouts": one.timeouts,
        "left": [{"statement": each.at, "line": each.line, "kept": each.kept, "again": each.again} for each in one.left],
        "running_release": one.running_release,
        "new_release_needs": one.new_release,
        "back": {name: getattr(one.back, name) for name in ("manner", "steps", "loses", "gone", "but")},
        "no_safe_order": one.unordered,
        "measured": one.measured,
        "findings": [finding_object(finding) for finding in one.findings],
    }


def _way(way: Way) -> dict[str, Any]:
    return {name: getattr(way, name) for name in ("title", "sees", "because", "lasts", "check", "instead", "lines")}


def _touched(each: Touched) -> dict[str, Any]:
    return {
        "relation": str(each.relation),
        "lock": each.lock,
        "stops": each.stops,
        "lasts": each.lasts,
        "measured": each.measured or None,
        "rows": each.rows,
        "around": each.around,
    }
