"""The statements whose locks made probe sessions wait."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.replaying.recording.held_locks import HeldLock, held_locks
from migsafe.replaying.recording.records import Access, StatementRecord, Wait
from migsafe.sql.operations import Name


class ProbeWait(Struct, frozen=True, kw_only=True):
    """A wait of a probe session before its cause is known. `wait` has the relation that the query was chosen for; `uses` are all that it reads
    and writes. `seen` are the relations that it was seen waiting for, one for each look; None for what is not one of these."""

    wait: Wait
    uses: Mapping[Name, Access]
    seen: tuple[Name | None, ...] = ()


def attribute_waits(waits: Iterable[ProbeWait], statements: Sequence[StatementRecord]) -> tuple[Wait, ...]:
    """Returns the waits, each with the relation whose lock it waited for, and the index of the statement that caused it: the one that took the
    first lock on the relation that blocks the access during the wait.

    A query that uses several relations waited for the one that pg_locks showed most often; if none was seen, for the one whose lock was held
    during most of the wait. If no lock explains a wait on which the server saw the session wait for a lock, a statement waited itself and gave
    up: later queries wait behind its request (manual, 13.3). Of several, it is the one that waited first.
    """
    held = held_locks(statements)
    waiting = [record for record in statements if record.waited_ms > 0]
    return tuple(_attributed(each, held, waiting) for each in waits)


def _attributed(probe: ProbeWait, held: Mapping[Name, Sequence[HeldLock]], waiting: Sequence[StatementRecord]) -> Wait:
    wait = replace(probe.wait, seen_waiting=bool(probe.seen))
    # An access that is generated for a relation is that of the probe; a query of the application may read one relation and write another.
    relations = [wait.relation, *(name for name in probe.uses if name != wait.relation)]
    seen = Counter(name for name in probe.seen if name in probe.uses)
    if seen:
        relation = max(relations, key=lambda name: seen[name])
    else:
        relation = max(relations, key=lambda name: _overlap(wait, probe.uses.get(name, wait.access), held.get(name, ())))
    wait = replace(wait, relation=relation, access=probe.uses.get(relation, wait.access))
    cause = next((lock.statement for lock in _explaining(wait, wait.access, held.get(relation, ()))), None)
    return replace(wait, statement=cause if cause is not None else _request(wait, waiting) if wait.seen_waiting else None)


def _explaining(wait: Wait, access: Access, locks: Iterable[HeldLock]) -> Iterator[HeldLock]:
    """Yields the locks on a relation that block an access to it during the wait."""
    end = wait.started + wait.ms / 1000
    for lock in locks:
        if access in lock.blocks and lock.started <= end and lock.ended >= wait.started:
            yield lock


def _overlap(wait: Wait, access: Access, locks: Iterable[HeldLock]) -> float:
    """Returns for how many seconds of the wait locks blocked the access; at least something for one that was held too briefly to be seen."""
    end = wait.started + wait.ms / 1000
    return sum(min(lock.ended, end) - max(lock.started, wait.started) + 1e-6 for lock in _explaining(wait, access, locks))


def _request(wait: Wait, waiting: Iterable[StatementRecord]) -> int | None:
    end = wait.started + wait.ms / 1000
    during = (record for record in waiting if record.started <= end and record.started + record.duration_ms / 1000 >= wait.started)
    return next((record.statement.index for record in during), None)
