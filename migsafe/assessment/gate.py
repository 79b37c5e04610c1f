"""The gate: whether a migration exceeds the budgets of the configuration (`slo`)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migsafe.assessment.blocking import BlockedRelation, find_blocked_relations
from migsafe.assessment.durations import Duration, format_exact
from migsafe.assessment.failure_modes import LineOf, joined
from migsafe.assessment.operation_facts import OperationFacts

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayedMigration


class Budget(Struct, frozen=True):
    """The limits for a release; None means no limit.

    `blocked` is how long a query may wait and `hold` how long a lock that blocks reads or writes may be held, in milliseconds. `rows_lost` is
    how many rows of existing tables may be removed.
    """

    blocked: float | None = None
    hold: float | None = None
    rows_lost: int | None = None

    def descriptions(self) -> Iterator[str]:
        """Yields a description of each budget that is set."""
        if self.blocked is not None:
            yield f"no query may wait for longer than {format_exact(self.blocked)}"
        if self.hold is not None:
            yield f"no lock that blocks reads or writes may be held for longer than {format_exact(self.hold)}"
        if self.rows_lost is not None:
            yield f"no more than {self.rows_lost:,} rows may be lost" if self.rows_lost else "no rows may be lost"


class GateResult(Struct, frozen=True):
    """What exceeds a budget (`forbidden`), and what may exceed one (`doubtful`)."""

    forbidden: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


class _Sides:
    def __init__(self) -> None:
        self.forbidden: list[str] = []
        self.doubtful: list[str] = []


def check_budgets(
    slo: Budget, path: str, observed: Sequence[OperationFacts], line: LineOf, replayed: "ReplayedMigration | None" = None
) -> GateResult:
    """Returns what exceeds or may exceed the budgets in one migration."""
    sides = _Sides()
    for one in _longest(find_blocked_relations(observed)):
        hold = _hold(one, replayed)
        at = f"{path}:{line(one.statement)}"
        if slo.hold is not None:
            _compare(sides, hold, slo.hold, one, f"{at}: the lock on {one.relation} is held for", "the budget is")
        if slo.blocked is not None:
            _blocked(sides, slo.blocked, one, hold, at)
    _seen(sides, slo, path, replayed)
    if slo.rows_lost is not None:
        _lost(sides, slo.rows_lost, path, observed)
    return GateResult(tuple(dict.fromkeys(sides.forbidden)), tuple(dict.fromkeys(sides.doubtful)))


def _longest(found: Iterable[BlockedRelation]) -> Iterator[BlockedRelation]:
    """Yields the first blocking lock of each relation and transaction: it is held the longest."""
    seen = set()
    for one in found:
        key = (one.transaction, one.relation)
        if key not in seen:
            seen.add(key)
            yield one


class _Hold(Struct, frozen=True):
    """How long a lock is held, why it may be longer, and whether this is measured or estimated."""

    lasts: Duration
    more: str
    how: str


def _hold(one: BlockedRelation, replayed: "ReplayedMigration | None") -> _Hold:
    if replayed is not None and replayed.recording.failure is None:
        found = _measured(one, replayed)
        if found is not None:
            return found
    more = f"the row count of {joined(one.relations_without_row_count)} is not known" if one.relations_without_row_count else ""
    return _Hold(one.duration, more or ("what runs meanwhile is not known" if one.has_unknown_code else ""), "by estimate")


def _measured(one: BlockedRelation, replayed: "ReplayedMigration") -> _Hold | None:
    """Returns how long a replay held the lock, plus the estimated difference on production's rows."""
    played = {each.statement.index: each for each in replayed.recording.statements}
    first = played.get(one.statement)
    touch = next((touch for touch in first.measured_effects if touch.effect.relation == one.relation), None) if first is not None else None
    if touch is None or not touch.effect.blocks:
        return None
    held = Duration(touch.held_ms, touch.held_ms)
    uncounted: list[str] = []
    for number in dict.fromkeys(labour.statement for labour in one.row_work):
        estimate, each = replayed.estimates.get(number), played.get(number)
        if estimate is not None and each is not None:
            grown = Duration(max(estimate.low_ms - each.duration_ms, 0.0), max(estimate.high_ms - each.duration_ms, 0.0))
            held += grown
        else:
            uncounted += [str(labour.relation) for labour in one.row_work if labour.statement == number]
    more = f"it may be longer on production's rows of {', '.join(dict.fromkeys(uncounted))}" if uncounted else ""
    return _Hold(held, more, "from what the replay measured")


