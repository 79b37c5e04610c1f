"""A query of the application finds its rows without an index.

No index serves one of the tables that the query reads by equality, a join, both ends of a range or ORDER BY … LIMIT: each execution reads the
whole table. This is not noticed with the rows of a test, and stops the application when the table is large and many requests send the query.
Reported are queries of tables that are large according to `--stats`, and of tables of unknown size if the query is new since the revision of
`--since`, or if the judged migrations create the table. Other ranges, and equality of an enum, of a boolean, of a column that has few values by
its name (`status`, `type`, `currency`), or with a literal, are not reported alone: they often select most rows. Nor is a query that reads
another table as a whole in any case, unless that table is known to be small. An expression that PostgreSQL cannot index, because its result
depends on a setting of the session (`created_at::date` of a timestamptz), is only for information, and so is a comparison for which
PostgreSQL converts an indexed column (`citext = text`, `integer = numeric`). A condition that a value switches off (`$1 IS NULL OR
shop_id = $1`, `shop_id = coalesce($1, shop_id)`) is judged as it is with that value, because PostgreSQL plans such a query for its values: an
index that serves one of them is enough, and a missing one is only for information. The query of a view counts as a part of those that read it.
A partial index serves the queries that name the rare state that it contains (`state = 'waiting'`, `sent_at IS NULL`). One is proposed where the
first rows of such a state are read in an order: other indexes would lead through all rows that are done.
The finding is at the query, or at CREATE TABLE if the running release sends the query already.

Unsafe:
    CREATE TABLE recommendations (id bigint PRIMARY KEY, product_id bigint NOT NULL, title text NOT NULL);
    -- queries: db/queries/products.sql
    -- name: RecommendationsFor :many
    SELECT title FROM recommendations WHERE product_id = $1;

Safe:
    CREATE TABLE recommendations (id bigint PRIMARY KEY, product_id bigint NOT NULL, title text NOT NULL);
    CREATE INDEX recommendations_product_id_idx ON recommendations (product_id);
    -- queries: db/queries/products.sql
    -- name: RecommendationsFor :many
    SELECT title FROM recommendations WHERE product_id = $1;

See: https://www.postgresql.org/docs/current/indexes-examine.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migsafe.linting.facts.queries import (
    conversion_words,
    how_often,
    index_help,
    is_known_small,
    lacks_index,
    missing_index,
    mutable_key,
    optional_words,
    sender,
    size_words,
    this_query,
)
from migsafe.linting.finding import Harm
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, WorkloadQuery, rule
from migsafe.schema.statistics import row_count
from migsafe.sql.operations import CreateTable, CreateTableAs, Name, Operation
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from migsafe.workload.assessment import TableAccess


@rule(category="queries", severity=Severity.WARNING, needs="queries", no_fix="another index changes the final schema")
def query_without_index(op: WorkloadQuery | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each table that the query reads as a whole to find a few rows of it."""
    if isinstance(op, MigrationEnd):
        yield from _of_known_queries(at)
        return
    if at.queries is not None and at.queries.workload.compared and not op.is_new:
        return
    for access in op.assessment.accesses:
        reason = mutable_key(access) or conversion_words(access)
        if not (reason or lacks_index(at, access, with_values=True)) or not _may_be_large(op, access, at) or access.name in op.reported:
            continue
        often = f"; one request sends it up to {op.named.per_request} times" if op.named.per_request > 1 else ""
        yield at.finding(
            op,
            f"{this_query(op.named)} reads all of {access.name}{size_words(at, access.name)} each time"
            f"{optional_words(access)}: {reason or missing_index(access)}{often}",
            severity=Severity.INFO if reason or access.is_optional else None,
            help=_help(op, access, at),
            relations=(access.name,),
            cause=f"{access.name} {[(each.method, each.keys, each.predicate) for each in access.candidates]} {access.conversion}",
            queries=(op.named,),
        )


def _help(op: WorkloadQuery, access: "TableAccess", at: Context) -> str:
    if access.conversion is None:
        return index_help(at, access.name, access.candidates, is_deployed=access.name not in op.new_tables)
    relation = at.catalog.relation(access.name)
    column = relation.column(access.conversion.column) if relation is not None else None
    wanted = f" to {column.type}" if column is not None and column.type is not None else ""
    return f"-- cast the value{wanted}, the type of {quoted(access.conversion.column)}, instead"


def _of_known_queries(at: Context) -> Iterator[Finding]:
    """Yields the tables that the migration creates without the index that a query of the running release needs: the migration is the cause."""
    for change in at.query_changes:
        access = change.access
        if change.harm is not Harm.LACKS_INDEX or access is None or not lacks_index(at, access):
            continue
        created = next((done for done in at.past if _creates(done.operation, access.name, at)), None)
        if created is None or is_known_small(at, access.name):
            continue
        yield at.finding(
            created,
            f"the query {change.named}, which {sender(change, at)} sends{how_often(change.named)}, reads all of {access.name} each time: "
            f"{missing_index(access)}",
            help=index_help(at, access.name, access.candidates),
            relations=(access.name,),
            subject=str(change.named),
            queries=(change.named,),
            query_problem=change.problem,
        )


def _creates(op: Operation, table: Name, at: Context) -> bool:
    return isinstance(op, CreateTable | CreateTableAs) and at.resolve(op.table) == table


def _may_be_large(op: WorkloadQuery, access: "TableAccess", at: Context) -> bool:
    if is_known_small(at, access.name):
        return False
    is_known = bool(at.limits.rows) and row_count(at.limits.rows, access.name) is not None
    return is_known or op.is_new or access.name in op.new_tables
