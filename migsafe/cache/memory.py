"""What a run stores for later runs, if it could not be answered from the cache."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migsafe.cache.answers import Answer, CacheKey, store_answer
from migsafe.cache.checkpoints import Checkpoints
from migsafe.cache.renderings import Renderings
from migsafe.cache.watch import Watch
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Rule

if TYPE_CHECKING:
    from migsafe.cache.queries import ReadQueries
    from migsafe.cache.query_shapes import QueryShapes
    from migsafe.workload.shapes import Shapes


class Memory:
    """The connection between a run and the cache. Nothing is stored unless `record_success` is called."""

    def __init__(self, key: CacheKey, watch: Watch) -> None:
        self._key = key
        self._watch = watch
        self._rules_begin = 0
        self._answer: Answer | None = None
        self._succeeded = False
        self._checkpoints: Checkpoints | None = None
        self._query_shapes: QueryShapes | None = None

    @property
    def watch(self) -> Watch:
        """What records what the run looks at."""
        return self._watch

    def store_git_answer(self, revision: str | None, folders: list[str], answer: list[str]) -> None:
        """Record what git was asked, and its answer."""
        self._watch.record_git_answer(revision, folders, answer)

    def begin_rules(self) -> None:
        """Note that rules are loaded next: a checkpoint depends on what is looked at from here on."""
        self._rules_begin = self._watch.position

    def checkpoints(self, start: object, rules: Iterable[Rule], state: JudgingState) -> Checkpoints:
        """Returns the checkpoints from which the run may continue, and that it stores for later runs.

        `start` is everything that the findings depend on, except migrations and code. `state` receives the findings of the checkpoint.
        """
        self._checkpoints = Checkpoints(self._key.store, self._watch, self._rules_begin, start, rules, state)
        return self._checkpoints

    def renderings(self) -> Renderings:
        """Returns the stored renderings of scripts."""
        return Renderings(self._key.store, self._watch)

    def query_shapes(self) -> "Shapes":
        """Returns the shapes of queries that earlier runs have stored. Those that this run adds are stored with them."""
        if self._query_shapes is None:
            from migsafe.cache.query_shapes import QueryShapes  # noqa: PLC0415  # not needed without queries

            self._query_shapes = QueryShapes(self._key.store, self._watch)
        return self._query_shapes.shapes

    def read_queries(self, folder: str) -> "ReadQueries":
        """Returns the stored queries of the files of a project."""
        from migsafe.cache.queries import stored_queries  # noqa: PLC0415  # not needed without queries

        return stored_queries(self._key.store, folder, self._watch)

    def record_success(self, answer: Answer | None) -> None:
        """Note that the run completed without errors. `answer` is its output; None if it did more than write output."""
        self._succeeded = True
        self._answer = answer

    def keep(self) -> None:
        """Store what can be stored. To be called after the watch."""
        if not self._succeeded:
            return
        try:
            trace = self._watch.trace() if self._answer is not None else None
            if trace is not None and self._answer is not None:
                store_answer(self._key, trace, self._answer)
            if self._checkpoints is not None:
                self._checkpoints.keep()
            if self._query_shapes is not None:
                self._query_shapes.keep()
        except Exception:  # the run has completed; without an entry, the next one only takes longer
            return
