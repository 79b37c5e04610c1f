"""The findings on the paths through a program, merged: a finding that does not hold on all paths says on which it does."""

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.sources.conditions import condition_of
from migsafe.sources.migration import ProgramPath


class PathFindings(NamedTuple):
    """A path, and the findings on it."""

    path: ProgramPath
    findings: Sequence[Finding]


def merge_findings(results: Sequence[PathFindings], once: Collection[str] = ()) -> list[Finding]:
    """Returns the findings of all paths, each once, with what the paths that have it assume and the others do not. `once` are the rules that
    report a whole migration or transaction once: of the same hazard on several paths, the first is enough."""
    found: dict[Hashable, tuple[Finding, list[ProgramPath]]] = {}
    for path, findings in results:
        for finding in findings:
            key = finding.rule, finding.script.path, finding.span, finding.statement, finding.relations
            _, paths = found.setdefault(key, (finding, []))
            if path not in paths:
                paths.append(path)
    all_paths = [path for path, _ in results]
    merged: list[Finding] = []
    shown_on: dict[Hashable, ProgramPath] = {}
    for finding, paths in found.values():
        if finding.rule not in once or shown_on.setdefault(_hazard(finding), paths[0]) is paths[0]:
            merged.append(_with_condition(finding, condition_of(paths, all_paths)))
    return merged


def _hazard(finding: Finding) -> Hashable:
    """Returns what findings on several paths have in common if one change fixes all of them: one lock_timeout, or another place of a call."""
    return (finding.rule, None) if finding.category == "timeouts" else (finding.rule, finding.span)


def _with_condition(finding: Finding, condition: str) -> Finding:
    return replace(finding, message=f"{finding.message}; {condition}", condition=condition) if condition else finding
