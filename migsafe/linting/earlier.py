"""What ran before an operation: the earlier operations of its migration, and the earlier migrations of its transaction."""

from collections.abc import Hashable, Mapping, Sequence

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sources import Migration
from migsafe.sql.operations import Insert, Operation
from migsafe.sql.statements import Statement


class PastOperation(Struct, frozen=True):
    """An operation that has run: its statement, its effects, the number of its transaction, and the locks that this held before."""

    statement: Statement
    operation: Operation
    effects: tuple[Effect, ...]
    transaction: int | None
    held: Mapping[Hashable, LockMode]


_ENOUGH = 1000
"""How many equal INSERTs, one after the other, a rule may need to see."""


def repeats_insert(past: Sequence[PastOperation], operation: Operation, transaction: int | None) -> bool:
    """Whether an operation is another of many INSERTs into the same columns of one table, as in a dump: rules learn nothing from one more."""
    if not isinstance(operation, Insert) or len(past) < _ENOUGH:
        return False
    return all(
        isinstance(done.operation, Insert)
        and (done.operation.table, done.operation.columns, done.transaction) == (operation.table, operation.columns, transaction)
        for done in (past[-1], past[-_ENOUGH])
    )


class EarlierMigration(Struct, frozen=True):
    """A migration that the runner applied before another one in the same run: its operations, the number of the transaction in which it ended,
    and the locks that this held then. One that is not `judged` may have been applied long ago."""

    migration: Migration
    past: tuple[PastOperation, ...]
    transaction: int | None
    held: Mapping[Hashable, LockMode]
    judged: bool = True


class SharedTransaction(Struct, frozen=True):
    """A transaction that began in an earlier migration of the same run.

    `earlier` are the migrations before this one that ended in it. `own_transaction_advice` says, as an imperative, how each migration gets its
    own transaction; empty if the runner does not support it.
    """

    earlier: tuple[EarlierMigration, ...]
    own_transaction_advice: str

    def holder(self, relation: Hashable) -> Migration | None:
        """Returns the earlier migration that took the lock that was held on a relation when this one began; None if no lock was held."""
        holder, lock = None, None
        for earlier in self.earlier:
            current = earlier.held.get(relation)
            if current != lock:
                holder, lock = earlier.migration, current
        return holder if lock is not None else None
