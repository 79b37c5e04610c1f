"""A column may contain NULL from now on.

Nothing fails immediately. But the running release expects a value in every row: as soon as a NULL is written, it may fail, for example in a
field that cannot be null, a sum or a comparison. First deploy a release that can read NULL.

Unsafe:
    ALTER TABLE orders ALTER COLUMN region DROP NOT NULL;

Safe, because the table is new:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region text NOT NULL);
    ALTER TABLE orders ALTER COLUMN region DROP NOT NULL;

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-NOT-NULL
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.facts.wording import after_release
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import DropNotNull
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.INFO, no_fix="the application must change first, and only its authors know when it has")
def drop_not_null(op: DropNotNull, at: Context) -> Finding | None:
    """Report a column that is not known to be nullable already."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column) or (table is not None and table.complete and (column is None or column.not_null is False)):
        return None
    quoted_column = quoted(op.column)
    return at.finding(
        op,
        f"{quoted_column} of {at.resolve(name)} may be NULL from now on: the running release does not expect NULL",
        help=after_release(
            f"a release that can read NULL from {quoted_column}", f"every running release can read NULL from {quoted_column}", at.rule
        ),
        relations=(name,),
    )
