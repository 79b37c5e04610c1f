"""The history before the judged migrations, which several judgements of them follow once."""

from collections.abc import Iterable
from typing import Self

from migsafe.cache.checkpoints import digests
from migsafe.cache.pickling import pickled, unpickled
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Rule
from migsafe.prediction.history import Steps
from migsafe.prediction.predictor import Predictor


class FollowedHistory:
    """The database before the first judged migration, kept in memory.

    Each judgement calls `begin` with its rules and its empty state, and passes the history as its resumption.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._state = JudgingState()
        self._length = 0
        self._digest = ""
        self._stored: tuple[str, bytes] | None = None

    def begin(self, rules: Iterable[Rule], state: JudgingState) -> Self:
        """Begins a judgement, and returns this history."""
        self._rules, self._state = {rule.name: rule for rule in rules}, state
        return self

    def forget(self) -> None:
        """Forgets the database: the next judgement follows the history again, and meets its problems."""
        self._stored = None

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """Returns the number of steps before the first judged one, and the database after them, if an earlier judgement followed the same
        steps."""
        self._length = next((number for number, (_, step) in enumerate(steps) if step.selected), 0)
        try:
            *_, self._digest = digests(steps[: self._length], ())
        except (TypeError, UnicodeEncodeError):  # as for a checkpoint
            self._length = 0
        if not self._length or self._stored is None or self._stored[0] != self._digest:
            return 0, None
        predictor, state = unpickled(self._stored[1], self._rules)
        assert isinstance(predictor, Predictor)
        self._state.copy_from(state)
        return self._length, predictor

    def wants(self, number: int) -> bool:
        """Whether the first judged migration follows."""
        return 0 < number == self._length

    def save_progress(self, number: int, predictor: Predictor) -> None:
        """Keeps the database before the first judged migration."""
        data = pickled((predictor, self._state)) if self.wants(number) else None
        if data is not None:
            self._stored = self._digest, data
