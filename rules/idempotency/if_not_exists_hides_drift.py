"""CREATE TABLE IF NOT EXISTS of a table that exists with another definition.

IF NOT EXISTS checks only the name. If the history created the table differently, the statement does nothing, the migration succeeds, and
the table differs from the file: only a new database gets the definition in the file. Change the table with ALTER TABLE. Off unless
selected, because files that are deliberately run again and again do the same.

Unsafe:
    CREATE TABLE orders (id bigint PRIMARY KEY, note text);
    -- next migration
    CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text NOT NULL, code text);

Safe:
    CREATE TABLE orders (id bigint PRIMARY KEY, note text);
    -- next migration
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS code text;

See: https://www.postgresql.org/docs/current/sql-createtable.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.table_differences import table_differences
from migsafe.sql.operations import CreateTable

_SHOWN = 4


@rule(category="idempotency", severity=Severity.WARNING, off=True, no_fix="only the author knows which of the definitions is wanted")
def if_not_exists_hides_drift(op: CreateTable, at: Context) -> Finding | None:
    """Report how the existing table differs."""
    differences = table_differences(at.catalog, op) if op.if_not_exists else []
    if not differences:
        return None
    rest = f", and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    return at.finding(
        op,
        f"{at.resolve(op.table)} already exists, so this does nothing, and its definition differs: {'; '.join(differences[:_SHOWN])}{rest}",
        help="-- change the table with ALTER TABLE",
        relations=(op.table,),
    )
