"""An index is dropped before the one that replaces it exists.

Between the two statements, for as long as the build takes, the queries that need the index read the whole table: a migration that meant to
make them faster takes the site down. Build the new one first, under another name, and drop the old one when it is there. Inside one
transaction nobody sees the gap, and nothing is said.

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

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_index_name
from migsafe.schema.indexes import same_key, sketched
from migsafe.schema.objects import Index
from migsafe.sql.generation import create_index
from migsafe.sql.operations import CreateIndex, Drop
from migsafe.sql.operations.values import quoted


@rule(category="indexes", severity=Severity.WARNING)
def index_replaced_too_early(op: Drop | CreateIndex, at: Context) -> Iterator[Finding]:
    """Note the indexes that are dropped, and report the first one that an index made later replaces."""
    if isinstance(op, Drop):
        indexes = [at.catalog.index(name) for name in op.names] if op.kind == "index" else []
        at.notes.extend((len(at.past), index) for index in indexes if index is not None and not at.is_new(at.catalog[index.table].name))
        return
    table = at.catalog.relation(op.table)
    made = sketched(at.catalog, table, op) if table is not None else None
    for note in [note for note in at.notes if made is not None and _replaces(op, made, note[1])]:
        position, before = note
        done = at.past[position]
        if done.transaction is not None and done.transaction == at.session.transaction:
            continue
        at.notes.remove(note)
        yield _finding(op, at, position, before)


def _replaces(op: CreateIndex, made: Index, before: Index) -> bool:
    """Whether an index is made for the one that is gone: it has its name, or one of the two begins with the keys of the other."""
    if made.table != before.table:
        return False
    same_keys = all(same_key(mine, its) for mine, its in zip(made.keys, before.keys, strict=False))
    return op.name == before.name.name or (made.method == before.method and same_keys)


def _finding(op: CreateIndex, at: Context, position: int, before: Index) -> Finding:
    table = at.resolve(op.table)
    name = op.name or default_index_name(op)
    if name == before.name.name:
        name = f"{name}_new"
        after = f"\nALTER INDEX {quoted(name)} RENAME TO {quoted(before.name.name)};"
    else:
        after = ""
    return at.finding(
        at.past[position],
        f"{before.name} is dropped before the index that replaces it is there: until that is built, queries that need it read all of {table}",
        help=at.outside_transaction(
            f"{create_index(op, name, concurrently=True)};\n-- once it is there:\nDROP INDEX CONCURRENTLY {before.name};{after}"
        ),
        relations=(table,),
    )
