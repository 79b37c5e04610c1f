"""A column loses its default.

The running release may rely on it: an INSERT that omits the column writes NULL from now on, or fails if the column is NOT NULL. First
deploy a release that always writes the column.

Unsafe:
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Safe, because the default is replaced:
    ALTER TABLE orders ALTER COLUMN region SET DEFAULT 'us';

See: https://www.postgresql.org/docs/current/ddl-default.html
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import DropDefault
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.INFO)
def drop_default(op: DropDefault, at: Context) -> Finding | None:
    """Report a default that the migration did not set itself."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column) or (table is not None and table.complete and (column is None or column.default is None)):
        return None
    quoted_column = quoted(op.column)
    consequence = "fail" if column is not None and column.not_null else "write NULL, or fail if the column is NOT NULL"
    return at.finding(
        op,
        f"DROP DEFAULT on {quoted_column} of {at.resolve(name)}: from then on, INSERTs of the running release that omit the column "
        f"{consequence}",
        help=(
            deployments(f"a release that writes {quoted_column}", "DROP DEFAULT")
            + once_released(f"every running release writes {quoted_column}", at.rule)
            + f"ALTER TABLE {name} ALTER COLUMN {quoted_column} DROP DEFAULT;"
        ),
        relations=(name,),
    )
