"""What some paths through a program assume and the others do not, in words."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from msgspec.structs import replace

from migsafe.assumption import Assumption
from migsafe.sources.migration import ProgramPath

_MAX_ASSUMPTIONS = 2
_SOME_PATHS = "on some paths through the script"


def condition_of(paths: Sequence[ProgramPath], all_paths: Sequence[ProgramPath]) -> str:
    """Returns what distinguishes some paths from the others, as the end of a sentence; nothing if they are all of the paths, or if it is only
    what anyone expects. If the paths differ in several assumptions, each of which may be the reason, none is named."""
    others = [path for path in all_paths if path not in paths]
    if not others:
        return ""
    shared = [assumption for assumption in paths[0].assumptions if all(assumption in path.assumptions for path in paths)]
    shared = list(dict.fromkeys(shared))
    for number in range(1, _MAX_ASSUMPTIONS + 1):
        possible = [chosen for chosen in combinations(shared, number) if not any(_all_hold(chosen, path) for path in others)]
        reasons = list(dict.fromkeys(tuple(assumption for assumption in chosen if not _is_expected(assumption)) for chosen in possible))
        if reasons == [()]:
            return ""
        telling = [reason for reason in reasons if reason]
        if len(telling) == 1:
            return _only_if(telling[0])
        if telling:
            # A path that several runs took, for example one that returns early, assumes only what these have in common.
            together = list(dict.fromkeys(assumption for reason in telling for assumption in reason))
            opposite = any(_opposite(assumption) in path.assumptions for assumption in together for path in others)
            return _only_if(together) if len(together) <= _MAX_ASSUMPTIONS and not opposite else _SOME_PATHS
    return _SOME_PATHS


def _only_if(assumptions: Iterable[Assumption]) -> str:
    return f"only if {' and '.join(map(_text, sorted(assumptions, key=_line)))}"


def _opposite(assumption: Assumption) -> Assumption:
    return replace(assumption, holds=not assumption.holds)


def _all_hold(assumptions: Sequence[Assumption], path: ProgramPath) -> bool:
    return all(assumption in path.assumptions for assumption in assumptions)


def _line(assumption: Assumption) -> int:
    return assumption.line


def _is_expected(assumption: Assumption) -> bool:
    """Whether anyone expects this: that a query returns rows, and that their values differ."""
    return assumption.about == "value" or (assumption.about == "rows" and assumption.holds)


def _text(assumption: Assumption) -> str:
    if assumption.about == "rows":
        return f"the query in line {assumption.line} finds {'something' if assumption.holds else 'nothing'}"
    return f"`{assumption.condition}` (line {assumption.line}) is {'true' if assumption.holds else 'false'}"
