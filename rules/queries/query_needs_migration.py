"""A new query runs only after this migration.

PostgreSQL refuses the query on the schema before the migration: it uses a table, column, function or type that the migration creates. The
new release can only be deployed after the migration has run; deployed before it, or together with it where servers start before it is
finished, its requests fail. Only queries are reported that the release at the revision of `--since` does not have.

Unsafe, if the release is deployed before the migration:
    ALTER TABLE orders ADD COLUMN gift_note text;
    -- new queries: db/queries/orders.sql
    -- name: GiftNote :one
    SELECT gift_note FROM orders WHERE id = $1;

Safe, because the column exists already:
    ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500;
    -- new queries: db/queries/orders.sql
    -- name: OrderNote :one
    SELECT note FROM orders WHERE id = $1;

See: https://www.postgresql.org/docs/current/ddl-alter.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.queries import operation_words
from migsafe.linting.finding import Harm
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="queries", severity=Severity.INFO, needs="queries", no_fix="a migration cannot change the order of the deployments")
def query_needs_migration(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each new query that PostgreSQL refuses before the migration and accepts after it, at the operation that makes the difference."""
    for change in at.query_changes:
        if change.harm is not Harm.NEEDS or change.before.failure is None:
            continue
        done = at.past[change.position]
        yield at.finding(
            done,
            f"the new query {change.named} needs {operation_words(at, done)}; before it, PostgreSQL answers `{change.before.failure.message}`: "
            "deploy the new release after this migration",
            subject=str(change.named),
            queries=(change.named,),
        )
