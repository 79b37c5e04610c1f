"""Checkpoints: the state of a run after a migration, from which a later run continues if its history begins with the same migrations."""

import marshal
import os
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from migsafe.cache.pickling import pickled, unpickled
from migsafe.cache.store import Store
from migsafe.cache.watch import Watch
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Rule
from migsafe.prediction.history import Steps
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.worker_environment import worker_environment
from migsafe.text import Script

_WORTH = 20_000
"""How many characters of SQL there must be between two checkpoints to make the second one worth storing."""

_BEFORE_END = (1, 8)
"""How many migrations before the end checkpoints are stored: the last migration is edited often, and a branch adds a few."""

_TRIED = 3
"""How many stored checkpoints are tried, the last one first."""


class Checkpoints:
    """The checkpoints of one run.

    `rules_begin` is the watch's position before the `rules` were loaded, `start` everything that the findings depend on except migrations and
    code, `state` the findings so far.
    """

    def __init__(self, store: Store, watch: Watch, rules_begin: int, start: object, rules: Iterable[Rule], state: JudgingState) -> None:
        self._store = store
        self._watch = watch
        self._rules_begin = rules_begin
        self._start = start
        self._rules = {rule.name: rule for rule in rules}
        self._state = state
        self._digests: list[str] = []
        self._sizes: list[int] = []
        self._wanted: set[int] = set()
        self._scripts: set[str] = set()
        self._made: dict[str, bytes] = {}
        self._last = 0

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """Returns how many steps can be skipped and the predictor after them, and restores the findings of these steps to `state`."""
        try:
            self._read(steps)
        except (TypeError, UnicodeEncodeError):  # a path that is not valid text, or a migration that cannot be encoded
            return 0, None
        with self._watch.paused():
            names = self._store.names()
            found = [number for number in range(len(steps), 0, -1) if _name(self._digests[number]) in names]
            self._wanted -= set(found)
            for number in found[:_TRIED]:
                predictor = self._loaded(_name(self._digests[number]))
                if predictor is not None:
                    self._last = number
                    return number, predictor
        return 0, None

    def wants(self, number: int) -> bool:
        """Whether a checkpoint is wanted after a number of steps."""
        return number in self._wanted and sum(self._sizes[self._last : number]) >= _WORTH

    def save_progress(self, number: int, predictor: Predictor) -> None:
        """Make a checkpoint after a number of steps, if one is wanted there."""
        if not self.wants(number):
            return
        data = pickled((predictor, self._state))
        if data is not None:
            self._made[_name(self._digests[number])] = data
            self._last = number

    def keep(self) -> None:
        """Store the checkpoints that were made, if possible. To be called after the watch."""
        trace = self._watch.trace(self._rules_begin, self._scripts) if self._made else None
        if trace is not None:
            for name, data in self._made.items():
                self._store.write(name, marshal.dumps((trace, data)))

    def _read(self, steps: Steps) -> None:
        """Compute the digest of the steps up to each step, and decide where checkpoints are wanted."""
        self._digests = [*digests(steps, self._start)]
        for _, step in steps:
            migration = step.migration
            self._sizes.append(len(migration.up.file.text))
            self._scripts.update(half.file.path for half in (migration.up, migration.down) if half is not None)
        first_judged = next((number for number, (_, step) in enumerate(steps) if step.selected), 0)
        self._wanted = {number for number in (first_judged, *(len(steps) - behind for behind in _BEFORE_END)) if number > 0}

    def _loaded(self, name: str) -> Predictor | None:
        data = self._store.read(name)
        if data is None:
            return None
        try:
            trace, data = marshal.loads(data)  # noqa: S302  # only the user can write to the folder
            if not self._watch.confirms(trace):
                return None
            predictor, state = unpickled(data, self._rules)
        except Exception:  # whatever is wrong with the entry, the run does not need it
            return None
        self._state.copy_from(state)
        assert isinstance(predictor, Predictor)
        return predictor


def digests(steps: Steps, start: object) -> Iterator[str]:
    """Yields the digest of `start` and of the steps up to each step, first of none. Raises TypeError or UnicodeEncodeError if a path is not
    valid text, or a migration cannot be encoded."""
    encoder = msgspec.msgpack.Encoder(enc_hook=_Texts().digest, order="sorted")
    running = blake2b(encoder.encode((sys.version, os.getcwd(), sorted(worker_environment().items()), start)), digest_size=16)
    yield running.hexdigest()
    for source, step in steps:
        lineage = source.lineages.get(step.migration.up.file.path) if step.selected else None
        running.update(encoder.encode((source.path, source.runner.name, *step, lineage)))
        yield running.hexdigest()


class _Texts:
    """The digests of scripts. One script may contain hundreds of migrations, and is hashed once."""

    def __init__(self) -> None:
        self._digests: dict[Script, tuple[str, bytes]] = {}

    def digest(self, thing: object) -> tuple[str, bytes]:
        """Returns what replaces a script in an encoding. Raises TypeError for any other type."""
        if not isinstance(thing, Script):
            raise TypeError(type(thing))
        if thing not in self._digests:
            self._digests[thing] = (thing.path, blake2b(thing.text.encode(errors="surrogatepass"), digest_size=16).digest())
        return self._digests[thing]


def _name(digest: str) -> str:
    return f"checkpoint-{digest}"
