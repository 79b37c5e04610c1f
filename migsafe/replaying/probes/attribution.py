"""The statements whose locks made probe sessions wait."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from migsafe.replaying.recording.held_locks import HeldLock, held_locks
from migsafe.replaying.recording.records import StatementRecord, Wait
from migsafe.sql.operations import Name


def attribute_waits(waits: Iterable[Wait], statements: Sequence[StatementRecord]) -> tuple[Wait, ...]:
    """Returns the waits with the index of the statement that caused each: the one that took the first lock on the relation that blocks the
    access during the wait.

    If no lock explains a wait on which the server saw the session wait for a lock, a statement waited itself and gave up: later queries
    wait behind its request (manual, 13.3). Of several, it is the one that waited first.
    """
    held = held_locks(statements)
    waiting = [record for record in statements if record.waited_ms > 0]
    return tuple(replace(wait, statement=_cause(wait, held) or (_request(wait, waiting) if wait.seen_waiting else None)) for wait in waits)


def _cause(wait: Wait, held: Mapping[Name, Sequence[HeldLock]]) -> int | None:
    end = wait.started + wait.ms / 1000
    for lock in held.get(wait.relation, ()):
        if wait.access in lock.blocks and lock.started <= end and lock.ended >= wait.started:
            return lock.statement
    return None


def _request(wait: Wait, waiting: Iterable[StatementRecord]) -> int | None:
    end = wait.started + wait.ms / 1000
    during = (record for record in waiting if record.started <= end and record.started + record.duration_ms / 1000 >= wait.started)
    return next((record.statement.index for record in during), None)
