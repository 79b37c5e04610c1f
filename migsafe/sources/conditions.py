"""What some paths through a program assume and the others do not, in words."""

from collections.abc import Sequence

from migsafe.sources.migration import Assumption, ProgramPath

_MAX_ASSUMPTIONS = 2
_SOME_PATHS = "on some paths through the script"


def condition_of(paths: Sequence[ProgramPath], all_paths: Sequence[ProgramPath]) -> str:
    """Returns what distinguishes some paths from the others, as the end of a sentence; nothing if they are all of the paths, or if it is only
    what anyone expects."""
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
