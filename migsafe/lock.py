"""Lock modes (manual, 13.3.1, Table-Level Locks)."""

from enum import Enum


class LockMode(Enum):
    """The mode of a lock on a table: its value is its name in SQL, `pg_locks` its name in the view pg_locks.

    Modes compare by strength, in the order of the manual.
    """

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    def __str__(self) -> str:
        return self.value

    def __lt__(self, other: "LockMode") -> bool:
        return self.strength < other.strength

    def __ge__(self, other: "LockMode") -> bool:
        return self.strength >= other.strength

    @property
    def strength(self) -> int:
        """1 for the weakest mode, 8 for the strongest, as in PostgreSQL's lockdefs.h."""
        return _STRENGTH[self]

    @property
    def pg_locks(self) -> str:
        """The name in pg_locks, such as `AccessExclusiveLock`."""
        return self.value.title().replace(" ", "") + "Lock"

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits while the lock is held: `reads` (SELECT, COPY TO, pg_dump), `writes` (INSERT, UPDATE, DELETE)."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return ("reads", "writes")
        return ("writes",) if self >= LockMode.SHARE else ()


_STRENGTH = {mode: number for number, mode in enumerate(LockMode, 1)}
