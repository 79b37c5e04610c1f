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

from migsafe.cache.store import Store, usual_store
from migsafe.cache.trace import Listing, Seen, Signature, Trace, confirmed, digest, is_settled, kind, listing, numbered, signature
from migsafe.cache.watch import Watch
from migsafe.rendering.messages import Answer, Dependencies, Question, RenderRequest, RenderResult
from migsafe.rendering.renderer import Rendering
from migsafe.rendering.worker_environment import worker_environment

_FORMAT = 2
_MAX_BYTES = 8 << 20
"""The size of a folder's renderings above which those that the last run did not use are dropped."""
_MAX_VERSIONS = 4
"""How many renderings of one script are stored: its queries or their answers may differ from run to run."""

_StoredRendering = tuple[list[int], bytes]
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
        for stored in reversed(shelf.renderings.get(name, [])):
            if all(map(shelf.is_unchanged, stored[0])):
                try:
                    rendering = msgspec.msgpack.decode(stored[1], type=Rendering)
                except msgspec.MsgspecError:  # of another version of migsafe, whose worker was the same
                    continue
                if all(ask(question) == answer for question, answer in rendering.answers):
                    shelf.used[name] = None
                    return rendering.result
        return None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Store the rendering of a script."""
        shelf, name = self._shelf(request), _name(request)
        with self.starting_worker():
            numbers = [shelf.number(dependencies, rendering.worker_started_ns) for dependencies in rendering.dependencies]
        plain = msgspec.structs.replace(
            rendering, dependencies=(), result=msgspec.structs.replace(rendering.result, dependencies=Dependencies())
        )
        known_numbers = [number for number in numbers if number is not None]
        if len(known_numbers) < len(numbers) or not all(map(shelf.is_unchanged, known_numbers)):
            self.note_unrepeatable()
            return
        shelf.renderings[name] = [*shelf.renderings.get(name, []), (known_numbers, msgspec.msgpack.encode(plain))][-_MAX_VERSIONS:]
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
        self.renderings: dict[bytes, list[_StoredRendering]] = {}
        self.used: dict[bytes, None] = {}
        self.is_new = False
        self._traces: list[Trace] = []
        self._numbers: dict[Dependencies, int | None] = {}
        self._unchanged: dict[int, bool] = {}
        data = store.read(self.name)
        if data is not None:
            try:
                key, traces, renderings = marshal.loads(data)  # noqa: S302  # only the user can write to the folder
                if key == self._key:
                    self._traces, self.renderings = traces, renderings
            except (ValueError, TypeError, EOFError):
                return

    def is_unchanged(self, number: int) -> bool:
        """Whether everything in a trace is unchanged."""
        if number not in self._unchanged:
            trace = self._traces[number]
            self._unchanged[number] = self._watch.confirms(trace) if self._watch is not None else confirmed(trace) is not None
        return self._unchanged[number]

    def number(self, dependencies: Dependencies, started_ns: int) -> int | None:
        """Returns the number of the trace of what a worker process looked at; None if something has changed since the process started."""
        if dependencies not in self._numbers:
            trace = _trace(dependencies, started_ns)
            if trace is not None and trace not in self._traces:
                self._traces.append(trace)
            self._numbers[dependencies] = self._traces.index(trace) if trace is not None else None
        return self._numbers[dependencies]

    def packed(self) -> bytes:
        """Returns the entry; if it would be too large, without the renderings that this run did not use."""
        size = sum(len(data) for name in self.used for _, data in self.renderings[name])
        kept_names = dict.fromkeys(self.used)
        for name in reversed(self.renderings):
            if name not in kept_names:
                size += sum(len(data) for _, data in self.renderings[name])
                if size > _MAX_BYTES:
                    break
                kept_names[name] = None
        used_numbers = sorted({number for name in kept_names for numbers, _ in self.renderings[name] for number in numbers})
        positions = {number: position for position, number in enumerate(used_numbers)}
        renderings = {
            name: [([positions[number] for number in numbers], data) for numbers, data in self.renderings[name]]
            for name in reversed(kept_names)
        }
        return marshal.dumps((self._key, [self._traces[number] for number in used_numbers], renderings))


def usual() -> Renderings | None:
    """Returns the renderings in the user's cache, for a run without a watch; None if there is no cache folder."""
    store = usual_store()
    return Renderings(store) if store is not None else None


def _name(request: RenderRequest) -> bytes:
    return blake2b(msgspec.msgpack.encode(request), digest_size=16).digest()


def _trace(dependencies: Dependencies, started_ns: int) -> Trace | None:
    files: list[tuple[str, Seen, Signature | None]] = []
    paths = list(dependencies.paths)
    for path in dependencies.files:
        try:
            file_signature = signature(os.stat(path))
        except OSError:
            paths.append(path)  # opening it failed
            continue
        if not is_settled(file_signature, started_ns):
            return None
        files.append((path, digest(path), file_signature))
    folders: list[tuple[str, Listing]] = [(path, listing(path)) for path in dependencies.folders]
    return files, folders, numbered((path, True, *kind(path, followed=True)) for path in paths), [], []
