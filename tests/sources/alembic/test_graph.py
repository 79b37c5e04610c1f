"""The order of revisions, held against Alembic's own."""

import random

import pytest
from alembic.script.revision import Revision as AlembicRevision
from alembic.script.revision import RevisionMap

from migsafe.sources.alembic.graph import Graph
from migsafe.sources.alembic.script import Revision


def at_random(seed: int) -> list[Revision]:
    """A history with branches, merges, several bases and a dependency here and there."""
    chance = random.Random(seed)
    versions = [f"{number:02x}" for number in range(chance.randint(1, 30))]
    made = []
    for place, version in enumerate(versions):
        near = versions[max(0, place - chance.choice((1, 3, 6, 30))) : place]
        down = tuple(chance.sample(near, min(chance.choice((0, 1, 1, 1, 1, 1, 2, 2, 3)), len(near))))
        depends = (chance.choice(versions[:place]),) if place and chance.random() < 0.2 else ()
        made.append(Revision(version=version, down_revisions=down, depends_on=tuple(one for one in depends if one not in down)))
    chance.shuffle(made)
    return made


def upgraded(made: list[Revision]) -> list[str]:
    """The order of `alembic upgrade heads`."""
    theirs = RevisionMap(
        lambda: [AlembicRevision(one.version, one.down_revisions or None, one.depends_on or None, one.branch_labels) for one in made]
    )
    found = theirs.iterate_revisions("heads", "base", inclusive=True, assert_relative_length=False)
    return [one.revision for one in found][::-1]


def graph(*made: Revision) -> Graph:
    return Graph([(one, "versions") for one in made])


def ordered(found: Graph) -> list[str]:
    return [found.found[place][0].version for place in found.in_order()]


def test_revisions_run_in_the_order_of_alembic() -> None:
    for seed in range(300):
        made = at_random(seed)
        assert ordered(graph(*made)) == upgraded(made), made


def test_what_depends_on_a_label_waits_for_its_revision() -> None:
    made = [
        Revision(version="1a"),
        Revision(version="2b", down_revisions=("1a",), depends_on=("billing",)),
        Revision(version="3c", down_revisions=("1a",), branch_labels=("billing",)),
        Revision(version="4d", down_revisions=("3c",)),
    ]
    assert ordered(graph(*made)) == upgraded(made) == ["1a", "3c", "4d", "2b"]
    assert graph(*made).parents(1) == ("1a", "3c")


@pytest.mark.parametrize(
    ("downs", "circles"),
    [
        ({"1a": (), "2b": ("2b",)}, {"2b": ("2b", "2b")}),
        (
            {"1a": ("3c",), "2b": ("1a",), "3c": ("2b",), "4d": ("3c",)},
            {"1a": ("1a", "3c", "2b", "1a"), "2b": ("2b", "1a", "3c", "2b"), "3c": ("3c", "2b", "1a", "3c")},
        ),
        ({"1a": ("2b",), "2b": ("1a",), "3c": ("2b",), "4d": ("3c", "5e"), "5e": ("4d",)}, {"1a", "2b", "4d", "5e"}),
    ],
    ids=["itself", "three", "two circles"],
)
def test_circles_are_told_and_stop_nothing(downs: dict[str, tuple[str, ...]], circles: dict[str, tuple[str, ...]] | set[str]) -> None:
    found = graph(*(Revision(version=version, down_revisions=down) for version, down in downs.items()))
    told = {version: circle for place, version in enumerate(downs) if (circle := found.cycle(place))}
    assert (told if isinstance(circles, dict) else set(told)) == circles
    assert sorted(ordered(found)) == sorted(downs)


def test_a_revision_that_is_there_twice_is_in_order_twice() -> None:
    found = graph(Revision(version="2b", down_revisions=("1a",)), Revision(version="1a"), Revision(version="2b", down_revisions=("1a",)))
    assert found.in_order() == [1, 0, 2]


def test_folders_of_their_own_may_have_an_end_each_but_for_what_they_share() -> None:
    apart = [(Revision(version="1a"), "orders"), (Revision(version="2b"), "billing")]
    assert [Graph(apart).other_heads(place) for place in range(2)] == [[], []]
    joined = [
        *apart,
        (Revision(version="3c", down_revisions=("1a",)), "orders"),
        (Revision(version="4d", down_revisions=("1a", "2b")), "billing"),
    ]
    assert [Graph(joined).other_heads(place) for place in range(4)] == [[], [], [3], [2]]
