"""What ran before an operation: the earlier operations of its migration, and the earlier migrations of its transaction."""

from collections.abc import Hashable, Mapping

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sources import Migration
from migsafe.sql.operations import Operation
from migsafe.sql.statements import Statement
from migsafe.text import Span


class PastOperation(Struct, frozen=True):
    """An operation that has run: its statement, its effects, the number of its transaction, and the locks that this held before.

    An INSERT of a dump stands for the `equal` ones that follow it, the last of which is at `last_equal`. `found_nothing`: the IF NOT EXISTS of
    an ADD COLUMN certainly found no column.
    """

    statement: Statement
    operation: Operation
    effects: tuple[Effect, ...]
    transaction: int | None
    held: Mapping[Hashable, LockMode]
    equal: int = 0
    last_equal: Span | None = None
    found_nothing: bool = False


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
