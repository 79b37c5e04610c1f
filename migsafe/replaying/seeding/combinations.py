"""The search for values that satisfy CHECKs over several columns together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from random import Random

from msgspec import Struct

_MAX_TRIES = 400
_MAX_PAIR_TRIES = 100
_MAX_CANDIDATES = 24

Expressions = dict[int, str]
"""The expression for each column, by the column's number."""


class Score(Struct, frozen=True, order=True):
    """How many rows satisfy all checks, as a share; then, how nearly they satisfy the checks, and the share of each check."""

    all: float
    total: float
    each: tuple[float, ...]


class Found(Struct, frozen=True):
    """The best combination, and the share of rows that satisfy all checks with it."""

    expressions: Expressions
    share: float


def search(
    start: Expressions,
    candidates: Mapping[int, Sequence[str]],
    columns_of_checks: Sequence[frozenset[int]],
    score: Callable[[Expressions], Score | None],
) -> Found:
    """Returns the combination of candidates that satisfies the checks in the most rows; the search ends after a fixed number of tries.

    `start` has an expression for each column, `columns_of_checks` the columns of each check. `score` returns None if the expressions fail.
    It changes one column at a time while that improves the score, then two at once, then begins again with random values.
    """
    return _Search(candidates, columns_of_checks, score).run(start)


class _Search:
    """The tries so far and the best of them."""

    def __init__(
        self,
        candidates: Mapping[int, Sequence[str]],
        columns_of_checks: Sequence[frozenset[int]],
        score: Callable[[Expressions], Score | None],
    ) -> None:
        self._candidates = {number: tuple(values[:_MAX_CANDIDATES]) for number, values in candidates.items()}
        self._columns_of_checks = columns_of_checks
        self._score = score
        self._tries = 0
        self._best: tuple[Score, Expressions] | None = None

    def run(self, start: Expressions) -> Found:
        for expressions in self._starts(start):
            if self._is_over():
                break
            self._climb(expressions)
        score, expressions = self._best or (Score(0.0, 0.0, ()), start)
        return Found(expressions, max(score.all, 0.0))

    def _starts(self, start: Expressions) -> Iterator[Expressions]:
        yield start
        columns = [number for number in self._candidates if any(number in columns for columns in self._columns_of_checks)]
        # NULL satisfies most conditions; it is the last candidate of a column that can be NULL.
        yield start | {number: self._candidates[number][-1] for number in columns}
        random = Random(0)  # noqa: S311  # the same tables get the same rows each time
        while columns:
            yield start | {number: random.choice(self._candidates[number]) for number in columns}

    def _climb(self, expressions: Expressions) -> None:
        """Changes one column after the other, or two at once, as long as that is better."""
        score = self._try(expressions)
        while not self._is_over():
            before = score
            for number in self._columns_of_failing_checks(score):
                singles = ({number: candidate} for candidate in self._candidates[number])
                score, expressions = next(self._better(score, expressions, singles), (score, expressions))
            if score == before:
                better = next(self._better(score, expressions, islice(self._pairs(score), _MAX_PAIR_TRIES)), None)
                if better is None:
                    return
                score, expressions = better

    def _pairs(self, score: Score) -> Iterator[Expressions]:
        columns = self._columns_of_failing_checks(score)
        return (
            dict(zip(pair, values, strict=True))
            for pair in combinations(columns, 2)
            for values in product(*(self._candidates[number] for number in pair))
        )

    def _better(self, score: Score, expressions: Expressions, changes: Iterable[Expressions]) -> Iterator[tuple[Score, Expressions]]:
        """Yields the better expressions that changes make."""
        for change in changes:
            if self._is_over():
                return
            changed = expressions | change
            if changed != expressions and (new_score := self._try(changed)) > score:
                yield new_score, changed

    def _columns_of_failing_checks(self, score: Score) -> list[int]:
        failing = [columns for columns, share in zip(self._columns_of_checks, score.each, strict=True) if share < 1.0]
        return [number for number in self._candidates if any(number in columns for columns in failing)]

    def _try(self, expressions: Expressions) -> Score:
        self._tries += 1
        score = self._score(expressions) or Score(-1.0, -1.0, (0.0,) * len(self._columns_of_checks))
        if self._best is None or score > self._best[0]:
            self._best = score, expressions
        return score

    def _is_over(self) -> bool:
        return self._tries >= _MAX_TRIES or (self._best is not None and self._best[0].all == 1.0)