def _compare(sides: _Sides, hold: _Hold, most: float, one: BlockedRelation, what: str, budget: str) -> None:
    said = f"{what} {hold.lasts}, {hold.how}; {budget} {format_exact(most)}"
    if hold.lasts.low > most:
        sides.forbidden.append(said)
    elif hold.lasts.high > most:
        sides.doubtful.append(said)
    elif hold.more:
        sides.doubtful.append(f"{what} an unknown time: {hold.more}; {budget} {format_exact(most)}")


def _blocked(sides: _Sides, most: float, one: BlockedRelation, hold: _Hold, at: str) -> None:
    """Compare how long later queries wait: for this lock, during the work, and while the transaction waits for further locks."""
    who = f"{at}: queries of {one.relation} wait"
    if not one.lock_timeout:
        sides.forbidden.append(
            f"{who} as long as the longest transaction before them: no lock_timeout is known to limit that; the budget is {format_exact(most)}"
        )
        return
    waits = [one.lock_timeout, *one.later_lock_timeouts]
    if not all(waits):
        sides.forbidden.append(
            f"{who} while a later statement waits for its lock: no lock_timeout is known to limit that; the budget is {format_exact(most)}"
        )
        return
    queue = float(sum(wait or 0 for wait in waits))
    if queue > most:
        sides.forbidden.append(
            f"{who} up to {format_exact(queue)} until lock_timeout cancels the statement; the budget is {format_exact(most)}"
        )
        return
    longer = _Hold(hold.lasts + Duration(queue, queue), hold.more, hold.how)
    _compare(sides, longer, most, one, f"{who} (up to {format_exact(queue)} for the lock, then for the work)", "the budget is")


def _seen(sides: _Sides, slo: Budget, path: str, replayed: "ReplayedMigration | None") -> None:
    """Compare what a replay measured, whether or not it was predicted."""
    if replayed is None:
        return
    if replayed.recording.failure is not None:
        sides.forbidden.append(f"{path}: it failed in the replay: {replayed.recording.failure.message}")
    for wait in replayed.recording.waits:
        if slo.blocked is not None and wait.ms > slo.blocked:
            waited = f"{wait.access} of {wait.relation} waited for {format_exact(round(wait.ms))} in the replay"
            sides.forbidden.append(f"{path}: {waited}; the budget is {format_exact(slo.blocked)}")
    for played in replayed.recording.statements:
        for touch in played.measured_effects:
            effect = touch.effect
            if slo.hold is not None and effect.blocks and not effect.new and touch.held_ms > slo.hold:
                held = f"{effect.lock} on {effect.relation} was held for {format_exact(round(touch.held_ms))} in the replay"
                sides.forbidden.append(f"{path}: {held}; the budget is {format_exact(slo.hold)}")


def _lost(sides: _Sides, most: int, path: str, observed: Sequence[OperationFacts]) -> None:
    """Compare the number of lost rows. A table whose row count is not known counts as one row."""
    found = {loss.relation: loss for one in observed for loss in one.lost_rows if loss.rows != 0}
    if not found:
        return
    least = sum(1 if loss.rows is None or loss.may_be_fewer else loss.rows for loss in found.values())
    may_be_more = any(loss.rows is None for loss in found.values())
    largest = sum(loss.rows or 0 for loss in found.values())
    names = joined(list(found))
    budget = f"the budget is {most:,}" if most else "the budget is zero"
    if least > most:
        at_least = "at least " if least != largest or may_be_more else ""
        sides.forbidden.append(
            f"{path}: {at_least}{least:,} row{'' if least == 1 else 's'} of {names} {'is' if least == 1 else 'are'} lost; {budget}"
        )
    elif may_be_more or largest > most:
        sides.doubtful.append(f"{path}: the number of lost rows of {names} is not known; {budget}")
