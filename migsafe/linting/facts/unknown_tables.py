"""Statements on an index that the history does not know: its table exists, but has no known name."""

from migsafe.linting.rule import Context
from migsafe.sql.operations import Drop, Name, Operation, Reindex


def index_of_unknown_table(op: Operation, at: Context) -> Name | None:
    """Returns the index that DROP INDEX or REINDEX INDEX locks together with its unknown table; None if the table is known, or there may be no
    such index."""
    names: tuple[Name, ...] = ()
    match op:
        case Drop(kind="index", concurrently=False):
            names = tuple(name for name in op.names if not (op.if_exists and at.catalog.is_never_found(name)))
        case Reindex(kind="index", concurrently=False) if op.name is not None:
            names = (op.name,)
    return next((name for name in names if at.catalog.index(name) is None and not at.catalog.is_absent(name)), None)
