"""A column loses its default.

The running release may rely on it: an INSERT that leaves the column out puts NULL there from now on, or fails where the column is NOT NULL.
Release a version first that always writes the column.

Unsafe:
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Safe, because another default takes its place:
    ALTER TABLE orders ALTER COLUMN region SET DEFAULT 'us';

See: https://www.postgresql.org/docs/current/ddl-default.html
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import DropDefault
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.INFO)
def drop_default(op: DropDefault, at: Context) -> Finding | None:
    """Report a default that the migration did not bring itself."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column) or (table is not None and table.complete and (column is None or column.default is None)):
        return None
    quoted_column = quoted(op.column)
    fails = "fails" if column is not None and column.not_null else "puts NULL there, or fails if the column is NOT NULL,"
    return at.finding(
        op,
        f"{quoted_column} of {at.resolve(name)} has no default any longer: an INSERT of the running release that leaves it out {fails} from "
        "then on",
        help=(
            f"-- once every release that is running writes {quoted_column}, in a migration of its own:\n"
            f"ALTER TABLE {name} ALTER COLUMN {quoted_column} DROP DEFAULT;"
        ),
        relations=(name,),
    )
