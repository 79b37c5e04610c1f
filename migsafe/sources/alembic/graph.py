"""The graph that revisions make: what comes before what, and where it is broken.

Followed is alembic/script/revision.py, RevisionMap: of two scripts with one revision the later one counts (_revision_map), only `depends_on`
may name a branch label (_map_branch_labels, _add_depends_on), dependencies that an ancestor has too say nothing new (_normalize_depends_on),
and an upgrade runs what _topological_sort gives, backwards.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from migsafe.sources.alembic.script import Revision
from migsafe.sources.lineage import MissingParent
from migsafe.text import Span

_NOWHERE = Span(0, 0)


class _Node(NamedTuple):
    """A revision by its number, which counts them in the order in which they were found."""

    revision: Revision
    down: tuple[int, ...]
    depends: tuple[int, ...]


class Graph:
    """Revisions, in the order in which Alembic finds their scripts, each with the folder of versions in which it stands."""

    def __init__(self, found: Sequence[tuple[Revision, str]]) -> None:
        self.found = found
        self._last = {revision.version: place for place, (revision, _) in enumerate(found)}
        self._numbers = {version: number for number, version in enumerate(dict.fromkeys(revision.version for revision, _ in found))}
        self._labelled = {label: self._numbers[revision.version] for revision, _ in found for label in revision.branch_labels}
        self._nodes = [self._node(found[self._last[version]][0]) for version in self._numbers]
        self._looping = self._in_circles()

    def _node(self, revision: Revision) -> _Node:
        down = [self._numbers[version] for version in revision.down_revisions if version in self._numbers]
        depends = [number for version in revision.depends_on if (number := self._target(version)) is not None]
        return _Node(revision, tuple(down), tuple(dict.fromkeys(depends)))

    def _target(self, name: str) -> int | None:
        return self._numbers.get(name, self._labelled.get(name))

    def in_order(self) -> list[int]:
        """The places of the scripts in the order in which `alembic upgrade heads` runs them; a script that another one with the same revision
        hides stands before that one."""
        places: dict[str, list[int]] = {}
        for place, (revision, _) in enumerate(self.found):
            places.setdefault(revision.version, []).append(place)
        return [place for number in self._sorted() for place in places[self._nodes[number].revision.version]]

    def parents(self, place: int) -> tuple[str, ...]:
        """The revisions that a script comes right after, as far as there are any."""
        node = self._node(self.found[place][0])
        return tuple(dict.fromkeys(self._nodes[number].revision.version for number in (*node.down, *node.depends)))

    def missing_parents(self, place: int) -> tuple[MissingParent, ...]:
        """The revisions that a script names and that there are not."""
        revision, _ = self.found[place]
        down = [
            MissingParent(version, revision.parents_span or _NOWHERE) for version in revision.down_revisions if version not in self._numbers
        ]
        return (*down, *(MissingParent(name, revision.depends_span or _NOWHERE) for name in revision.depends_on if self._target(name) is None))

    def cycle(self, place: int) -> tuple[str, ...]:
        """The revisions on the shortest way down from a script's back to itself; nothing where there is none."""
        start = self._numbers[self.found[place][0].version]
        if start not in self._looping:
            return ()
        came: dict[int, int] = {}
        waiting = [start]
        for number in waiting:
            for below in (*self._nodes[number].down, *self._nodes[number].depends):
                if below == start:
                    way = [start, number]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return tuple(self._nodes[one].revision.version for one in reversed(way))
                if below in self._looping and below not in came:
                    came[below] = number
                    waiting.append(below)
        return ()

    def other_heads(self, place: int) -> list[int]:
        """The places of the heads that stop `alembic upgrade head` together with a script's, if that is one itself.

        Branches that labels tell apart are meant to have a head each, and so are histories in folders of their own.
        """
        number = self._numbers[self.found[place][0].version]
        if number not in self._heads or self._last[self.found[place][0].version] != place:
            return []
        labels, lines, folder = self._branch(number)
        others = []
        for other in self._heads:
            its_labels, its_lines, its_folder = self._branch(other)
            if other != number and labels == its_labels and (folder == its_folder or not lines.isdisjoint(its_lines)):
                others.append(self._last[self._nodes[other].revision.version])
        return others

    @cached_property
    def _heads(self) -> list[int]:
        """The revisions that none comes after; being depended on does not count."""
        followed = {below for node in self._nodes for below in node.down}
        return [number for number in range(len(self._nodes)) if number not in followed]

    def _branch(self, head: int) -> tuple[frozenset[str], frozenset[int], str]:
        """The labels of a head's branch, the revisions on it, and the folder in which the head stands."""
        lines = self._lines(head)
        labels = frozenset(label for number in lines for label in self._nodes[number].revision.branch_labels)
        return labels, lines, self.found[self._last[self._nodes[head].revision.version]][1]

    def _lines(self, number: int) -> frozenset[int]:
        """A revision and those that it comes after, but for dependencies."""
        return frozenset(_reached(number, [node.down for node in self._nodes]))

    def _in_circles(self) -> set[int]:
        """The revisions in circles, and those between two of them: what is left when ends are taken off as long as there are any."""
        left = set(range(len(self._nodes)))
        below = {number: {*node.down, *node.depends} for number, node in enumerate(self._nodes)}
        for _ in range(2):
            above: dict[int, list[int]] = {}
            for number in left:
                for other in below[number]:
                    above.setdefault(other, []).append(number)
            ends = [number for number in left if not below[number]]
            for number in ends:
                left.discard(number)
                for other in above.get(number, ()):
                    below[other].discard(number)
                    if not below[other]:
                        ends.append(other)
            # The same once more from the other side.
            below = {number: {other for other in above.get(number, ()) if other in left} for number in left}
        return left

    def _parents(self, number: int) -> list[int]:
        """What a revision comes right after, in the order in which Alembic goes down from it, but for the ways round a circle."""
        node = self._nodes[number]
        known = {other for one in self._lines(number) - {number} for other in self._nodes[one].depends} if node.depends else set()
        parents = dict.fromkeys((*node.down, *(other for other in node.depends if other not in known)))
        return [one for one in parents if not (number in self._looping and one in self._looping)]

    def _sorted(self) -> list[int]:
        """The revisions from base to heads.

        Alembic goes down from the heads, along one line as long as nothing above is left that comes after what is next; else it changes to
        the first line that leads down to it.
        """
        parents = [self._parents(number) for number in range(len(self._nodes))]
        above = [0] * len(parents)
        for number in (number for below in parents for number in below):
            above[number] += 1
        lines = [number for number, count in enumerate(above) if not count]
        downwards: list[int] = []
        at = 0
        while lines:
            number = lines[at]
            if above[number]:
                at = next(place for place, other in enumerate(lines) if place != at and number in _reached(other, parents))
                continue
            downwards.append(number)
            for below in parents[number]:
                above[below] -= 1
            new = [below for below in parents[number] if below not in lines]
            if new:
                lines[at] = new[0]
                lines += new[1:]
            else:
                del lines[at]
                at = max(at - 1, 0)
        return downwards[::-1]


def _reached(start: int, edges: Sequence[Iterable[int]]) -> set[int]:
    """All that edges lead to from a number, itself included."""
    seen = {start}
    waiting = [start]
    while waiting:
        new = [other for other in edges[waiting.pop()] if other not in seen]
        seen.update(new)
        waiting += new
    return seen
