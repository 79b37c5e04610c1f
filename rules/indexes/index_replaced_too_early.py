"""An index is dropped before its replacement exists.

Until the new index is built, the queries that need it scan the whole table: a migration that should make them faster makes the application
unavailable. Build the new index first, under another name, then drop the old one. Inside one transaction other sessions do not see the gap,
and nothing is reported.

Unsafe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, placed_at timestamptz);
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_idx;
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);

Safe:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, placed_at timestamptz);
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS orders_customer_id_idx;

See: https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_index_name
from migsafe.schema.indexes import same_key, sketched
from migsafe.schema.objects import Index
from migsafe.sql.generation import create_index
from migsafe.sql.operations import CreateIndex, Drop, Name
from migsafe.sql.operations.values import quoted


class _State(Struct):
    dropped: list[tuple[int, Index]] = []
    """The indexes that were dropped and not yet replaced, each with the position of its DROP INDEX."""


@rule(category="indexes", severity=Severity.WARNING, fix="unsafe", unsafe_because="a failure between its statements leaves both indexes")
def index_replaced_too_early(op: Drop | CreateIndex, at: Context) -> Iterator[Finding]:
    """Record the indexes that are dropped, and report each one that a later index replaces."""
    state = at.state(_State)
    if isinstance(op, Drop):
        indexes = [at.catalog.index(name) for name in op.names] if op.kind == "index" else []
        state.dropped.extend((at.position, index) for index in indexes if index is not None and not at.is_new(at.catalog[index.table].name))
        return
    table = at.catalog.relation(op.table)
    created = sketched(at.catalog, table, op) if table is not None else None
    for position, old in [entry for entry in state.dropped if created is not None and _replaces(op, created, entry[1])]:
        done = at.past[position]
        if done.transaction is not None and done.transaction == at.session.transaction:
            continue
        state.dropped.remove((position, old))
        yield _finding(op, at, position, old)


def _replaces(op: CreateIndex, created: Index, old: Index) -> bool:
    """Whether an index replaces a dropped one: it has its name, or one of the two begins with the keys of the other."""
    if created.table != old.table:
        return False
    same_keys = all(same_key(new, old_key) for new, old_key in zip(created.keys, old.keys, strict=False))
    return op.name == old.name.name or (created.method == old.method and same_keys)


def _finding(op: CreateIndex, at: Context, position: int, old: Index) -> Finding:
    table = at.resolve(op.table)
    name = op.name or default_index_name(op)
    if name == old.name.name:
        name = f"{name}_new"
        after = f"\nALTER INDEX {quoted(name)} RENAME TO {quoted(old.name.name)};"
    else:
        after = ""
    created, dropped = f"{create_index(op, name, concurrently=True)};", f"DROP INDEX CONCURRENTLY {old.name};{after}"
    # A second run must find its way, whatever the first one left.
    first = f"DROP INDEX CONCURRENTLY IF EXISTS {Name(name, op.table.schema)};\n" if name else ""
    again = f"{first}{created}\nDROP INDEX CONCURRENTLY IF EXISTS {old.name};{after}"
    drop = at.past[position].operation
    is_alone = isinstance(drop, Drop) and len(drop.names) == 1 and not drop.cascade
    return at.finding(
        at.past[position],
        f"{old.name} is dropped before its replacement exists: until the new index is built, queries that need it scan {table}",
        help=at.outside_transaction(f"{created}\n-- when it is built:\n{dropped}"),
        fix="-- in place of all of them:\n" + at.outside_transaction(again) if is_alone else "",
        replaces=(at.past[position].statement, at.statement),
        relations=(table,),
    )
