"""The order of revisions, compared with Alembic's own."""

import random

import pytest
from alembic.script.revision import Revision as AlembicRevision
from alembic.script.revision import RevisionMap

from migsafe.sources.alembic.graph import Graph
from migsafe.sources.alembic.script import Revision


def random_history(seed: int) -> list[Revision]:
    """Returns a random history with branches, merges, several bases and some dependencies."""
    generator = random.Random(seed)
    versions = [f"{number:02x}" for number in range(generator.randint(1, 30))]
    revisions = []
    for position, version in enumerate(versions):
        near = versions[max(0, position - generator.choice((1, 3, 6, 30))) : position]
        down = tuple(generator.sample(near, min(generator.choice((0, 1, 1, 1, 1, 1, 2, 2, 3)), len(near))))
        depends = (generator.choice(versions[:position]),) if position and generator.random() < 0.2 else ()
        revisions.append(
            Revision(version=version, down_revisions=down, depends_on=tuple(dependency for dependency in depends if dependency not in down))
        )
    generator.shuffle(revisions)
    return revisions


def alembic_order(revisions: list[Revision]) -> list[str]:
    """Returns the versions in the order of `alembic upgrade heads`."""
    revision_map = RevisionMap(
        lambda: [
            AlembicRevision(revision.version, revision.down_revisions or None, revision.depends_on or None, revision.branch_labels)
            for revision in revisions
        ]
    )
    upgraded = revision_map.iterate_revisions("heads", "base", inclusive=True, assert_relative_length=False)
    return [revision.revision for revision in upgraded][::-1]


def graph(*revisions: Revision) -> Graph:
    return Graph([(revision, "versions") for revision in revisions])


def ordered(graph: Graph) -> list[str]:
    return [graph.revisions[position][0].version for position in graph.in_order()]


def test_revisions_run_in_the_order_of_alembic() -> None:
    for seed in range(300):
        revisions = random_history(seed)
        assert ordered(graph(*revisions)) == alembic_order(revisions), revisions


def test_a_revision_follows_the_revision_with_the_label_that_it_depends_on() -> None:
    revisions = [
        Revision(version="1a"),
        Revision(version="2b", down_revisions=("1a",), depends_on=("billing",)),
        Revision(version="3c", down_revisions=("1a",), branch_labels=("billing",)),
        Revision(version="4d", down_revisions=("3c",)),
    ]
    assert ordered(graph(*revisions)) == alembic_order(revisions) == ["1a", "3c", "4d", "2b"]
    assert graph(*revisions).parents(1) == ("1a", "3c")


@pytest.mark.parametrize(
    ("downs", "cycles"),
    [
        ({"1a": (), "2b": ("2b",)}, {"2b": ("2b", "2b")}),
        (
            {"1a": ("3c",), "2b": ("1a",), "3c": ("2b",), "4d": ("3c",)},
            {"1a": ("1a", "3c", "2b", "1a"), "2b": ("2b", "1a", "3c", "2b"), "3c": ("3c", "2b", "1a", "3c")},
        ),
        ({"1a": ("2b",), "2b": ("1a",), "3c": ("2b",), "4d": ("3c", "5e"), "5e": ("4d",)}, {"1a", "2b", "4d", "5e"}),
    ],
    ids=["itself", "three", "two cycles"],
)
def test_cycles_are_reported_and_all_revisions_are_ordered(
    downs: dict[str, tuple[str, ...]], cycles: dict[str, tuple[str, ...]] | set[str]
) -> None:
    history = graph(*(Revision(version=version, down_revisions=down) for version, down in downs.items()))
    reported = {version: cycle for position, version in enumerate(downs) if (cycle := history.cycle(position))}
    assert (reported if isinstance(cycles, dict) else set(reported)) == cycles
    assert sorted(ordered(history)) == sorted(downs)


def test_a_duplicate_revision_is_in_the_order_twice() -> None:
    history = graph(Revision(version="2b", down_revisions=("1a",)), Revision(version="1a"), Revision(version="2b", down_revisions=("1a",)))
    assert history.in_order() == [1, 0, 2]


def test_separate_folders_may_have_a_head_each_unless_they_share_revisions() -> None:
    separate = [(Revision(version="1a"), "orders"), (Revision(version="2b"), "billing")]
    assert [Graph(separate).other_heads(position) for position in range(2)] == [[], []]
    joined = [
        *separate,
        (Revision(version="3c", down_revisions=("1a",)), "orders"),
        (Revision(version="4d", down_revisions=("1a", "2b")), "billing"),
    ]
    assert [Graph(joined).other_heads(position) for position in range(4)] == [[], [], [3], [2]]
