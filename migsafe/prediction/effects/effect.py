"""An effect on a relation: the same type for predicted and for measured effects."""

from collections.abc import Iterable

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.sql.operations import Name


class Effect(Struct, frozen=True, kw_only=True):
    """What an operation, or a whole statement, does to one relation that existed before it.

    `relation` is the name with its schema, as it was before the statement. `kind` is `table`, `partitioned table`, `foreign table`,
    `materialized view` or `view`; indexes, sequences, TOAST tables and system catalogues have no effect of their own.

    `lock` is the strongest lock on the relation while the work is done, `index_lock` the strongest on one of its indexes. `final_lock` is a
    stronger lock that is requested when the work is done and held for a moment (REPACK with CONCURRENTLY). `rewrite`: all rows are rewritten.
    `scan`: all rows are read. `rebuilt` names the indexes that are rebuilt without a rewrite of the rows. `waits`: the statement waits for
    running transactions that use the relation, although it does not block them (the CONCURRENTLY commands). `new`: the relation was created
    earlier in the same migration and is empty, or in the transaction that is open, so no other session uses it; `filled`: it has rows already.
    `why` is the cause of the rewrite or the scan, as the end of a sentence; a measured effect has none.
    """

    relation: Name
    kind: str
    lock: LockMode
    index_lock: LockMode | None = None
    final_lock: LockMode | None = None
    rewrite: bool = False
    scan: bool = False
    rebuilt: tuple[str, ...] = ()
    waits: bool = False
    new: bool = False
    filled: bool = False
    why: str = ""

    @property
    def strongest_lock(self) -> LockMode:
        """The strongest lock that is requested on the relation, be it for a moment: other sessions wait behind the request."""
        return self.lock if self.final_lock is None else max(self.lock, self.final_lock)

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits while the locks are held: `reads` and `writes`, `writes`, or nothing."""
        return blocked_by(self.lock, self.index_lock)

    @property
    def blocked_commands(self) -> str:
        """The commands that wait while the locks are held, for a sentence with `every` before it: `INSERT, UPDATE and DELETE`."""
        if self.kind == "materialized view":
            commands = {"reads": "SELECT", "writes": "REFRESH"}
            return " and ".join(commands[access] for access in self.blocks)
        return {0: "", 1: "INSERT, UPDATE and DELETE", 2: "SELECT, INSERT, UPDATE and DELETE"}[len(self.blocks)]


def blocked_by(lock: LockMode, index_lock: LockMode | None) -> tuple[str, ...]:
    """Returns what waits while a lock on a relation and one on its indexes are held: `reads` and `writes`, `writes`, or nothing.

    Planning a query takes ACCESS SHARE on every index of its tables, so that ACCESS EXCLUSIVE on an index stops readers too.
    """
    return LockMode.ACCESS_EXCLUSIVE.blocks if index_lock is LockMode.ACCESS_EXCLUSIVE else lock.blocks


def combine_effects(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Returns one effect for each relation, at its strongest, in the order in which the relations first occur."""
    effects = tuple(effects)
    if len(effects) < 2:
        return effects
    by_relation: dict[Name, Effect] = {}
    for effect in effects:
        before = by_relation.get(effect.relation)
        by_relation[effect.relation] = effect if before is None else _combine(before, effect)
    return tuple(by_relation.values())


def _combine(first: Effect, second: Effect) -> Effect:
    return Effect(
        relation=first.relation,
        kind=first.kind,
        lock=max(first.lock, second.lock),
        index_lock=max((lock for lock in (first.index_lock, second.index_lock) if lock is not None), default=None),
        final_lock=max((lock for lock in (first.final_lock, second.final_lock) if lock is not None), default=None),
        rewrite=first.rewrite or second.rewrite,
        scan=first.scan or second.scan,
        rebuilt=tuple(dict.fromkeys((*first.rebuilt, *second.rebuilt))),
        waits=first.waits or second.waits,
        new=first.new,
        filled=first.filled,
        why=(first.why if first.rewrite >= second.rewrite and first.why else second.why) or first.why,
    )
