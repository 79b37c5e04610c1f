"""The events in the life of a transaction."""

from enum import Enum
from typing import NamedTuple


class TransitionKind(Enum):
    """The kinds of transition."""

    BEGAN = "began"
    COMMITTED = "committed"
    PREPARED = "prepared"
    """By PREPARE TRANSACTION. The next statement causes ROLLED_BACK if it is ROLLBACK PREPARED of this transaction, else COMMITTED."""
    ROLLED_BACK = "rolled back"
    SAVEPOINT = "savepoint"
    ROLLED_BACK_TO = "rolled back to"
    RELEASED = "released"


class Transition(NamedTuple):
    """One event in the life of a transaction.

    For savepoints, `depth` is the number of savepoints that were set before this one and still exist. After ROLLED_BACK_TO the savepoint
    still exists, after RELEASED it does not; both remove the later ones. So a journal needs no names, only a list of marks: SAVEPOINT appends
    a mark, ROLLED_BACK_TO undoes to `marks[depth]` and cuts the list to `depth + 1`, RELEASED cuts it to `depth`.
    """

    kind: TransitionKind
    depth: int = 0
    name: str = ""
