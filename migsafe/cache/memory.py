"""What a run that has to work keeps for the next one."""

from collections.abc import Collection, Iterable

from migsafe.cache.answers import Answer, Question, keep
from migsafe.cache.checkpoints import Checkpoints
from migsafe.cache.renderings import Renderings
from migsafe.cache.watch import Watch
from migsafe.linting.judge import JudgingState
from migsafe.linting.rule import Rule


class Memory:
    """What is worth keeping of a run, and what others have kept for it. Nothing is kept of a run that does not say that it went well."""

    def __init__(self, asked: Question, watch: Watch) -> None:
        self._asked = asked
        self._watch = watch
        self._place = 0
        self._answer: Answer | None = None
        self._sound = False
        self._checkpoints: Checkpoints | None = None

    def store_git_answer(self, revision: str | None, folders: list[str], files: Collection[str]) -> None:
        """Take note of what git was asked, and of its answer."""
        self._watch.record_git_answer(revision, folders, files)

    def rules_follow(self) -> None:
        """What is looked at from now on, rules may have looked at."""
        self._place = self._watch.position

    def checkpoints(self, start: object, rules: Iterable[Rule], so_far: JudgingState) -> Checkpoints:
        """Where the run may go on from, and what it leaves for others to go on from. `start` is all that its findings depend on, but for
        migrations and code; `so_far` takes in what was found before."""
        self._checkpoints = Checkpoints(self._asked.store, self._watch, self._place, start, rules, so_far)
        return self._checkpoints

    def renderings(self) -> Renderings:
        """What programs came to that the run would render."""
        return Renderings(self._asked.store, self._watch)

    def went_well(self, answer: Answer | None) -> None:
        """The run could do all that it was asked to; this is what it said, unless it did more than saying."""
        self._sound = True
        self._answer = answer

    def keep(self) -> None:
        """Keep it, if that can be done. To be called when the watch is over."""
        if not self._sound:
            return
        try:
            trace = self._watch.trace() if self._answer is not None else None
            if trace is not None and self._answer is not None:
                keep(self._asked, trace, self._answer)
            if self._checkpoints is not None:
                self._checkpoints.keep()
        except Exception:  # the run is over and was a good one; that nothing of it is kept costs time alone
            return
