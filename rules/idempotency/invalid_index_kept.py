"""CREATE INDEX CONCURRENTLY IF NOT EXISTS accepts an INVALID index.

A build that is cancelled, times out, or meets a deadlock or a duplicate leaves an INVALID index, which no query uses and every write
maintains. IF NOT EXISTS checks only the name, so a second run prints "already exists, skipping", and the migration succeeds without its
index. Drop the index of a failed build before the next attempt, or rebuild it with REINDEX INDEX CONCURRENTLY; or omit IF NOT EXISTS, so
that the second run at least fails with an error. A DO block before it may drop the index if it is INVALID, too. A script that builds the
index only if an inspector does not list it keeps it as well: SQLAlchemy lists INVALID indexes, too.

Unsafe:
    CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_currency_idx ON orders (currency);

Safe:
    DROP INDEX CONCURRENTLY IF EXISTS orders_currency_idx;
    CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_currency_idx ON orders (currency);

Safe, if each statement needs a separate migration:
    CREATE INDEX CONCURRENTLY orders_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.patterns import lazy_pattern
from migsafe.sources import Transaction
from migsafe.sql.generation import create_index
from migsafe.sql.operations import CreateIndex, Drop, Name, OpaqueCode, Operation, Persistence, Reindex

_NAME_IN_STRING = lazy_pattern(r"'([\w.]+)'")


class _State(Struct):
    positions: list[int] = []
    """The CREATE INDEXes that may find an INVALID index, by their position in the migration."""


@rule(category="idempotency", severity=Severity.WARNING, fix="unsafe", unsafe_because="a second run drops the index and builds it again")
def invalid_index_kept(op: CreateIndex | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each index that may exist already, and report at the end of the migration those that it neither dropped before nor rebuilt."""
    if isinstance(op, CreateIndex):
        by_name = op.if_not_exists or _is_skipped(op, at)
        if op.concurrently and by_name and op.name is not None and _may_be_left(op, at):
            at.state(_State).positions.append(at.position)
        return
    for position in at.state(_State).positions:
        done = at.past[position]
        index = done.operation
        assert isinstance(index, CreateIndex)
        if not any(_rebuilds(later.operation, index, at) for later in at.past[position:]):
            # Inside of the script's condition, a DROP INDEX is skipped, too.
            fix = "" if _is_skipped(index, at) else None
            yield at.finding(done, _message(index, at), help=_help(index, at), fix=fix, relations=(index.table,))


def _may_be_left(op: CreateIndex, at: Context) -> bool:
    """Whether a failed build may have left the index, and the migration does not drop it first."""
    relation = at.catalog.relation(op.table)
    if at.session.in_block or at.is_new(op.table) or at.catalog.index(_name(op, at)) is not None:
        return False
    if relation is not None and relation.persistence is Persistence.TEMPORARY:
        return False
    if at.migration.up.resumes:
        return True  # the next run begins after a DROP INDEX before it
    return not any(_drops(done.operation, op, at) or _drops_if_invalid(done, op, at) for done in at.past)


def _is_skipped(op: CreateIndex, at: Context) -> bool:
    """Whether a script skips the build if an index of that name exists, and does not ask whether it is valid."""
    call = at.migration.up.call(op.span.start)
    return call is not None and call.skipped_when_done and "indisvalid" not in at.migration.up.file.text


def _name(op: CreateIndex, at: Context) -> Name:
    """Returns the name of the index, with the schema of its table."""
    return Name(op.name or "", at.resolve(op.table).schema)


def _drops(op: Operation, index: CreateIndex, at: Context) -> bool:
    return isinstance(op, Drop) and op.kind == "index" and any(at.resolve(name) == _name(index, at) for name in op.names)


def _drops_if_invalid(done: PastOperation, index: CreateIndex, at: Context) -> bool:
    """Whether a block drops the index if it is INVALID: its name is among the strings of the block, or only its table and schema are."""
    if not (isinstance(done.operation, OpaqueCode) and done.operation.of_invalid_index):
        return False
    strings = {text.lower() for text in _NAME_IN_STRING.findall(at.text(*done.statement.span))}
    table = at.resolve(index.table)
    others = strings - {table.name.lower(), str(table).lower(), table.schema, "plpgsql"}
    return (index.name or "").lower() in strings or (not others and len(strings) > 0)


def _rebuilds(op: Operation, index: CreateIndex, at: Context) -> bool:
    if not isinstance(op, Reindex) or op.name is None:
        return False
    wanted = _name(index, at) if op.kind == "index" else at.resolve(index.table)
    return op.kind in ("index", "table") and at.resolve(op.name) == wanted


def _message(op: CreateIndex, at: Context) -> str:
    check = "IF NOT EXISTS" if op.if_not_exists else "the condition around this call"
    return (
        f"if the build of {_name(op, at)} fails, it leaves an INVALID index, and the next run keeps it: {check} checks only the name, so "
        "the migration succeeds although no query uses the index"
    )


def _help(op: CreateIndex, at: Context) -> str:
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {Name(op.name or '', op.table.schema)};"
    create = f"{create_index(op, op.name, concurrently=True)};"
    if _is_skipped(op, at):
        return f"-- without the condition around it:\n{drop}\n{create}"
    if at.migration.up.transaction is Transaction.QUERY or at.migration.up.one_query or at.migration.up.resumes:
        return f"{create}\n-- if it fails, run this manually before the next run:\n-- {drop}"
    return f"{drop}\n{create}"
