"""Lock modes (manual, 13.3.1, Table-Level Locks)."""

from enum import Enum


class LockMode(Enum):
    """The mode of a lock on a table: its value is what SQL and people call it, `pg_locks` what the view of that name does."""

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

    @property
    def pg_locks(self) -> str:
        """The mode as pg_locks spells it, such as `AccessExclusiveLock`."""
        return self.value.title().replace(" ", "") + "Lock"

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits while the lock is held: `reads` (SELECT, and COPY and pg_dump with it), `writes` (INSERT, UPDATE, DELETE)."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return ("reads", "writes")
        writes = (LockMode.SHARE, LockMode.SHARE_ROW_EXCLUSIVE, LockMode.EXCLUSIVE)
        return ("writes",) if self in writes else ()
