"""LOCK TABLE, which says that the statements after it belong together: a fix must not move them out of its transaction."""

from migsafe.fixes.shapes import mentioned_names
from migsafe.fixes.way import Way
from migsafe.session import sent_statements
from migsafe.sources import Migration
from migsafe.sql.operations import Begin, Commit, LockTable, Rollback
from migsafe.sql.statements import Statement


def protecting_lock(migration: Migration, statement: Statement, way: Way) -> str:
    """Returns why a fix must not move a statement, as the end of a sentence; empty if it does not, or if no LOCK TABLE before it in its
    transaction names one of its tables. Without the lock, other sessions may change what the statement before it has prepared."""
    first = next(iter((*way.before, *way.instead, *way.after)), None)
    if not way.splits and (first is None or (first.joined and not first.outside)):
        return ""
    names, locked = mentioned_names(statement), set[str]()
    for sent in sent_statements(migration.up):
        if sent.statement.index >= statement.index:
            break
        for op in sent.statement.operations:
            if isinstance(op, Begin | Commit | Rollback):
                locked = set()
            elif isinstance(op, LockTable):
                locked |= {table.name.name for table in op.tables}
    common = min(locked & names, default="")
    return f"LOCK TABLE {common} protects it, so it must stay in the same transaction" if common else ""
