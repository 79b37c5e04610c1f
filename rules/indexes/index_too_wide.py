"""An index on more than four columns.

A btree is searched by its first columns; after the first column that a query does not compare with =, further columns only filter. A wider
index has more pages, fits less into memory, and costs more in every INSERT and UPDATE. Columns that queries only read and never search by
belong in INCLUDE, or not in the index. A unique index needs all its columns, and is not reported.

Unsafe:
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, status text, placed_at timestamptz, note text, total numeric
    );
    CREATE INDEX orders_search_idx ON orders (region, status, placed_at, note, total);

Safe:
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text, status text, placed_at timestamptz, note text, total numeric
    );
    CREATE INDEX orders_search_idx ON orders (region, status, placed_at) INCLUDE (total);

See: https://www.postgresql.org/docs/current/indexes-multicolumn.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateIndex

_MOST = 4


@rule(category="indexes", severity=Severity.INFO, no_fix="an index with fewer columns changes the final schema")
def index_too_wide(op: CreateIndex, at: Context) -> Finding | None:
    """Report a btree index with too many key columns."""
    if op.unique or len(op.elements) <= _MOST or op.method not in (None, "btree"):
        return None
    table = at.resolve(op.table)
    return at.finding(
        op,
        f"this index of {table} has {len(op.elements)} key columns: few queries use more than the first {_MOST}, and every INSERT and UPDATE "
        "maintains them all",
        help="-- keep the columns that queries compare with =, then one that they compare by range; INCLUDE columns that they only read",
        relations=(table,),
    )
