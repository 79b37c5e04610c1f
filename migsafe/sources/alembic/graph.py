"""The graph of revisions: their order, and what is wrong with it.

As in alembic/script/revision.py, RevisionMap: of two scripts with the same revision the later one counts (_revision_map), only `depends_on`
may name a branch label (_map_branch_labels, _add_depends_on), dependencies that an ancestor also has are ignored (_normalize_depends_on),
and an upgrade runs the revisions of _topological_sort in reverse.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from migsafe.sources.alembic.script import Revision
from migsafe.sources.lineage import MissingParent
from migsafe.text import Span

_NOWHERE = Span(0, 0)


class _Node(NamedTuple):
    """A revision; `down` and `depends` are the numbers of revisions, counted in the order in which they were found."""

    revision: Revision
    down: tuple[int, ...]
    depends: tuple[int, ...]


class Graph:
    """The revisions of a history, in the order in which Alembic finds their scripts, each with the folder of versions that contains it."""

    def __init__(self, revisions: Sequence[tuple[Revision, str]]) -> None:
        self.revisions = revisions
        self._last = {revision.version: position for position, (revision, _) in enumerate(revisions)}
        self._numbers = {version: number for number, version in enumerate(dict.fromkeys(revision.version for revision, _ in revisions))}
        self._labelled = {label: self._numbers[revision.version] for revision, _ in revisions for label in revision.branch_labels}
        self._nodes = [self._node(revisions[self._last[version]][0]) for version in self._numbers]
        self._cyclic = self._find_cyclic()

    def _node(self, revision: Revision) -> _Node:
        down = [self._numbers[version] for version in revision.down_revisions if version in self._numbers]
        depends = [number for version in revision.depends_on if (number := self._target(version)) is not None]
        return _Node(revision, tuple(down), tuple(dict.fromkeys(depends)))

    def _target(self, name: str) -> int | None:
        return self._numbers.get(name, self._labelled.get(name))

    def in_order(self) -> list[int]:
        """Returns the positions of the scripts in the order in which `alembic upgrade heads` runs them; a script that is hidden by another one
        with the same revision precedes that one."""
        positions: dict[str, list[int]] = {}
        for position, (revision, _) in enumerate(self.revisions):
            positions.setdefault(revision.version, []).append(position)
        return [position for number in self._sorted() for position in positions[self._nodes[number].revision.version]]

    def parents(self, position: int) -> tuple[str, ...]:
        """Returns the existing revisions that a script directly depends on."""
        node = self._node(self.revisions[position][0])
        return tuple(dict.fromkeys(self._nodes[number].revision.version for number in (*node.down, *node.depends)))

    def missing_parents(self, position: int) -> tuple[MissingParent, ...]:
        """Returns the revisions that a script names and that do not exist."""
        revision, _ = self.revisions[position]
        down = [
            MissingParent(version, revision.parents_span or _NOWHERE) for version in revision.down_revisions if version not in self._numbers
        ]
        return (*down, *(MissingParent(name, revision.depends_span or _NOWHERE) for name in revision.depends_on if self._target(name) is None))

    def cycle(self, position: int) -> tuple[str, ...]:
        """Returns the revisions of the shortest cycle through a script's revision, from that revision to itself; empty if there is none."""
        start = self._numbers[self.revisions[position][0].version]
        if start not in self._cyclic:
            return ()
        previous: dict[int, int] = {}
        waiting = [start]
        for number in waiting:
            for below in (*self._nodes[number].down, *self._nodes[number].depends):
                if below == start:
                    cycle = [start, number]
                    while cycle[-1] != start:
                        cycle.append(previous[cycle[-1]])
                    return tuple(self._nodes[member].revision.version for member in reversed(cycle))
                if below in self._cyclic and below not in previous:
                    previous[below] = number
                    waiting.append(below)
        return ()

    def other_heads(self, position: int) -> list[int]:
        """Returns the positions of the heads with which a script's revision, if it is a head, makes `alembic upgrade head` fail.

        Branches with different labels, and separate histories in different folders, are meant to have a head each.
        """
        number = self._numbers[self.revisions[position][0].version]
        if number not in self._heads or self._last[self.revisions[position][0].version] != position:
            return []
        labels, lines, folder = self._branch(number)
        heads = []
        for head in self._heads:
            its_labels, its_lines, its_folder = self._branch(head)
            if head != number and labels == its_labels and (folder == its_folder or not lines.isdisjoint(its_lines)):
                heads.append(self._last[self._nodes[head].revision.version])
        return heads

    @cached_property
    def _heads(self) -> list[int]:
        """The revisions that are not the `down_revision` of another one; `depends_on` does not count."""
        followed = {below for node in self._nodes for below in node.down}
        return [number for number in range(len(self._nodes)) if number not in followed]

    def _branch(self, head: int) -> tuple[frozenset[str], frozenset[int], str]:
        """Returns the labels of a head's branch, the revisions on it, and the folder that contains the head."""
        lines = self._lines(head)
        labels = frozenset(label for number in lines for label in self._nodes[number].revision.branch_labels)
        return labels, lines, self.revisions[self._last[self._nodes[head].revision.version]][1]

    def _lines(self, number: int) -> frozenset[int]:
        """Returns a revision and all that it follows, without those of `depends_on`."""
        return frozenset(_reached(number, [node.down for node in self._nodes]))

    def _find_cyclic(self) -> set[int]:
        """Returns the revisions in cycles, and those between two cycles: those that remain after removing ends until there are none."""
        remaining = set(range(len(self._nodes)))
        below = {number: {*node.down, *node.depends} for number, node in enumerate(self._nodes)}
        for _ in range(2):
            above: dict[int, list[int]] = {}
            for number in remaining:
                for neighbour in below[number]:
                    above.setdefault(neighbour, []).append(number)
            ends = [number for number in remaining if not below[number]]
            for number in ends:
                remaining.discard(number)
                for neighbour in above.get(number, ()):
                    below[neighbour].discard(number)
                    if not below[neighbour]:
                        ends.append(neighbour)
            # Then the same from the other end.
            below = {number: {neighbour for neighbour in above.get(number, ()) if neighbour in remaining} for number in remaining}
        return remaining

    def _parents(self, number: int) -> list[int]:
        """Returns the direct parents of a revision, in the order in which Alembic visits them, without those in the same cycle."""
        node = self._nodes[number]
        inherited = (
            {dependency for revision in self._lines(number) - {number} for dependency in self._nodes[revision].depends}
            if node.depends
            else set()
        )
        parents = dict.fromkeys((*node.down, *(dependency for dependency in node.depends if dependency not in inherited)))
        return [revision for revision in parents if not (number in self._cyclic and revision in self._cyclic)]

    def _sorted(self) -> list[int]:
        """Returns the revisions from base to heads.

        Alembic starts at the heads and follows one line down as long as the next revision has no unvisited successor; otherwise it changes to
        the first line that leads to that revision.
        """
        parents = [self._parents(number) for number in range(len(self._nodes))]
        above = [0] * len(parents)
        for number in (number for below in parents for number in below):
            above[number] += 1
        lines = [number for number, count in enumerate(above) if not count]
        downwards: list[int] = []
        current = 0
        while lines:
            number = lines[current]
            if above[number]:
                current = next(index for index, line in enumerate(lines) if index != current and number in _reached(line, parents))
                continue
            downwards.append(number)
            for below in parents[number]:
                above[below] -= 1
            new = [below for below in parents[number] if below not in lines]
            if new:
                lines[current] = new[0]
                lines += new[1:]
            else:
                del lines[current]
                current = max(current - 1, 0)
        return downwards[::-1]


def _reached(start: int, edges: Sequence[Iterable[int]]) -> set[int]:
    """Returns all numbers that edges lead to from a number, with itself."""
    seen = {start}
    waiting = [start]
    while waiting:
        new = [target for target in edges[waiting.pop()] if target not in seen]
        seen.update(new)
        waiting += new
    return seen
