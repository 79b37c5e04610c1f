"""Statements with CONCURRENTLY that wait for the transactions of other sessions, and what remains when a timeout cancels one of them."""

from migsafe.linting.rule import Context
from migsafe.schema.objects import Relation
from migsafe.sql.operations import CreateIndex, DetachPartition, Drop, Name, Reindex

Concurrent = CreateIndex | Reindex | Drop | DetachPartition
"""Operations that can be CONCURRENTLY, as the annotation of a rule."""


def waits_concurrently(op: Concurrent, at: Context) -> bool:
    """Whether an operation is CONCURRENTLY and waits for older transactions that use an existing table, outside a transaction block."""
    # concurrently-in-transaction reports one inside a transaction.
    if not op.concurrently or at.session.in_block:
        return False
    return any(effect.waits and not effect.new for effect in at.effects) or (isinstance(op, Drop) and _drops_unknown_index(op, at))


def waited_for(op: Concurrent, at: Context) -> list[Name]:
    """Returns the tables whose transactions an operation waits for; empty if they are not known."""
    return [effect.relation for effect in at.effects if effect.waits and not effect.new]


def remains(op: Concurrent) -> str:
    """Returns what a cancelled operation leaves behind, as the end of a sentence."""
    match op:
        case Drop():
            return "the DROP fails and leaves the index INVALID: writes still maintain it, and it must be dropped again"
        case DetachPartition():
            return "the DETACH fails and leaves the partition pending detach, which only DETACH PARTITION … FINALIZE completes"
    return "the build fails and leaves an INVALID index"


def _drops_unknown_index(op: Drop, at: Context) -> bool:
    names = op.names if op.kind == "index" else ()
    return any(_is_in_use(name, at) for name in names)


def _is_in_use(name: Name, at: Context) -> bool:
    index = at.catalog.index(name)
    table = at.catalog.get(index.table) if index is not None else None
    return not at.catalog.is_new(table) if isinstance(table, Relation) else not at.catalog.is_absent(name)
