"""The statements whose locks made probe sessions wait."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from migsafe.replaying.recording.held_locks import HeldLock, held_locks
from migsafe.replaying.recording.records import StatementRecord, Wait
from migsafe.sql.operations import Name


def attribute_waits(waits: Iterable[Wait], statements: Sequence[StatementRecord]) -> tuple[Wait, ...]:
    """Returns the waits with the index of the statement that caused each: the one that took the first lock on the relation that blocks the
    access during the wait."""
    held = held_locks(statements)
    return tuple(replace(wait, statement=_cause(wait, held)) for wait in waits)


def _cause(wait: Wait, held: Mapping[Name, Sequence[HeldLock]]) -> int | None:
    end = wait.started + wait.ms / 1000
    for lock in held.get(wait.relation, ()):
        if wait.access in lock.blocks and lock.started <= end and lock.ended >= wait.started:
            return lock.statement
    return None
