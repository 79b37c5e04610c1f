"""Going on from where an earlier run had come to, in a history that begins alike."""

import gc
import io
import marshal
import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copyreg import dispatch_table
from hashlib import blake2b
from types import FrameType
from typing import Any

import msgspec

from migsafe.cache.store import Store
from migsafe.cache.watch import Watch
from migsafe.linting.judge import JudgingState
from migsafe.linting.rule import Rule
from migsafe.prediction.history import Steps
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.worker_environment import worker_environment
from migsafe.text import Script

_WORTH = 20_000
"""How many characters of SQL must have been read since the last checkpoint for another one to be worth its keeping."""

_BEHIND = (1, 8)
"""How many migrations before the end checkpoints stand: the last one is edited again and again, a branch has a handful."""

_TRIED = 3
_DEEPEST = 1000
"""How many calls pickling may nest: each takes some of the C stack."""


class Checkpoints:
    """The checkpoints of one run: `so_far` is what it has found, `start` all but migrations and code that this depends on, `place` how much
    the run had looked at before it loaded its `rules`."""

    def __init__(self, store: Store, watch: Watch, place: int, start: object, rules: Iterable[Rule], so_far: JudgingState) -> None:
        self._store = store
        self._watch = watch
        self._place = place
        self._start = start
        self._rules = {rule.name: rule for rule in rules}
        self._so_far = so_far
        self._digests: list[str] = []
        self._sizes: list[int] = []
        self._wanted: set[int] = set()
        self._scripts: set[str] = set()
        self._made: dict[str, bytes] = {}
        self._last = 0

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """How many of the steps need not be taken, and the database after them; what was found in them is in `so_far` then."""
        try:
            self._read(steps)
        except (TypeError, UnicodeEncodeError):  # a path that is no text, or a migration of a kind that is not known here
            return 0, None
        with self._watch.paused():
            names = self._store.names()
            found = [number for number in range(len(steps), 0, -1) if _name(self._digests[number]) in names]
            self._wanted -= set(found)
            for number in found[:_TRIED]:
                forecast = self._loaded(_name(self._digests[number]))
                if forecast is not None:
                    self._last = number
                    return number, forecast
        return 0, None

    def save_progress(self, number: int, forecast: Predictor) -> None:
        """So many steps have been taken, and this is the database after them."""
        if number not in self._wanted or sum(self._sizes[self._last : number]) < _WORTH:
            return
        pickled = _pickled((forecast, self._so_far))
        if pickled is not None:
            self._made[_name(self._digests[number])] = pickled
            self._last = number

    def keep(self) -> None:
        """Keep the checkpoints that were made, if that can be done. To be called when the watch is over."""
        trace = self._watch.trace(self._place, self._scripts) if self._made else None
        if trace is not None:
            for name, pickled in self._made.items():
                self._store.write(name, marshal.dumps((trace, pickled)))

    def _read(self, steps: Steps) -> None:
        """Work out what each beginning of the steps is known by, and where a checkpoint is wanted."""
        encoder = msgspec.msgpack.Encoder(enc_hook=_Texts().digest, order="sorted")
        running = blake2b(encoder.encode((sys.version, os.getcwd(), sorted(worker_environment().items()), self._start)), digest_size=16)
        self._digests = [running.hexdigest()]
        for source, (migration, judged, goes_on) in steps:
            standing = source.lineages.get(migration.up.file.path) if judged else None
            running.update(encoder.encode((source.path, source.runner.name, migration, judged, goes_on, standing)))
            self._digests.append(running.hexdigest())
            self._sizes.append(len(migration.up.file.text))
            self._scripts.update(half.file.path for half in (migration.up, migration.down) if half is not None)
        first_judged = next((number for number, (_, step) in enumerate(steps) if step.selected), 0)
        self._wanted = {number for number in (first_judged, *(len(steps) - behind for behind in _BEHIND)) if number > 0}

    def _loaded(self, name: str) -> Predictor | None:
        data = self._store.read(name)
        if data is None:
            return None
        try:
            trace, pickled = marshal.loads(data)  # noqa: S302  # the folder is the user's alone
            if not self._watch.confirms(trace):
                return None
            with _no_collection():
                forecast, so_far = _Unpickler(io.BytesIO(pickled), self._rules).load()
        except Exception:  # whatever is wrong with it, the run can do without
            return None
        self._so_far.copy_from(so_far)
        assert isinstance(forecast, Predictor)
        return forecast


class _Texts:
    """Scripts by their paths and the digests of their texts; one may hold hundreds of migrations, and is read once."""

    def __init__(self) -> None:
        self._digests: dict[Script, tuple[str, bytes]] = {}

    def digest(self, thing: object) -> tuple[str, bytes]:
        """What stands for a script. Raises TypeError for anything else."""
        if not isinstance(thing, Script):
            raise TypeError(type(thing))
        if thing not in self._digests:
            self._digests[thing] = (thing.path, blake2b(thing.text.encode(errors="surrogatepass"), digest_size=16).digest())
        return self._digests[thing]


def _name(digest: str) -> str:
    return f"checkpoint-{digest}"


def _rule(name: str) -> Rule:
    """Where a pickle names a rule. It is loaded in the name of a run, which has the rule itself."""
    raise LookupError(name)


def _reduced_rule(rule: Rule) -> tuple[Any, ...]:
    return _rule, (rule.name,)


def _refused(thing: object) -> tuple[Any, ...]:
    raise pickle.PicklingError("what is known by being itself would be another one")


def _pickled(things: object) -> bytes | None:
    """The pickle of things; None where they cannot be."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**dispatch_table, Rule: _reduced_rule, object: _refused}
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(_depth() + _DEEPEST)
        with _no_collection():
            pickler.dump(things)
    except Exception:  # an own rule may have noted anything
        return None
    finally:
        sys.setrecursionlimit(limit)
    return file.getvalue()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Thousands of objects come up, and none of them is garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _depth() -> int:
    frame: FrameType | None = sys._getframe()
    number = 0
    while frame is not None:
        frame, number = frame.f_back, number + 1
    return number


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, rules: dict[str, Rule]) -> None:
        super().__init__(file)
        self._rules = rules

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (_rule.__module__, _rule.__name__):
            return self._rules.__getitem__
        return super().find_class(module, name)
