"""What happens to a transaction."""

from enum import Enum
from typing import NamedTuple


class TransitionKind(Enum):
    """A way in which a transaction goes on."""

    BEGAN = "began"
    COMMITTED = "committed"
    PREPARED = "prepared"
    """By PREPARE TRANSACTION: the next statement brings ROLLED_BACK if it is ROLLBACK PREPARED of this one, else COMMITTED."""
    ROLLED_BACK = "rolled back"
    SAVEPOINT = "savepoint"
    ROLLED_BACK_TO = "rolled back to"
    RELEASED = "released"


class Transition(NamedTuple):
    """One turn of a transaction.

    `depth` is for the turns of savepoints: how many savepoints stood before the one that it is about. After ROLLED_BACK_TO that one still
    stands, after RELEASED it is gone; those set after it are gone either way. So a journal needs no names: it keeps a list of marks,
    appends one at SAVEPOINT, goes back to `marks[depth]` and cuts the list to `depth + 1`, or cuts it to `depth`.
    """

    kind: TransitionKind
    depth: int = 0
    name: str = ""
