"""The findings on the paths through a program, merged: a finding that does not hold on all paths says on which it does."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.sources.migration import Assumption, ProgramPath

_MAX_ASSUMPTIONS = 2
_SOME_PATHS = "on some paths through the script"


class PathFindings(NamedTuple):
    """A path, and the findings on it."""

    path: ProgramPath
    findings: Sequence[Finding]


def merge_findings(results: Sequence[PathFindings]) -> list[Finding]:
    """Returns the findings of all paths, each once, with what the paths that have it assume and the others do not."""
    found: dict[Hashable, tuple[Finding, list[ProgramPath]]] = {}
    for path, findings in results:
        for finding in findings:
            key = finding.rule, finding.script.path, finding.span, finding.statement, finding.relations
            _, paths = found.setdefault(key, (finding, []))
            if path not in paths:
                paths.append(path)
    all_paths = [path for path, _ in results]
    return [_with_condition(finding, _condition(paths, all_paths)) for finding, paths in found.values()]


def _with_condition(finding: Finding, condition: str) -> Finding:
    return replace(finding, message=f"{finding.message}; {condition}") if condition else finding


def _condition(paths: Sequence[ProgramPath], all_paths: Sequence[ProgramPath]) -> str:
    """Returns what distinguishes some paths from the others, as the end of a sentence; nothing if they are all of the paths."""
    others = [path for path in all_paths if path not in paths]
    if not others:
        return ""
    shared = [assumption for assumption in paths[0].assumptions if all(assumption in path.assumptions for path in paths)]
    telling: list[Assumption] = []
    while others and shared and len(telling) < _MAX_ASSUMPTIONS:
        best = min(shared, key=lambda assumption: sum(assumption in path.assumptions for path in others))
        remaining = [path for path in others if best in path.assumptions]
        if len(remaining) == len(others):
            break
        telling.append(best)
        others = remaining
    texts = [_text(assumption) for assumption in sorted(telling, key=_line) if not _is_expected(assumption)]
    if not texts:
        return "" if telling else _SOME_PATHS
    return f"only if {' and '.join(texts)}"


def _line(assumption: Assumption) -> int:
    return assumption.line


def _is_expected(assumption: Assumption) -> bool:
    """Whether anyone expects this: that a query returns rows, and that their values differ."""
    return assumption.about == "value" or (assumption.about == "rows" and assumption.holds)


def _text(assumption: Assumption) -> str:
    if assumption.about == "rows":
        return f"the query in line {assumption.line} finds {'something' if assumption.holds else 'nothing'}"
    return f"`{assumption.condition}` (line {assumption.line}) is {'true' if assumption.holds else 'false'}"
