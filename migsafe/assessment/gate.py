"""The gate: whether a migration exceeds the budgets of the configuration (`slo`)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from migsafe.assessment.blocking import BlockedRelation, find_blocked_relations
from migsafe.assessment.durations import Duration, format_exact
from migsafe.assessment.failure_modes import LineOf, joined
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.sql.operations import Name

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


class _Results:
    def __init__(self) -> None:
        self.forbidden: list[str] = []
        self.doubtful: list[str] = []


def check_budgets(
    slo: Budget, path: str, all_facts: Sequence[OperationFacts], line_of: LineOf, replayed: "ReplayedMigration | None" = None
) -> GateResult:
    """Returns what exceeds or may exceed the budgets in one migration."""
    results = _Results()
    for blocked in _longest_locks(find_blocked_relations(all_facts)):
        hold = _predict_hold(blocked, replayed)
        place = f"{path}:{line_of(blocked.statement)}"
        if slo.hold is not None:
            _compare_hold(results, hold, slo.hold, f"{place}: the lock on {blocked.relation} is held for")
        if slo.blocked is not None:
            _compare_wait(results, slo.blocked, blocked, hold, place)
    _compare_replay(results, slo, path, replayed)
    if slo.rows_lost is not None:
        _compare_lost_rows(results, slo.rows_lost, path, all_facts)
    return GateResult(tuple(dict.fromkeys(results.forbidden)), tuple(dict.fromkeys(results.doubtful)))


def _longest_locks(blocked_relations: Iterable[BlockedRelation]) -> Iterator[BlockedRelation]:
    """Yields the first blocking lock of each relation and transaction: it is held the longest."""
    seen = set()
    for blocked in blocked_relations:
        key = (blocked.transaction, blocked.relation)
        if key not in seen:
            seen.add(key)
            yield blocked


class _Hold(Struct, frozen=True):
    """How long a lock is held, why it may be longer, and whether this is measured or estimated."""

    duration: Duration
    uncertainty: str
    basis: str


def _predict_hold(blocked: BlockedRelation, replayed: "ReplayedMigration | None") -> _Hold:
    if replayed is not None and replayed.recording.failure is None and replayed.emptying is None:
        measured_hold = _measure_hold(blocked, replayed)
        if measured_hold is not None:
            return measured_hold
    uncertainty = f"the row count of {joined(blocked.relations_without_row_count)} is not known" if blocked.relations_without_row_count else ""
    return _Hold(blocked.duration, uncertainty or ("what runs meanwhile is not known" if blocked.has_unknown_code else ""), "by estimate")


def _measure_hold(blocked: BlockedRelation, replayed: "ReplayedMigration") -> _Hold | None:
    """Returns how long a replay held the lock, plus the estimated difference on production's rows."""
    recorded_statements = {recorded.statement.index: recorded for recorded in replayed.recording.statements}
    first_recorded = recorded_statements.get(blocked.statement)
    if first_recorded is None:
        return None
    measured_effect = next((effect for effect in first_recorded.measured_effects if effect.effect.relation == blocked.relation), None)
    if measured_effect is None or not measured_effect.effect.blocks:
        return None
    duration = Duration(measured_effect.held_ms, measured_effect.held_ms)
    uncounted: list[str] = []
    for index in dict.fromkeys(work.statement for work in blocked.row_work):
        estimate, recorded = replayed.estimates.get(index), recorded_statements.get(index)
        if estimate is not None and recorded is not None:
            growth = Duration(max(estimate.low_ms - recorded.duration_ms, 0.0), max(estimate.high_ms - recorded.duration_ms, 0.0))
            duration += growth
        else:
            uncounted += [str(work.relation) for work in blocked.row_work if work.statement == index]
    uncertainty = f"it may be longer on production's rows of {', '.join(dict.fromkeys(uncounted))}" if uncounted else ""
    return _Hold(duration, uncertainty, "from what the replay measured")


def _compare_hold(results: _Results, hold: _Hold, limit: float, subject: str) -> None:
    comparison = f"{subject} {hold.duration}, {hold.basis}; the budget is {format_exact(limit)}"
    if hold.duration.low > limit:
        results.forbidden.append(comparison)
    elif hold.duration.high > limit:
        results.doubtful.append(comparison)
    elif hold.uncertainty:
        results.doubtful.append(f"{subject} an unknown time: {hold.uncertainty}; the budget is {format_exact(limit)}")


