"""What programs came to, kept from one run to the next, so that a history is rendered but once.

The renderings of one folder stand in one entry. Each is known by what was asked, and holds as long as all that the process had looked at by
then is as it was: the code of Alembic and SQLAlchemy, modules of the project, files that scripts read, and the places where what they import
is not. Answers that a script got from the schema are compared when it is its turn.
"""

import marshal
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from hashlib import blake2b

import msgspec

from migsafe.cache.store import Store, usual_folder
from migsafe.cache.trace import Listing, Seen, Signature, Trace, confirmed, digest, is_settled, kind, listing, numbered, signature
from migsafe.cache.watch import Watch
from migsafe.rendering.messages import Answer, Dependencies, Question, RenderRequest, RenderResult
from migsafe.rendering.renderer import Rendering
from migsafe.rendering.worker_environment import worker_environment

_FORMAT = 2
_MOST_BYTES = 8 << 20
"""How much the renderings of a folder may take together with those that no run has asked for lately."""
_VERSIONS = 4
"""How many renderings of one script are kept, which have asked for different things, or in different schemas."""

_Kept = tuple[list[int], bytes]
"""Which of the traces a rendering depends on, and what it is."""


class Renderings:
    """The renderings of one run. A `watch` is told what those depend on that the run goes by."""

    def __init__(self, store: Store, watch: Watch | None = None) -> None:
        self._store = store
        self._watch = watch
        self._shelves: dict[str, _Shelf] = {}

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """What the script came to when it was asked the same, all that it depends on was the same, and `ask` gave the same answers."""
        shelf, name = self._shelf(request), _name(request)
        for kept in reversed(shelf.found.get(name, [])):
            if all(map(shelf.holds, kept[0])):
                rendering = msgspec.msgpack.decode(kept[1], type=Rendering)
                if all(ask(question) == said for question, said in rendering.answers):
                    shelf.used[name] = None
                    return rendering.result
        return None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Remember what a script came to."""
        shelf, name = self._shelf(request), _name(request)
        with self.starting_worker():
            numbers = [shelf.number(looked, rendering.worker_started_ns) for looked in rendering.dependencies]
        plain = msgspec.structs.replace(
            rendering, dependencies=(), result=msgspec.structs.replace(rendering.result, dependencies=Dependencies())
        )
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers) or not all(map(shelf.holds, known)):
            self.note_unrepeatable()
            return
        shelf.found[name] = [*shelf.found.get(name, []), (known, msgspec.msgpack.encode(plain))][-_VERSIONS:]
        shelf.used[name] = None
        shelf.is_new = True

    def note_unrepeatable(self) -> None:
        """Something was rendered that may come to something else the next time."""
        if self._watch is not None:
            self._watch.note_unrepeatable()

    def starting_worker(self) -> AbstractContextManager[None]:
        """What the block looks at is known by its renderings."""
        return self._watch.paused() if self._watch is not None else nullcontext()

    def close(self) -> None:
        """Keep what is new."""
        with self.starting_worker():
            for shelf in self._shelves.values():
                if shelf.is_new:
                    self._store.write(shelf.name, shelf.packed())
                    shelf.is_new = False

    def _shelf(self, request: RenderRequest) -> "_Shelf":
        folder = os.path.dirname(request.path)
        if folder not in self._shelves:
            with self.starting_worker():
                self._shelves[folder] = _Shelf(folder, self._store, self._watch)
        return self._shelves[folder]


class _Shelf:
    """The renderings of one folder, under one Python and in one environment."""

    def __init__(self, folder: str, store: Store, watch: Watch | None) -> None:
        self._watch = watch
        self._key = repr((_FORMAT, sys.version, sys.path, sys.executable, os.getcwd(), folder, sorted(worker_environment().items())))
        self.name = f"renderings-{blake2b(self._key.encode(errors='surrogatepass'), digest_size=8).hexdigest()}"
        self.found: dict[bytes, list[_Kept]] = {}
        self.used: dict[bytes, None] = {}
        self.is_new = False
        self._traces: list[Trace] = []
        self._numbers: dict[Dependencies, int | None] = {}
        self._held: dict[int, bool] = {}
        data = store.read(self.name)
        if data is not None:
            try:
                key, traces, found = marshal.loads(data)  # noqa: S302  # the folder is the user's alone
                if key == self._key:
                    self._traces, self.found = traces, found
            except (ValueError, TypeError, EOFError):
                return

    def holds(self, number: int) -> bool:
        """Whether all that a trace has seen is as it was."""
        if number not in self._held:
            trace = self._traces[number]
            self._held[number] = self._watch.confirms(trace) if self._watch is not None else confirmed(trace) is not None
        return self._held[number]

    def number(self, looked: Dependencies, began: int) -> int | None:
        """The number of the trace of what a process has looked at; None where something has changed since it began."""
        if looked not in self._numbers:
            made = _trace(looked, began)
            if made is not None and made not in self._traces:
                self._traces.append(made)
            self._numbers[looked] = self._traces.index(made) if made is not None else None
        return self._numbers[looked]

    def packed(self) -> bytes:
        """All of it, but for what nobody has asked for lately, should it be too much."""
        size = sum(len(data) for name in self.used for _, data in self.found[name])
        kept = dict.fromkeys(self.used)
        for name in reversed(self.found):
            if name not in kept:
                size += sum(len(data) for _, data in self.found[name])
                if size > _MOST_BYTES:
                    break
                kept[name] = None
        wanted = sorted({number for name in kept for numbers, _ in self.found[name] for number in numbers})
        places = {number: place for place, number in enumerate(wanted)}
        found = {name: [([places[one] for one in numbers], data) for numbers, data in self.found[name]] for name in reversed(kept)}
        return marshal.dumps((self._key, [self._traces[number] for number in wanted], found))


def usual() -> Renderings | None:
    """Those in the user's cache, for a run that nobody watches; None where there is no cache to be had."""
    folder = usual_folder() if os.name == "posix" else None
    return Renderings(Store(folder)) if folder else None


def _name(request: RenderRequest) -> bytes:
    return blake2b(msgspec.msgpack.encode(request), digest_size=16).digest()


def _trace(looked: Dependencies, began: int) -> Trace | None:
    files: list[tuple[str, Seen, Signature | None]] = []
    paths = list(looked.paths)
    for path in looked.files:
        try:
            known = signature(os.stat(path))
        except OSError:
            paths.append(path)  # it was opened in vain
            continue
        if not is_settled(known, began):
            return None
        files.append((path, digest(path), known))
    folders: list[tuple[str, Listing]] = [(path, listing(path)) for path in looked.folders]
    return files, folders, numbered((path, True, *kind(path, followed=True)) for path in paths), [], []
