"""Which relations a migration locks so that others wait, from which statement on, and what it does until it lets go."""

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
    """What a statement does with every row of a relation; `rows` is None where nobody knows how many, `why` the end of a sentence. `timed` is
    how long it takes on production's rows by what a replay has measured, where there was one."""

    statement: int
    relation: Name
    work: Work
    rows: int | None
    reason: str = ""
    measured_duration: Duration | None = None

    @property
    def duration(self) -> Duration | None:
        """How long that takes; None where nobody knows the rows."""
        if self.measured_duration is not None:
            return self.measured_duration
        return estimate_duration(self.work, self.rows) if self.rows is not None else None


class BlockedRelation(Struct, frozen=True, kw_only=True):
    """A relation that is locked so that others wait, from a statement to the end of its transaction.

    `effect` has the lock that the whole statement asks for. `labour` is the work done meanwhile, `unknown` whether code runs meanwhile of which
    nobody knows what it does. `waits` are the lock timeouts of the statements of the transaction that wait for further locks meanwhile.
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
        """The relation."""
        return self.effect.relation

    @property
    def duration(self) -> Duration:
        """How long the work takes that is known, once the lock is there."""
        return total_duration(self.row_work)

    @property
    def relations_without_row_count(self) -> tuple[Name, ...]:
        """The relations that are worked through meanwhile, and of which nobody knows how many rows they have."""
        return tuple(dict.fromkeys(one.relation for one in self.row_work if one.rows is None))


def total_duration(labour: Iterable[RowWork]) -> Duration:
    """How long work takes, as far as it is known."""
    return sum((one.duration for one in labour if one.duration is not None), start=Duration())


def with_statement_locks(observed: Sequence[OperationFacts]) -> list[OperationFacts]:
    """The operations, each with the locks that its whole statement takes: ALTER TABLE asks for the strongest at once."""
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
    """The work on every row, each kind once for a statement and a relation: one ALTER TABLE goes through its table once."""
    done: set[tuple[int, Name, Work]] = set()
    timed: set[int] = set()
    for one in observed:
        for effect in one.effects:
            work = work_of(one.operation, effect)
            key = (one.statement, effect.relation, work) if work is not None else None
            if work is not None and key is not None and key not in done:
                done.add(key)
                # The time of a statement is that of all its work.
                time = Duration() if one.statement in timed else one.measured_duration
                timed |= {one.statement} if one.measured_duration is not None else set()
                yield RowWork(one.statement, effect.relation, work, one.rows.get(effect.relation), effect.why, time)


def find_blocked_relations(observed: Sequence[OperationFacts]) -> list[BlockedRelation]:
    """Each relation once for a transaction, and again where its lock grows so that more have to wait."""
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
            labour=tuple(each for each in work[one.transaction] if each.statement >= one.statement),
            waits=tuple(_later(one, found).values()),
            unknown=any(number == one.transaction and statement >= one.statement for number, statement in opaque),
        )
        for one in found
    ]


def _later(one: BlockedRelation, others: Sequence[BlockedRelation]) -> dict[int, int | None]:
    """The statements of the transaction that wait for a lock after this one, with their timeouts."""
    return {
        other.statement: other.lock_timeout
        for other in others
        if other.transaction == one.transaction and other.statement > one.statement and other.relation != one.relation
    }
