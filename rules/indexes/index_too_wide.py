"""An index on more than four columns.

A btree is searched by its first columns; from the first one that a query compares with anything but =, the rest only filters. The wider the
index, the more pages it has, the less of it stays in memory, and the more INSERTs and UPDATEs have to touch it. What queries only read, and
never search by, belongs into INCLUDE, or nowhere. A unique index is as wide as its rule, and is not reported.

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


@rule(category="indexes", severity=Severity.INFO)
def index_too_wide(op: CreateIndex, at: Context) -> Finding | None:
    """Report a btree with too many keys."""
    if op.unique or len(op.elements) <= _MOST or op.method not in (None, "btree"):
        return None
    table = at.resolve(op.table)
    return at.finding(
        op,
        f"this index of {table} has {len(op.elements)} key columns: few queries use more than the first {_MOST}, and every INSERT and UPDATE "
        "maintains them all",
        help="-- keep the columns that queries compare with =, then one that they compare by range; INCLUDE what they only read",
        relations=(table,),
    )
