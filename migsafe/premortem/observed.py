"""What a pre-mortem has to know of each operation, looked at where it runs."""

from collections.abc import Mapping

from msgspec import Struct

from migsafe.effects.effect import Effect
from migsafe.finding import Severity
from migsafe.lock import LockMode
from migsafe.rule import Context, Rule
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import Name, Operation
from migsafe.stats import counted


class Surroundings(Struct, frozen=True):
    """What is tied to a relation: tables that refer to it, tables that it refers to, views that read it."""

    referring: tuple[Name, ...] = ()
    referred: tuple[Name, ...] = ()
    views: tuple[Name, ...] = ()


class Observed(Struct, frozen=True, kw_only=True):
    """An operation of a judged migration.

    `effects` are those on relations that others can know, `held` the locks that its transaction had before, which stop somebody.
    `lock_timeout` is in milliseconds, 0 where none is in effect, None where the server decides. `rows` and `around` are by relation.
    """

    operation: Operation
    statement: int
    effects: tuple[Effect, ...]
    held: Mapping[Name, LockMode]
    transaction: int | None
    lock_timeout: int | None
    rows: Mapping[Name, int]
    around: Mapping[Name, Surroundings]

    @property
    def disturbing(self) -> list[Effect]:
        """The effects that stop reads or writes."""
        return [effect for effect in self.effects if effect.blocks]


def collector(found: dict[tuple[str, str], list[Observed]]) -> Rule:
    """A rule that reports nothing, and writes down every operation, by path and migration."""

    def collect(op: Operation, at: Context) -> None:
        effects = tuple(effect for effect in at.effects if not effect.new and effect.relation.schema != "pg_temp")
        timeout = at.session.settings.lock_timeout_ms
        names = [effect.relation for effect in effects]
        found.setdefault((at.migration.up.file.path, at.migration.id), []).append(
            Observed(
                operation=op,
                statement=at.statement.index,
                effects=effects,
                held={name: lock for name, lock in at.held.items() if isinstance(name, Name) and lock.blocks},
                transaction=at.session.transaction,
                lock_timeout=timeout if timeout is not None else at.limits.lock_timeout,
                rows={name: number for name in names if (number := counted(at.limits.rows, name)) is not None},
                around={name: _around(at, name) for name in names},
            )
        )

    return Rule(name="premortem", category="premortem", severity=Severity.INFO, documentation="", operations=(Operation,), check=collect)


def _around(at: Context, name: Name) -> Surroundings:
    catalog = at.catalog
    relation = catalog.relation(name)
    if relation is None:
        return Surroundings()
    referring = {_name(catalog.get(one.table)) for one in catalog.referencing(relation.oid) if one.table != relation.oid}
    referred = {_name(catalog.get(one.references)) for one in catalog.constraints(relation.oid) if one.references not in (None, relation.oid)}
    views = {
        one.name
        for one in catalog.mentioning(relation.oid, Relation)
        if one.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED) and relation.oid in one.reads
    }
    return Surroundings(_sorted(referring), _sorted(referred), _sorted(views))


def _name(one: object) -> Name | None:
    return one.name if isinstance(one, Relation) else None


def _sorted(names: "set[Name] | set[Name | None]") -> tuple[Name, ...]:
    return tuple(sorted((name for name in names if name is not None), key=str))
