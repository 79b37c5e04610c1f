"""Running a migration again in mind, on what its first run left when it stopped between two of its transactions.

What a first run has committed stays. So for each place where it may stop the objects are taken as they are then, and the statements up to
there run once more: which of them would PostgreSQL refuse, and which do their work twice? Only what the migration itself does is known, and no
more is needed: that the first run came so far says what was there before it.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from migsafe.linting.reruns.object_use import Action, ObjectUse, Outcome, Path, is_below

_CHANGING = frozenset((Action.CREATES, Action.DROPS, Action.RENAMES))
_TAKING = frozenset((Action.DROPS, Action.RENAMES, Action.EMPTIES))


class ExecutedOperation(NamedTuple):
    """An operation that has run: its place in the migration, the transaction (a number) that holds it, and what it does."""

    place: int
    transaction: int
    uses: tuple[ObjectUse, ...]


class SecondRunProblem(NamedTuple):
    """What becomes of an operation in a second run: of which one by its place, and why, as a sentence. `taker` is the place of the later
    one that takes away what it needs, if that is why."""

    place: int
    outcome: Outcome
    reason: str
    dropped_by: int | None = None


def second_run_problems(executed: Sequence[ExecutedOperation], last_transaction: int, *, only_causes: bool = True) -> list[SecondRunProblem]:
    """What cannot run again, or does its work twice, if a first run stops after any of its transactions before the `last` one; by place.

    Where only `causes` are asked for, what misses something that a later operation takes away is left out if that one cannot run again
    itself.
    """
    problems: dict[int, SecondRunProblem] = {}
    for cluster in _clusters([one for one in executed if one.transaction < last_transaction]):
        state, begin = _State(), 0
        for end in _ends(cluster):
            for ran in cluster[begin:end]:
                state.run(ran, first=True)
            begin = end
            after = state.copy()
            for ran in cluster[:end]:
                again = after.run(ran, first=False)
                if again is not None and (ran.place not in problems or problems[ran.place].dropped_by is not None):
                    problems[ran.place] = again
    return [problems[place] for place in sorted(problems) if not only_causes or problems[place].dropped_by not in problems]


def _ends(cluster: Sequence[ExecutedOperation]) -> list[int]:
    """After how many operations a first run may stop, so that what is there differs."""
    numbers = [ran.transaction for ran in cluster]
    starts = [place for place in range(1, len(cluster)) if numbers[place] != numbers[place - 1]]
    changing = {ran.transaction for ran in cluster if any(touch.action in _CHANGING for touch in ran.uses)}
    useful = [start for start in starts if numbers[start] in changing or numbers[start - 1] in changing]
    return [*useful, len(cluster)]


def _clusters(first: list[ExecutedOperation]) -> list[list[ExecutedOperation]]:
    """The operations parted by the objects that they are about: what happens to one says nothing of another, unless that stands on it and
    goes with it. An operation about several is in each."""
    ran = _with_columns(first)
    touches = [touch for one in ran for touch in one.uses]
    # Where nothing takes a table away or empties it, what stands on it goes its own way.
    wholes = {
        path for touch in touches if touch.action in _TAKING for path in (touch.path, touch.new_path) if path is not None and len(path) == 2
    }
    schemas = {touch.path for touch in touches if touch.action in _TAKING and len(touch.path) == 1}
    roots = _Roots()
    for touch in touches:
        for path in (touch.path, touch.table, touch.new_path):
            if path is not None:
                for above in (path[:2], path[:1]):
                    if above in wholes or above in schemas:
                        roots.join(path[:3], above)
        for other in (touch.table, touch.new_path):
            if other is not None and (other is touch.new_path or other[:2] in wholes):
                roots.join(touch.path[:3], other[:3])
    clusters: dict[Path, dict[int, list[ObjectUse]]] = {}
    for one in ran:
        for touch in one.uses:
            clusters.setdefault(roots.root(touch.path[:3]), {}).setdefault(one.place, []).append(touch)
    by_place = {one.place: one for one in ran}
    return [[by_place[place]._replace(uses=tuple(touches)) for place, touches in sorted(members.items())] for members in clusters.values()]


def _with_columns(first: list[ExecutedOperation]) -> list[ExecutedOperation]:
    """The same, where SQL that names a column which the migration takes away needs that column."""
    taken = {
        touch.path: touch
        for one in first
        for touch in one.uses
        if len(touch.path) == 3 and touch.path[2].startswith("column ") and touch.action in (Action.DROPS, Action.RENAMES)
    }
    if not taken:
        return first
    found = []
    for one in first:
        more = [
            ObjectUse(action=Action.REQUIRES, path=path, label=column.label, error="undefined_column")
            for touch in one.uses
            if touch.sql
            for path, column in taken.items()
            if path[:2] == touch.path and _names(touch.sql, path[2].removeprefix("column "))
        ]
        found.append(one._replace(uses=(*one.uses, *more)))
    return found


def _names(words: str, column: str) -> bool:
    """Whether SQL has a name in it, as a word."""
    start = words.lower().find(column.lower())
    while start >= 0:
        around = words[max(start - 1, 0) : start] + words[start + len(column) : start + len(column) + 1]
        if not any(letter.isalnum() or letter in "_'" for letter in around):
            return True
        start = words.lower().find(column.lower(), start + 1)
    return False


class _Roots:
    """Which objects belong together."""

    def __init__(self) -> None:
        self._above: dict[Path, Path] = {}

    def root(self, path: Path) -> Path:
        while path in self._above:
            path = self._above[path]
        return path

    def join(self, one: Path, other: Path) -> None:
        if self.root(one) != self.root(other):
            self._above[self.root(one)] = self.root(other)


class _State:
    """Which objects are there, as far as it is known; `fresh` are those that this run has made anew or emptied."""

    def __init__(self) -> None:
        self.there: dict[Path, bool] = {}
        self.owners: dict[Path, Path] = {}
        self.takers: dict[Path, int] = {}
        self.fresh: set[Path] = set()
        self.depth = 0

    def copy(self) -> "_State":
        """The same, at the beginning of another run."""
        other = _State()
        other.there, other.owners, other.takers, other.depth = dict(self.there), dict(self.owners), self.takers, self.depth
        return other

    def run(self, ran: ExecutedOperation, *, first: bool) -> SecondRunProblem | None:
        """Let an operation do what it does; what becomes of it where that is not the same as in a first run."""
        for touch in ran.uses:
            why = self._refusal(touch)
            if why is not None:
                lenient = touch.lenient and (touch.guarded or self._is_lenient(touch))
                if not first and not lenient:
                    taker = self.takers.get(touch.path)
                    later = taker is not None and taker > ran.place
                    return SecondRunProblem(ran.place, Outcome.FAILS, why, taker if later else None)
                if lenient:
                    continue
            if touch.action is Action.REPEATS and not first and not self._is_fresh(touch.path):
                return SecondRunProblem(ran.place, touch.outcome, touch.reason)
            if touch.action in (Action.DROPS, Action.RENAMES) and first:
                self.takers |= dict.fromkeys((touch.path, *(one for one in self.there if is_below(one, touch.path))), ran.place)
            self._do(touch, first=first)
        return None

    def _is_lenient(self, touch: ObjectUse) -> bool:
        """Whether IF EXISTS and IF NOT EXISTS help: not where a new name is taken, or a schema is gone."""
        if touch.action is Action.RENAMES:
            return self.there.get(touch.path) is False
        return touch.action is not Action.CREATES or bool(self.there.get(touch.path))

    def _refusal(self, touch: ObjectUse) -> str | None:
        there = self.there.get(touch.path)
        match touch.action:
            case Action.CREATES if there:
                return f"{touch.label} already exists"
            case Action.CREATES if len(touch.path) > 1 and self.there.get(touch.path[:1]) is False:
                return f"the schema of {touch.label} no longer exists"
            case Action.DROPS | Action.REQUIRES if there is False:
                return f"{touch.label} no longer exists"
            case Action.RENAMES if there is False:
                return f"{touch.label} no longer exists under that name: it was renamed"
            case Action.RENAMES if touch.new_path is not None and self.there.get(touch.new_path):
                return f"the new name of {touch.label} is taken"
        return None

    def _do(self, touch: ObjectUse, *, first: bool) -> None:
        match touch.action:
            case Action.CREATES:
                # IF NOT EXISTS may find what was there before, with other parts.
                surely = not (first and touch.lenient and touch.path not in self.there)
                self._make(touch, surely=surely)
            case Action.DROPS:
                self._take(touch.path)
            case Action.RENAMES if touch.new_path is not None:
                self._move(touch.path, touch.new_path)
            case Action.EMPTIES:
                self.fresh.add(touch.path)

    def _make(self, touch: ObjectUse, *, surely: bool) -> None:
        if len(touch.path) < self.depth:
            for path in [path for path in self.there if path != touch.path and is_below(path, touch.path)]:
                del self.there[path]
        self._note((touch.path, *(touch.parts if surely else ())), there=True)
        if surely:
            self.fresh.add(touch.path)
        if touch.table is not None:
            self.owners[touch.path] = touch.table

    def _take(self, path: Path) -> None:
        gone = {path, *(one for one in self.there if is_below(one, path))} if len(path) < self.depth else {path}
        gone |= {one for one, owner in self.owners.items() if is_below(owner, path)}
        self._note(gone, there=False)
        self.fresh -= gone

    def _move(self, path: Path, to: Path) -> None:
        moved = {one: there for one, there in self.there.items() if is_below(one, path)}
        self.there |= {(*to, *one[len(path) :]): there for one, there in moved.items()}
        self._note((path, *moved), there=False)
        self._note((to,), there=True)
        self.owners |= {one: (*to, *owner[len(path) :]) for one, owner in self.owners.items() if is_below(owner, path)}
        if path in self.owners:
            self.owners[to] = self.owners.pop(path)

    def _note(self, paths: Collection[Path], *, there: bool) -> None:
        self.there |= dict.fromkeys(paths, there)
        self.depth = max(self.depth, *map(len, paths))

    def _is_fresh(self, path: Path) -> bool:
        return any(path[:length] in self.fresh for length in range(1, len(path) + 1))
