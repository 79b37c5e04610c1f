"""CREATE INDEX CONCURRENTLY IF NOT EXISTS takes an INVALID index for a good one.

A build that is cancelled, times out, meets a deadlock or a duplicate leaves its index behind: INVALID, used by no query, and maintained by
every write. IF NOT EXISTS looks at the name alone, so that a second run says "already exists, skipping" and the migration is done, without
its index. Drop what a failed build may have left before the next attempt, or rebuild it with REINDEX INDEX CONCURRENTLY; or leave out IF
NOT EXISTS, so that the second run at least says what is there.

Unsafe:
    CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_qty_idx ON orders (qty);

Safe:
    DROP INDEX CONCURRENTLY IF EXISTS orders_qty_idx;
    CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_qty_idx ON orders (qty);

Safe, where each statement needs a migration of its own:
    CREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import Transaction
from migsafe.sql.generation import create_index
from migsafe.sql.operations import CreateIndex, Drop, Name, Operation, Persistence, Reindex


@rule(category="idempotency", severity=Severity.WARNING)
def invalid_index_kept(op: CreateIndex | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each index that may be an old one, and report when the migration ends those that nothing has dropped before or rebuilt since."""
    if isinstance(op, CreateIndex):
        if op.concurrently and op.if_not_exists and op.name is not None and _may_be_left(op, at):
            at.notes.append(len(at.past))
        return
    for position in at.notes:
        done = at.past[position]
        index = done.operation
        assert isinstance(index, CreateIndex)
        if not any(_rebuilds(later.operation, index, at) for later in at.past[position:]):
            yield at.finding(done, _message(index, at), help=_help(index, at), relations=(index.table,))


def _may_be_left(op: CreateIndex, at: Context) -> bool:
    """Whether a failed build of it may have left an index, which nothing in the migration drops."""
    relation = at.catalog.relation(op.table)
    if at.session.in_block or at.is_new(op.table) or at.catalog.index(_name(op, at)) is not None:
        return False
    if relation is not None and relation.persistence is Persistence.TEMPORARY:
        return False
    return not any(_drops(done.operation, op, at) for done in at.past)


def _name(op: CreateIndex, at: Context) -> Name:
    """The index's name; it stands in the schema of its table."""
    return Name(op.name or "", at.resolve(op.table).schema)


def _drops(op: Operation, index: CreateIndex, at: Context) -> bool:
    return isinstance(op, Drop) and op.kind == "index" and any(at.resolve(name) == _name(index, at) for name in op.names)


def _rebuilds(op: Operation, index: CreateIndex, at: Context) -> bool:
    if not isinstance(op, Reindex) or op.name is None:
        return False
    wanted = _name(index, at) if op.kind == "index" else at.resolve(index.table)
    return op.kind in ("index", "table") and at.resolve(op.name) == wanted


def _message(op: CreateIndex, at: Context) -> str:
    return (
        f"if the build of {_name(op, at)} fails it leaves the index INVALID, and the next run keeps that: IF NOT EXISTS looks only at the "
        "name, so the migration is taken for done while no query uses the index"
    )


def _help(op: CreateIndex, at: Context) -> str:
    dropped = f"DROP INDEX CONCURRENTLY IF EXISTS {Name(op.name or '', op.table.schema)};"
    built = f"{create_index(op, op.name, concurrently=True)};"
    if at.migration.up.transaction is Transaction.QUERY or at.migration.up.one_query:
        return f"{built}\n-- if it fails, before the next run, by hand:\n-- {dropped}"
    return f"{dropped}\n{built}"
