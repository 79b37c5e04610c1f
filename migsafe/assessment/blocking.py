"""The relations whose reads or writes a migration blocks, and the work that it does while it blocks them."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.durations import Duration, Work, estimate_duration, work_of
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
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
        return tuple(dict.fromkeys(work.relation for work in self.row_work if work.rows is None))


def total_duration(row_work: Iterable[RowWork]) -> Duration:
    """Returns how long work takes in total, without the work on relations of unknown size."""
    return sum((work.duration for work in row_work if work.duration is not None), start=Duration())


def with_statement_locks(all_facts: Sequence[OperationFacts]) -> list[OperationFacts]:
    """Returns the operations, each with the locks that its whole statement takes: ALTER TABLE requests the strongest at once."""
    strongest: dict[tuple[int, Name], LockMode] = {}
    for facts in all_facts:
        for effect in facts.effects:
            key = (facts.statement, effect.relation)
            strongest[key] = max(strongest.get(key, effect.lock), effect.lock)
    return [
        replace(facts, effects=tuple(replace(effect, lock=strongest[facts.statement, effect.relation]) for effect in facts.effects))
        for facts in all_facts
    ]


def find_row_work(all_facts: Iterable[OperationFacts]) -> Iterator[RowWork]:
    """Yields the work on every row, each kind once per statement and relation: one ALTER TABLE reads its table once."""
    seen: set[tuple[int, Name, Work]] = set()
    timed_statements: set[int] = set()
    for facts in all_facts:
        for effect in facts.effects:
            work = work_of(facts.operation, effect)
            key = (facts.statement, effect.relation, work) if work is not None else None
            if work is not None and key is not None and key not in seen:
                seen.add(key)
                # The measured time of a statement includes all its work.
                duration = Duration() if facts.statement in timed_statements else facts.measured_duration
                timed_statements |= {facts.statement} if facts.measured_duration is not None else set()
                yield RowWork(facts.statement, effect.relation, work, facts.rows.get(effect.relation), effect.why, duration)


def find_blocked_relations(all_facts: Sequence[OperationFacts]) -> list[BlockedRelation]:
    """Returns each relation once per transaction, and again where a stronger lock blocks more."""
    blocked_relations: list[BlockedRelation] = []
    levels: dict[tuple[int, Name], int] = {}
    all_facts = [facts for facts in with_statement_locks(all_facts) if facts.transaction is not None]
    for facts in all_facts:
        for effect in facts.blocking_effects:
            key = (facts.transaction or 0, effect.relation)
            if len(effect.blocks) > levels.get(key, 0):
                levels[key] = len(effect.blocks)
                transaction = facts.transaction or 0
                blocked_relations.append(
                    BlockedRelation(effect=effect, statement=facts.statement, transaction=transaction, lock_timeout=facts.lock_timeout)
                )
    row_work = {
        transaction: tuple(find_row_work(facts for facts in all_facts if facts.transaction == transaction))
        for transaction in {blocked.transaction for blocked in blocked_relations}
    }
    unknown_code = {(facts.transaction, facts.statement) for facts in all_facts if facts.is_unknown_code}
    return [
        replace(
            blocked,
            row_work=tuple(work for work in row_work[blocked.transaction] if work.statement >= blocked.statement),
            later_lock_timeouts=tuple(_later_lock_timeouts(blocked, blocked_relations).values()),
            has_unknown_code=any(
                transaction == blocked.transaction and statement >= blocked.statement for transaction, statement in unknown_code
            ),
        )
        for blocked in blocked_relations
    ]


def _later_lock_timeouts(blocked: BlockedRelation, blocked_relations: Sequence[BlockedRelation]) -> dict[int, int | None]:
    """Returns the later statements of the transaction that wait for a lock on another relation, with their timeouts."""
    return {
        later.statement: later.lock_timeout
        for later in blocked_relations
        if later.transaction == blocked.transaction and later.statement > blocked.statement and later.relation != blocked.relation
    }
