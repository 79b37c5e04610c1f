"""CREATE TABLE IF NOT EXISTS of a table that is there with another definition.

IF NOT EXISTS looks at the name alone. Where the history has made the table otherwise, the statement does nothing, the migration is done, and
the table is not what the file says: on a new database that the file would create it is, on all others not. Say what is to change with
ALTER TABLE. The rule is off unless it is selected, because files that are run again and again on purpose do the same.

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
from migsafe.schema.drift import drift
from migsafe.sql.operations import CreateTable

_SHOWN = 4


@rule(category="idempotency", severity=Severity.WARNING, off=True)
def if_not_exists_hides_drift(op: CreateTable, at: Context) -> Finding | None:
    """Report what the table that is there has otherwise."""
    found = drift(at.catalog, op) if op.if_not_exists else []
    if not found:
        return None
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return at.finding(
        op,
        f"{at.resolve(op.table)} is there already, so that this does nothing, and it is another table: {'; '.join(found[:_SHOWN])}{more}",
        help="-- say with ALTER TABLE what is to change",
        relations=(op.table,),
    )
