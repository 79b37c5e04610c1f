"""What happens to a relation: one shape, whether it was predicted or measured."""

from collections.abc import Iterable

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.sql.operations import Name


class Effect(Struct, frozen=True, kw_only=True):
    """What an operation, or a whole statement, does to one relation that was there before it.

    `relation` is the name with its schema, as it was before the statement. `kind` is `table`, `partitioned table`, `foreign table`,
    `materialized view` or `view`; indexes, sequences, TOAST tables and system catalogues have no effect of their own.

    `lock` is the strongest lock on the relation, `index_lock` the strongest on one of its indexes. `rewrite`: its rows are written anew.
    `scan`: they are read from end to end. `rebuilt` names its indexes that are built anew without the rows being rewritten. `waits`: the
    statement waits for running transactions that use the relation, although it does not block them (the CONCURRENTLY family). `new`: the
    relation was created earlier in the same migration, and nobody else can know it. `why` says what causes the rewrite or the scan, as
    the end of a sentence; a measured effect has none.
    """

    relation: Name
    kind: str
    lock: LockMode
    index_lock: LockMode | None = None
    rewrite: bool = False
    scan: bool = False
    rebuilt: tuple[str, ...] = ()
    waits: bool = False
    new: bool = False
    why: str = ""

    @property
    def blocks(self) -> tuple[str, ...]:
        """What waits while the locks are held: `reads`, `writes`.

        Planning a query takes ACCESS SHARE on every index of its tables, so that ACCESS EXCLUSIVE on an index stops readers too.
        """
        return LockMode.ACCESS_EXCLUSIVE.blocks if self.index_lock is LockMode.ACCESS_EXCLUSIVE else self.lock.blocks

    @property
    def blocked_commands(self) -> str:
        """Who waits while the locks are held, in SQL's words, for a sentence with `every` before it: `INSERT, UPDATE and DELETE`."""
        if self.kind == "materialized view":
            who = {"reads": "SELECT", "writes": "REFRESH"}
            return " and ".join(who[one] for one in self.blocks)
        return {0: "", 1: "INSERT, UPDATE and DELETE", 2: "SELECT, INSERT, UPDATE and DELETE"}[len(self.blocks)]


def combine_effects(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """One effect a relation, at its strongest, in the order in which the relations first came."""
    given = tuple(effects)
    if len(given) < 2:
        return given
    found: dict[Name, Effect] = {}
    for effect in given:
        before = found.get(effect.relation)
        found[effect.relation] = effect if before is None else _both(before, effect)
    return tuple(found.values())


def _both(one: Effect, other: Effect) -> Effect:
    return Effect(
        relation=one.relation,
        kind=one.kind,
        lock=max(one.lock, other.lock),
        index_lock=max((lock for lock in (one.index_lock, other.index_lock) if lock is not None), default=None),
        rewrite=one.rewrite or other.rewrite,
        scan=one.scan or other.scan,
        rebuilt=tuple(dict.fromkeys((*one.rebuilt, *other.rebuilt))),
        waits=one.waits or other.waits,
        new=one.new,
        why=(one.why if one.rewrite >= other.rewrite and one.why else other.why) or one.why,
    )
