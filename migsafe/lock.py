"""Lock modes (manual, 13.3.1, Table-Level Locks)."""

from enum import Enum


def _blocks(name: str) -> tuple[str, ...]:
    """Returns what waits for a mode that is held."""
    if name == "ACCESS EXCLUSIVE":
        return ("reads", "writes")
    return ("writes",) if name in ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE") else ()


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

    # Modes are compared and looked up for every statement; Enum would hash their names each time.
    __hash__ = object.__hash__

    def __init__(self, name: str) -> None:
        self.strength = len(type(self).__members__) + 1
        """1 for the weakest mode, 8 for the strongest, as in PostgreSQL's lockdefs.h."""
        self.blocks = _blocks(name)
        """What waits while the lock is held: `reads` (SELECT, COPY TO, pg_dump), `writes` (INSERT, UPDATE, DELETE)."""

    def __str__(self) -> str:
        return self.value

    def __lt__(self, other: "LockMode") -> bool:
        return self.strength < other.strength

    def __ge__(self, other: "LockMode") -> bool:
        return self.strength >= other.strength

    @property
    def pg_locks(self) -> str:
        """The name in pg_locks, such as `AccessExclusiveLock`."""
        return self.value.title().replace(" ", "") + "Lock"
