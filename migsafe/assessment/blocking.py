"""The relations whose reads or writes a migration blocks, and the work that it does while it blocks them."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.durations import Duration, Work, estimate_duration, work_of
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name


class RowWork(Struct, frozen=True):
    """The work of a statement on every row of a relation.

    `rows` is None if the row count is not known, `reason` the end of a sentence. `measured_duration` is the estimate for production's rows that
    is based on a replay, if there was one.
    """

    statement: int
    relation: Name
    work: Work
    rows: int | None
    reason: str = ""
    measured_duration: Duration | None = None

    @property
    def duration(self) -> Duration | None:
        """Returns how long the work takes; None if the row count is not known."""
        if self.measured_duration is not None:
            return self.measured_duration
        return estimate_duration(self.work, self.rows) if self.rows is not None else None


class BlockedRelation(Struct, frozen=True, kw_only=True):
    """A relation whose reads or writes are blocked, from a statement to the end of its transaction.

    `effect` has the strongest lock that the whole statement requests. `row_work` is the work that is done meanwhile; `has_unknown_code` says
    whether code runs meanwhile that was not analysed. `later_lock_timeouts` are those of the later statements of the transaction that wait for
    further locks.
    """

    effect: Effect
    statement: int
    transaction: int
    lock_timeout: int | None
    row_work: tuple[RowWork, ...] = ()
    later_lock_timeouts: tuple[int | None, ...] = ()
    has_unknown_code: bool = False

    @property
    def relation(self) -> Name:
        """Returns the relation."""
        return self.effect.relation

    @property
    def duration(self) -> Duration:
        """Returns how long the lock is held after it is granted, without the work on relations of unknown size."""
        return total_duration(self.row_work)

    @property
    def relations_without_row_count(self) -> tuple[Name, ...]:
        """Returns the relations with work on every row whose row counts are not known."""
        return tuple(dict.fromkeys(one.relation for one in self.row_work if one.rows is None))


def total_duration(labour: Iterable[RowWork]) -> Duration:
    """Returns how long work takes in total, without the work on relations of unknown size."""
    return sum((one.duration for one in labour if one.duration is not None), start=Duration())


def with_statement_locks(observed: Sequence[OperationFacts]) -> list[OperationFacts]:
    """Returns the operations, each with the locks that its whole statement takes: ALTER TABLE requests the strongest at once."""
    strongest: dict[tuple[int, Name], LockMode] = {}
    for one in observed:
        for effect in one.effects:
            key = (one.statement, effect.relation)
            strongest[key] = max(strongest.get(key, effect.lock), effect.lock)
    return [
        replace(one, effects=tuple(replace(effect, lock=strongest[one.statement, effect.relation]) for effect in one.effects))
        for one in observed
    ]


def find_row_work(observed: Iterable[OperationFacts]) -> Iterator[RowWork]:
    """Yields the work on every row, each kind once per statement and relation: one ALTER TABLE reads its table once."""
    done: set[tuple[int, Name, Work]] = set()
    timed: set[int] = set()
    for one in observed:
        for effect in one.effects:
            work = work_of(one.operation, effect)
            key = (one.statement, effect.relation, work) if work is not None else None
            if work is not None and key is not None and key not in done:
                done.add(key)
                # The measured time of a statement includes all its work.
                time = Duration() if one.statement in timed else one.measured_duration
                timed |= {one.statement} if one.measured_duration is not None else set()
                yield RowWork(one.statement, effect.relation, work, one.rows.get(effect.relation), effect.why, time)


def find_blocked_relations(observed: Sequence[OperationFacts]) -> list[BlockedRelation]:
    """Returns each relation once per transaction, and again where a stronger lock blocks more."""
    found: list[BlockedRelation] = []
    level: dict[tuple[int, Name], int] = {}
    observed = [one for one in with_statement_locks(observed) if one.transaction is not None]
    for one in observed:
        for effect in one.blocking_effects:
            key = (one.transaction or 0, effect.relation)
            if len(effect.blocks) > level.get(key, 0):
                level[key] = len(effect.blocks)
                number = one.transaction or 0
                found.append(BlockedRelation(effect=effect, statement=one.statement, transaction=number, lock_timeout=one.lock_timeout))
    work = {number: tuple(find_row_work(one for one in observed if one.transaction == number)) for number in {one.transaction for one in found}}
    opaque = {(one.transaction, one.statement) for one in observed if isinstance(one.operation, sql.OpaqueCode | sql.Unparsed)}
    return [
        replace(
            one,
            row_work=tuple(each for each in work[one.transaction] if each.statement >= one.statement),
            later_lock_timeouts=tuple(_later(one, found).values()),
            has_unknown_code=any(number == one.transaction and statement >= one.statement for number, statement in opaque),
        )
        for one in found
    ]


def _later(one: BlockedRelation, others: Sequence[BlockedRelation]) -> dict[int, int | None]:
    """Returns the later statements of the transaction that wait for a lock on another relation, with their timeouts."""
    return {
        other.statement: other.lock_timeout
        for other in others
        if other.transaction == one.transaction and other.statement > one.statement and other.relation != one.relation
    }
