"""The values that a column may contain because its type is, or was earlier in the transaction, an enum."""

from msgspec import Struct

from migsafe import expressions
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.prediction.effects.type_changes import casts_of
from migsafe.schema.objects import Column, EnumType, Relation
from migsafe.sql.operations import AlterColumnType, Delete, TypeName, Update

_MARK = "⟨"
"""The beginning of a value that is known only when the migration runs."""
_TEXTS = frozenset(("text", "character varying"))


class _Known(Struct, frozen=True):
    values: tuple[str, ...]
    position: int
    transaction: int | None


class EnumColumns(Struct):
    """A rule's record of the columns that were enums when the migration changed their type: their values, by relation and number."""

    known: dict[tuple[int, int], _Known] = {}


def lost_values(op: AlterColumnType, relation: Relation, column: Column, columns: EnumColumns, at: Context) -> tuple[str, ...] | None:
    """Returns the values that the column may contain and that the new type, an enum or text, lacks. None if the values or the new type are
    unknown, or if USING computes something else. Values that an earlier statement of the migration has removed from the rows do not count, and
    none is known to be lost to an enum whose values are known only when the migration runs. A change to text is recorded in `columns`, because
    a change to an enum may follow in the transaction, which keeps its lock: then no other session writes in between."""
    key = (relation.oid, column.number)
    values = _values(column.type, at) or _values_before(columns.known.get(key), relation, at)
    if values is None or (op.using is not None and casts_of(op.using, op.column) is None):
        return None
    after = _values(op.type, at)
    if after is not None:
        lost = tuple(value for value in values if value not in after and _MARK not in value)
        if any(_MARK in value for value in after):
            return ()
        return tuple(value for value in lost if value not in _removed(relation, column, at)) if lost else ()
    if op.type.name not in _TEXTS or op.type.dimensions:
        return None
    columns.known[key] = _Known(values, at.position, at.session.transaction)
    limit = int(op.type.modifiers[0]) if op.type.modifiers else None
    return tuple(value for value in values if limit is not None and len(value) > limit)


def _values(type: TypeName | None, at: Context) -> tuple[str, ...] | None:
    enum = at.catalog.type_of(type) if type is not None and not type.dimensions else None
    return enum.values if isinstance(enum, EnumType) else None


def _removed(relation: Relation, column: Column, at: Context) -> frozenset[str]:
    """Returns the values that earlier statements of the migration have removed from a column."""
    return frozenset().union(
        *(
            expressions.removed_values(at.text(*done.operation.span), column.name)
            for done in at.past
            if isinstance(done.operation, Update | Delete) and at.catalog.resolve(done.operation.table) == relation.name
        )
    )


def _values_before(known: _Known | None, relation: Relation, at: Context) -> tuple[str, ...] | None:
    if known is None or known.transaction is None or known.transaction != at.session.transaction:
        return None
    effects = (effect for done in at.past[known.position :] for effect in done.effects)
    is_written = any(effect.relation == relation.name and effect.lock is LockMode.ROW_EXCLUSIVE for effect in effects)
    return None if is_written else known.values
