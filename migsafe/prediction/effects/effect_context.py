"""What the effects of an operation depend on: the database and the session."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.catalog import Catalog
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Name, Operation
from migsafe.text import MARK_START

Effects = Iterator[Effect]

_NOT_TABLES = frozenset(("sequence", "index"))
"""The kinds that ALTER may name that have no effect of their own."""


class EffectContext(Struct):
    """The database as the operation finds it, and the session that runs it.

    `timezone` is the TimeZone of the session, None for that of the server; `prepared_operations` returns what EXECUTE of a name runs.
    """

    catalog: Catalog
    timezone: str | None = None
    prepared_operations: Callable[[str], tuple[Operation, ...]] = lambda _: ()

    @property
    def pg_version(self) -> int:
        """The server's major version."""
        return self.catalog.pg_version

    def effect_on(self, relation: Relation, lock: LockMode, **more: Any) -> Effects:
        """Yields the effect on a known relation; nothing for a sequence."""
        if relation.kind is not RelationKind.SEQUENCE:
            new, filled = self.catalog.is_new(relation), relation.may_have_rows
            yield Effect(relation=relation.name, kind=relation.kind.value, lock=lock, new=new, filled=filled, **more)

    def effect_on_name(self, name: Name, lock: LockMode, kind: str = "table", **more: Any) -> Effects:
        """Yields the effect on a relation that a statement names, nothing for system catalogues, sequences and indexes, and for a name that is
        only known at run time. An unknown relation is assumed to be of the given `kind`."""
        relation = self.catalog.relation(name)
        if relation is not None:
            yield from self.effect_on(relation, lock, **more)
            return
        resolved = self.catalog.resolve(name)
        if MARK_START in name.name:
            return
        if resolved.schema not in SYSTEM_SCHEMAS and kind not in _NOT_TABLES and self.catalog.index(name) is None:
            yield Effect(relation=resolved, kind=kind, lock=lock, **more)

    def effect_on_oid(self, oid: int | None, lock: LockMode, **more: Any) -> Effects:
        """Yields the effect on the relation with this oid, if there is one."""
        relation = self.catalog.get(oid) if oid is not None else None
        if isinstance(relation, Relation):
            yield from self.effect_on(relation, lock, **more)

    def with_descendants(self, relation: Relation, *, only: bool = False) -> list[Relation]:
        """Returns the relation and, without ONLY, its partitions and inheriting tables."""
        return [relation] if only else [relation, *self.catalog.descendants(relation.oid)]

    def effects_on(self, relations: Iterable[Relation], lock: LockMode, **more: Any) -> Effects:
        """Yields the same effect on several relations."""
        for relation in relations:
            yield from self.effect_on(relation, lock, **more)

    def has_rows(self, relation: Relation) -> bool:
        """Whether a relation has rows of its own to rewrite or scan: partitioned tables and views have none."""
        return relation.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED)
