"""DROP COLUMN breaks the running release and deletes the values.

Until it is replaced, the old release still names the column: its INSERTs fail, and so does every SELECT that lists the column, as most ORMs
do for all columns that they know. First deploy a release that does not use the column, and drop it in a later one. If the column is NOT
NULL without a default, that release cannot insert rows: make the column nullable first. If CASCADE drops more than the column, drop-cascade
speaks for this rule.

Unsafe:
    ALTER TABLE orders DROP COLUMN note;

Safe, because the column is new:
    ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE orders DROP COLUMN note;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-REMOVING-A-COLUMN
"""

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.facts.query_uses import use_of_relations
from migsafe.linting.facts.wording import after_release
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.sql.operations import DropColumn
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.ERROR, no_fix="the application must change first, and only its authors know when it has")
def drop_column(op: DropColumn, at: Context) -> Finding | None:
    """Report a column that the migration did not add."""
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column):
        return None
    if column is None and ((table is not None and table.complete) or (op.target.if_exists and at.catalog.is_absent(name))):
        return None
    quoted_column = quoted(op.column)
    release, condition = f"a release that does not name {quoted_column}", f"no running release names {quoted_column}"
    safe_way = after_release(release, condition, at.rule)
    if column is not None and column.not_null and column.default is None and column.identity is None and not column.generated:
        safe_way = (
            f"-- first let a release insert rows without the column:\nALTER TABLE {name} ALTER COLUMN {quoted_column} DROP NOT NULL;\n"
            f"{after_release(release, condition, at.rule).replace('first', 'then')}"
        )
    use = use_of_relations(at, (name,), op.column)
    return at.finding(
        op,
        f"DROP COLUMN removes {quoted_column} and its values from {at.resolve(name)}: the running release fails wherever it still names "
        f"the column{use.words}",
        help=safe_way,
        relations=(name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=use.severity,
        queries=use.queries,
        use_words=use.words if use.queries else "",
    )