def _compare_wait(results: _Results, limit: float, blocked: BlockedRelation, hold: _Hold, place: str) -> None:
    """Compare how long later queries wait: for this lock, during the work, and while the transaction waits for further locks."""
    subject = f"{place}: queries of {blocked.relation} wait"
    if not blocked.lock_timeout:
        results.forbidden.append(
            f"{subject} as long as the longest transaction before them: no lock_timeout is known to limit that; "
            f"the budget is {format_exact(limit)}"
        )
        return
    waits = [blocked.lock_timeout, *blocked.later_lock_timeouts]
    if not all(waits):
        results.forbidden.append(
            f"{subject} while a later statement waits for its lock: no lock_timeout is known to limit that; the budget is {format_exact(limit)}"
        )
        return
    queue = float(sum(wait or 0 for wait in waits))
    if queue > limit:
        results.forbidden.append(
            f"{subject} up to {format_exact(queue)} until lock_timeout cancels the statement; the budget is {format_exact(limit)}"
        )
        return
    total_wait = _Hold(hold.duration + Duration(queue, queue), hold.uncertainty, hold.basis)
    _compare_hold(results, total_wait, limit, f"{subject} (up to {format_exact(queue)} for the lock, then for the work)")


def _compare_replay(results: _Results, slo: Budget, path: str, replayed: "ReplayedMigration | None") -> None:
    """Compare what a replay measured, whether or not it was predicted."""
    if replayed is None:
        return
    if replayed.recording.failure is not None:
        results.forbidden.append(f"{path}: it failed in the replay: {replayed.recording.failure.message}")
    elif replayed.emptying is not None and replayed.emptying.is_possible_in_production:
        results.forbidden.append(f"{path}: it failed in the replay on generated rows: {replayed.emptying.message}")
    longest: dict[tuple[Name, str], float] = {}
    for wait in replayed.recording.waits:
        longest[wait.relation, wait.access] = max(longest.get((wait.relation, wait.access), 0.0), wait.ms)
    for (relation, access), ms in longest.items():
        if slo.blocked is not None and ms > slo.blocked:
            description = f"{access} of {relation} waited for {format_exact(round(ms))} in the replay"
            results.forbidden.append(f"{path}: {description}; the budget is {format_exact(slo.blocked)}")
    for recorded in replayed.recording.statements:
        for measured_effect in recorded.measured_effects:
            effect = measured_effect.effect
            if slo.hold is None or effect.new or not measured_effect.takes_lock:
                continue
            if effect.blocks and measured_effect.held_ms > slo.hold:
                description = f"{effect.lock} on {effect.relation} was held for {format_exact(round(measured_effect.held_ms))} in the replay"
                results.forbidden.append(f"{path}: {description}; the budget is {format_exact(slo.hold)}")


def _compare_lost_rows(results: _Results, limit: int, path: str, all_facts: Sequence[OperationFacts]) -> None:
    """Compare the number of lost rows. A table whose row count is not known counts as one row."""
    losses = {loss.relation: loss for facts in all_facts for loss in facts.lost_rows if loss.rows != 0}
    if not losses:
        return
    min_rows = sum(1 if loss.rows is None or loss.may_be_fewer else loss.rows for loss in losses.values())
    may_be_more = any(loss.rows is None for loss in losses.values())
    max_rows = sum(loss.rows or 0 for loss in losses.values())
    names = joined(list(losses))
    budget = f"the budget is {limit:,}" if limit else "the budget is zero"
    if min_rows > limit:
        at_least = "at least " if min_rows != max_rows or may_be_more else ""
        results.forbidden.append(
            f"{path}: {at_least}{min_rows:,} row{'' if min_rows == 1 else 's'} of {names} {'is' if min_rows == 1 else 'are'} lost; {budget}"
        )
    elif may_be_more or max_rows > limit:
        results.doubtful.append(f"{path}: the number of lost rows of {names} is not known; {budget}")
