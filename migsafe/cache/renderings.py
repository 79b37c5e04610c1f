"""The stored renderings of scripts, so that each script of a history is rendered once.

The renderings of one folder are in one entry. A rendering is found by its request, and is valid as long as everything that the worker process
had looked at is unchanged: the code of Alembic and SQLAlchemy, modules of the project, files that scripts read, and paths at which an import
found nothing. The answers that a script got about the schema are compared when the script's turn comes.
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
"""The size of a folder's renderings above which those that the last run did not use are dropped."""
_VERSIONS = 4
"""How many renderings of one script are stored: its queries or their answers may differ from run to run."""

_Kept = tuple[list[int], bytes]
"""The numbers of the traces that a rendering depends on, and the encoded rendering."""


class Renderings:
    """The renderings of one run. The `watch` records what the renderings that the run uses depend on."""

    def __init__(self, store: Store, watch: Watch | None = None) -> None:
        self._store = store
        self._watch = watch
        self._shelves: dict[str, _Shelf] = {}

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """Returns the stored result of the same request, if everything that it depends on is unchanged and `ask` gives the same answers."""
        shelf, name = self._shelf(request), _name(request)
        for kept in reversed(shelf.found.get(name, [])):
            if all(map(shelf.holds, kept[0])):
                rendering = msgspec.msgpack.decode(kept[1], type=Rendering)
                if all(ask(question) == said for question, said in rendering.answers):
                    shelf.used[name] = None
                    return rendering.result
        return None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Store the rendering of a script."""
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
        """Note that a script was rendered whose result may differ the next time."""
        if self._watch is not None:
            self._watch.note_unrepeatable()

    def starting_worker(self) -> AbstractContextManager[None]:
        """Do not record what the block looks at: the renderings have traces of their own."""
        return self._watch.paused() if self._watch is not None else nullcontext()

    def close(self) -> None:
        """Write the new renderings to the cache."""
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
    """The renderings of one folder, for one Python and one environment."""

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
                key, traces, found = marshal.loads(data)  # noqa: S302  # only the user can write to the folder
                if key == self._key:
                    self._traces, self.found = traces, found
            except (ValueError, TypeError, EOFError):
                return

    def holds(self, number: int) -> bool:
        """Whether everything in a trace is unchanged."""
        if number not in self._held:
            trace = self._traces[number]
            self._held[number] = self._watch.confirms(trace) if self._watch is not None else confirmed(trace) is not None
        return self._held[number]

    def number(self, looked: Dependencies, began: int) -> int | None:
        """Returns the number of the trace of what a worker process looked at; None if something has changed since the process started."""
        if looked not in self._numbers:
            made = _trace(looked, began)
            if made is not None and made not in self._traces:
                self._traces.append(made)
            self._numbers[looked] = self._traces.index(made) if made is not None else None
        return self._numbers[looked]

    def packed(self) -> bytes:
        """Returns the entry; if it would be too large, without the renderings that this run did not use."""
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
    """Returns the renderings in the user's cache, for a run without a watch; None if there is no cache folder."""
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
            paths.append(path)  # opening it failed
            continue
        if not is_settled(known, began):
            return None
        files.append((path, digest(path), known))
    folders: list[tuple[str, Listing]] = [(path, listing(path)) for path in looked.folders]
    return files, folders, numbered((path, True, *kind(path, followed=True)) for path in paths), [], []
