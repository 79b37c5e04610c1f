"""A column may hold NULL from now on.

Nothing fails at once. But the running release was written for a column that always has a value: once something writes NULL, it meets what
it does not expect, in a field that cannot be null, a sum, a comparison. Release a version first that can read NULL.

Unsafe:
    ALTER TABLE orders ALTER COLUMN region DROP NOT NULL;

Safe, because the table is new:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text NOT NULL);
    ALTER TABLE orders ALTER COLUMN region DROP NOT NULL;

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-NOT-NULL
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import DropNotNull
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.INFO)
def drop_not_null(op: DropNotNull, at: Context) -> Finding | None:
    """Report a column that is not known to be nullable already."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column) or (table is not None and table.complete and (column is None or column.not_null is False)):
        return None
    quoted_column = quoted(op.column)
    return at.finding(
        op,
        f"{quoted_column} of {at.resolve(name)} may be NULL from now on: the release that is running does not expect that",
        help=(
            f"-- once every release that is running can read NULL from {quoted_column}, in a migration of its own:\n"
            f"ALTER TABLE {name} ALTER COLUMN {quoted_column} DROP NOT NULL;"
        ),
        relations=(name,),
    )
