"""What a run that has to work keeps for the next one."""

from collections.abc import Collection, Iterable
from types import TracebackType

from migsafe.cache.answers import Answer, Question, keep
from migsafe.cache.checkpoints import Checkpoints
from migsafe.cache.watch import Watch
from migsafe.judge import Progress
from migsafe.rule import Rule


class Memory:
    """A run that is watched, and what it leaves behind.

    with Memory(question) as memory:
        …
        memory.went_well(answer)         # without which nothing is kept
    """

    def __init__(self, asked: Question) -> None:
        self._asked = asked
        self._watch = Watch()
        self._answer: Answer | None = None
        self._sound = False
        self._place = 0
        self._checkpoints: Checkpoints | None = None

    def __enter__(self) -> "Memory":
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._watch.stop()
        if kind is None and self._sound:
            try:
                self._keep()
            except Exception:  # the run is over and was a good one; that nothing of it is kept costs time alone
                return

    def git_said(self, revision: str | None, folders: list[str], files: Collection[str]) -> None:
        """Take note of what git was asked, and of its answer."""
        self._watch.git_said(revision, folders, files)

    def rules_follow(self) -> None:
        """What is looked at from now on, rules may have looked at."""
        self._place = self._watch.place

    def checkpoints(self, start: object, rules: Iterable[Rule], so_far: Progress) -> Checkpoints:
        """Where the run may go on from, and what it leaves for others to go on from. `start` is all that its findings depend on, but for
        migrations and code; `so_far` takes in what was found before."""
        self._checkpoints = Checkpoints(self._asked.store, self._watch, self._place, start, rules, so_far)
        return self._checkpoints

    def went_well(self, answer: Answer | None) -> None:
        """The run could do all that it was asked to; this is what it said, unless it did more than saying."""
        self._sound = True
        self._answer = answer

    def _keep(self) -> None:
        trace = self._watch.trace() if self._answer is not None else None
        if trace is not None and self._answer is not None:
            keep(self._asked, trace, self._answer)
        if self._checkpoints is not None:
            self._checkpoints.keep()
