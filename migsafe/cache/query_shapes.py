"""The stored shapes of the application's queries, so that sqlglot reads each query once.

A shape depends on the text of its query and on the versions of the programs that read it, and on nothing else. The shapes of one folder are in
one entry.
"""

import os
from contextlib import nullcontext
from hashlib import blake2b

from migsafe.cache.store import Store, usual_store
from migsafe.cache.watch import Watch
from migsafe.workload.shapes import Shapes


class QueryShapes:
    """The shapes of one run, which begins with those of the run before. `watch` is that of a run whose answer is kept."""

    def __init__(self, store: Store, watch: Watch | None = None) -> None:
        self._store = store
        self._name = f"shapes-{blake2b(os.getcwd().encode(errors='surrogatepass'), digest_size=8).hexdigest()}"
        # The findings do not depend on what is stored.
        with watch.paused() if watch is not None else nullcontext():
            self.shapes = Shapes(store.read(self._name))

    def keep(self) -> None:
        """Stores the new shapes."""
        packed = self.shapes.packed()
        if packed is not None:
            self._store.write(self._name, packed)


def usual_shapes() -> QueryShapes | None:
    """Returns the shapes that are stored for the current folder; None if there is no cache."""
    store = usual_store()
    return QueryShapes(store) if store is not None else None
