"""The simulation of a second run of a migration, after its first run stopped between two of its transactions.

The committed transactions of the first run stay. For each transaction after which the first run may stop, the simulation takes the objects
that exist at that point and runs the statements up to it again: which of them does PostgreSQL refuse, and which repeat their work? Only
objects that the migration itself uses are known. This is enough: the first run succeeded up to there, so the objects that it needed existed.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from migsafe.linting.reruns.object_use import Action, ObjectUse, Outcome, Path, is_below

_CHANGING = frozenset((Action.CREATES, Action.DROPS, Action.RENAMES))
_REMOVING = frozenset((Action.DROPS, Action.RENAMES, Action.EMPTIES))


class ExecutedOperation(NamedTuple):
    """An operation that has run: its place in the migration, the number of its transaction, and its uses of objects. `only_once`: a second run
    leaves it out."""

    place: int
    transaction: int
    uses: tuple[ObjectUse, ...]
    only_once: bool = False


class SecondRunProblem(NamedTuple):
    """An operation that fails or repeats its work in a second run: its place, and the reason as a sentence.

    `dropped_by` is the place of the later operation that drops or renames an object that this one needs, if this is the reason.
    """

    place: int
    outcome: Outcome
    reason: str
    dropped_by: int | None = None


def second_run_problems(executed: Sequence[ExecutedOperation], last_transaction: int, *, only_causes: bool = True) -> list[SecondRunProblem]:
    """Returns the operations that fail or repeat their work in a second run, by place.

    The first run may stop after any transaction before `last_transaction`. With `only_causes`, an operation that fails because a later one
    drops an object is left out if the later operation cannot run again itself.
    """
    problems: dict[int, SecondRunProblem] = {}
    for cluster in _clusters([operation for operation in executed if operation.transaction < last_transaction]):
        state, begin = _State(), 0
        for end in _ends(cluster):
            for operation in cluster[begin:end]:
                state.run(operation, first=True)
            begin = end
            after = state.copy()
            for operation in cluster[:end]:
                again = after.run(operation, first=False)
                if again is not None and (operation.place not in problems or problems[operation.place].dropped_by is not None):
                    problems[operation.place] = again
    return [problems[place] for place in sorted(problems) if not only_causes or problems[place].dropped_by not in problems]


def _ends(cluster: Sequence[ExecutedOperation]) -> list[int]:
    """Returns the numbers of operations after which a first run may stop, without those that make no difference to the existing objects."""
    numbers = [operation.transaction for operation in cluster]
    starts = [place for place in range(1, len(cluster)) if numbers[place] != numbers[place - 1]]
    changing = {operation.transaction for operation in cluster if any(use.action in _CHANGING for use in operation.uses)}
    useful = [start for start in starts if numbers[start] in changing or numbers[start - 1] in changing]
    return [*useful, len(cluster)]


def _clusters(first: list[ExecutedOperation]) -> list[list[ExecutedOperation]]:
    """Returns the operations grouped by independent objects. An object and its parts are in one group if the migration drops or empties it.

    An operation that uses several objects is in several groups.
    """
    operations = _with_columns(first)
    uses_of_object = [use for operation in operations for use in operation.uses]
    # The parts of a table that is never dropped, renamed or emptied are independent of each other.
    wholes = {
        path for use in uses_of_object if use.action in _REMOVING for path in (use.path, use.new_path) if path is not None and len(path) == 2
    }
    schemas = {use.path for use in uses_of_object if use.action in _REMOVING and len(use.path) == 1}
    roots = _Roots()
    for use in uses_of_object:
        for path in (use.path, use.table, use.new_path):
            if path is not None:
                for above in (path[:2], path[:1]):
                    if above in wholes or above in schemas:
                        roots.join(path[:3], above)
        for path in (use.table, use.new_path):
            if path is not None and (path is use.new_path or path[:2] in wholes):
                roots.join(use.path[:3], path[:3])
    clusters: dict[Path, dict[int, list[ObjectUse]]] = {}
    for operation in operations:
        for use in operation.uses:
            clusters.setdefault(roots.root(use.path[:3]), {}).setdefault(operation.place, []).append(use)
    by_place = {operation.place: operation for operation in operations}
    return [
        [by_place[place]._replace(uses=tuple(uses_of_object)) for place, uses_of_object in sorted(members.items())]
        for members in clusters.values()
    ]


def _with_columns(first: list[ExecutedOperation]) -> list[ExecutedOperation]:
    """Returns the operations, each with a use of every column that the migration drops or renames and that its SQL names."""
    dropped_columns = {
        use.path: use
        for operation in first
        for use in operation.uses
        if len(use.path) == 3 and use.path[2].startswith("column ") and use.action in (Action.DROPS, Action.RENAMES)
    }
    if not dropped_columns:
        return first
    operations = []
    for operation in first:
        column_uses = [
            ObjectUse(action=Action.REQUIRES, path=path, label=column.label, error="undefined_column")
            for use in operation.uses
            if use.sql
            for path, column in dropped_columns.items()
            if path[:2] == use.path and _names(use.sql, path[2].removeprefix("column "))
        ]
        operations.append(operation._replace(uses=(*operation.uses, *column_uses)))
    return operations


def _names(words: str, column: str) -> bool:
    """Whether SQL contains a name as a whole word."""
    start = words.lower().find(column.lower())
    while start >= 0:
        around = words[max(start - 1, 0) : start] + words[start + len(column) : start + len(column) + 1]
        if not any(letter.isalnum() or letter in "_'" for letter in around):
            return True
        start = words.lower().find(column.lower(), start + 1)
    return False


class _Roots:
    """A union-find structure of the objects that belong to one group."""

    def __init__(self) -> None:
        self._above: dict[Path, Path] = {}

    def root(self, path: Path) -> Path:
        while path in self._above:
            path = self._above[path]
        return path

    def join(self, first: Path, second: Path) -> None:
        if self.root(first) != self.root(second):
            self._above[self.root(first)] = self.root(second)


class _State:
    """Which objects are known to exist or not to exist; `fresh` are those that this run created or emptied."""

    def __init__(self) -> None:
        self.exists: dict[Path, bool] = {}
        self.owners: dict[Path, Path] = {}
        self.droppers: dict[Path, int] = {}
        self.fresh: set[Path] = set()
        self.depth = 0

    def copy(self) -> "_State":
        """Returns a copy for the beginning of the next run."""
        state = _State()
        state.exists, state.owners, state.droppers, state.depth = dict(self.exists), dict(self.owners), self.droppers, self.depth
        return state

    def run(self, operation: ExecutedOperation, *, first: bool) -> SecondRunProblem | None:
        """Applies an operation, and returns its problem if it fails or repeats its work in a second run."""
        if operation.only_once and not first:
            return None
        for use in operation.uses:
            if use.only_with is not None and self.exists.get(use.only_with) is False:
                continue
            why = self._refusal(use)
            if why is not None:
                lenient = use.lenient and (use.guarded or self._is_lenient(use))
                if not first and not lenient:
                    dropper = self.droppers.get(use.path)
                    later = dropper is not None and dropper > operation.place
                    return SecondRunProblem(operation.place, Outcome.FAILS, why, dropper if later else None)
                if lenient:
                    continue
            if use.action is Action.REPEATS and not first and not self._is_fresh(use.path):
                return SecondRunProblem(operation.place, use.outcome, use.reason)
            if use.action in (Action.DROPS, Action.RENAMES) and first:
                self.droppers |= dict.fromkeys((use.path, *(below for below in self.exists if is_below(below, use.path))), operation.place)
            self._apply(use, first=first)
        return None

    def _is_lenient(self, use: ObjectUse) -> bool:
        """Whether IF EXISTS or IF NOT EXISTS helps: not if the new name exists, or if the schema does not."""
        if use.action is Action.RENAMES:
            return self.exists.get(use.path) is False
        return use.action is not Action.CREATES or bool(self.exists.get(use.path))

    def _refusal(self, use: ObjectUse) -> str | None:
        exists = self.exists.get(use.path)
        match use.action:
            case Action.CREATES if exists:
                return f"{use.label} already exists"
            case Action.CREATES if len(use.path) > 1 and self.exists.get(use.path[:1]) is False:
                return f"the schema of {use.label} no longer exists"
            case Action.DROPS | Action.REQUIRES if exists is False:
                return f"{use.label} no longer exists"
            case Action.RENAMES if exists is False:
                return f"{use.label} no longer exists under that name: it was renamed"
            case Action.RENAMES if use.new_path is not None and self.exists.get(use.new_path):
                return f"another object already has the new name of {use.label}"
        return None

    def _apply(self, use: ObjectUse, *, first: bool) -> None:
        match use.action:
            case Action.CREATES:
                # With IF NOT EXISTS the object may have existed before, with other parts.
                surely = not (first and use.lenient and use.path not in self.exists)
                self._create(use, surely=surely)
            case Action.DROPS:
                self._drop(use.path)
            case Action.RENAMES if use.new_path is not None:
                self._move(use.path, use.new_path)
            case Action.EMPTIES:
                self.fresh.add(use.path)

    def _create(self, use: ObjectUse, *, surely: bool) -> None:
        if len(use.path) < self.depth:
            for path in [path for path in self.exists if path != use.path and is_below(path, use.path)]:
                del self.exists[path]
        self._record((use.path, *(use.parts if surely else ())), exists=True)
        if surely:
            self.fresh.add(use.path)
        if use.table is not None:
            self.owners[use.path] = use.table

    def _drop(self, path: Path) -> None:
        dropped = {path, *(below for below in self.exists if is_below(below, path))} if len(path) < self.depth else {path}
        dropped |= {owned for owned, owner in self.owners.items() if is_below(owner, path)}
        self._record(dropped, exists=False)
        self.fresh -= dropped

    def _move(self, path: Path, to: Path) -> None:
        moved = {below: exists for below, exists in self.exists.items() if is_below(below, path)}
        self.exists |= {(*to, *below[len(path) :]): exists for below, exists in moved.items()}
        self._record((path, *moved), exists=False)
        self._record((to,), exists=True)
        self.owners |= {owned: (*to, *owner[len(path) :]) for owned, owner in self.owners.items() if is_below(owner, path)}
        if path in self.owners:
            self.owners[to] = self.owners.pop(path)

    def _record(self, paths: Collection[Path], *, exists: bool) -> None:
        self.exists |= dict.fromkeys(paths, exists)
        self.depth = max(self.depth, *map(len, paths))

    def _is_fresh(self, path: Path) -> bool:
        return any(path[:length] in self.fresh for length in range(1, len(path) + 1))
