"""What distinguishes some paths through a script from the others."""

import pytest

from migsafe.sources.conditions import condition_of
from migsafe.sources.migration import Assumption, ProgramPath


def path(*assumptions: str) -> ProgramPath:
    """Returns a path; `-a` assumes that a does not hold."""
    assumed = tuple(Assumption(each.lstrip("-"), 5, not each.startswith("-")) for each in assumptions)
    return ProgramPath((), assumed)


@pytest.mark.parametrize(
    ("paths", "others", "condition"),
    [
        ([("a", "b"), ("a", "-b")], [("-a", "b")], "only if `a` (line 5) is true"),
        ([("a", "-b")], [("a", "b"), ("-a", "-b")], "only if `a` (line 5) is true and `b` (line 5) is false"),
        # Either may be the reason: the run between the two was not made.
        ([("a", "b")], [("-a", "-b")], "on some paths through the script"),
        # The others are runs that ended at a or at b.
        ([("-a", "-b")], [()], "only if `a` (line 5) is false and `b` (line 5) is false"),
        ([("a", "b", "c")], [()], "on some paths through the script"),
        ([("a", "b", "c")], [("-a", "b", "-c"), ("-a", "-b", "c")], "only if `a` (line 5) is true"),
        ([("a",), ("-a",)], [], ""),
    ],
)
def test_only_the_assumption_that_must_be_the_reason_is_named(
    paths: list[tuple[str, ...]], others: list[tuple[str, ...]], condition: str
) -> None:
    all_paths = [path(*assumptions) for assumptions in [*paths, *others]]
    assert condition_of(all_paths[: len(paths)], all_paths) == condition
