"""DROP COLUMN breaks the release that is still running, and its values are gone.

Until it is replaced, the old release goes on to name the column: its INSERTs fail, and so does every SELECT that lists the column, as those
of most ORMs do for all columns that they know. Release a version first that no longer knows the column, and drop it with a later one. Where
the column is NOT NULL without a default, that version cannot insert: make it nullable before. Where CASCADE takes more along than the
column, that is reported instead, by drop-cascade.

Unsafe:
    ALTER TABLE orders DROP COLUMN note;

Safe, because the column is new and nobody has seen it:
    ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE orders DROP COLUMN note;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-REMOVING-A-COLUMN
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.cascades import cascade_of
from migsafe.sql.operations import DropColumn
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.ERROR)
def drop_column(op: DropColumn, at: Context) -> Finding | None:
    """Report a column that the migration did not add."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column) or cascade_of(at.catalog, op) is not None:
        return None
    if column is None and ((table is not None and table.complete) or (op.target.if_exists and at.catalog.is_absent(name))):
        return None
    quoted_column, steps = quoted(op.column), []
    if column is not None and column.not_null and column.default is None and column.identity is None and not column.generated:
        steps += [
            "-- first, so that a release can insert that does not know the column:",
            f"ALTER TABLE {name} ALTER COLUMN {quoted_column} DROP NOT NULL;",
        ]
    steps += [
        f"-- once no release that still names {quoted_column} is running, in a migration of its own:",
        f"ALTER TABLE {name} DROP COLUMN {'IF EXISTS ' if op.if_exists else ''}{quoted_column};",
    ]
    return at.finding(
        op,
        f"DROP COLUMN takes {quoted_column} away from {at.resolve(name)}, with its values: the release that is running fails wherever it still "
        "names the column",
        help="\n".join(steps),
        relations=(name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
