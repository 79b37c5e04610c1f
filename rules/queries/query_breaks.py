"""A migration takes away what a query of the application uses.

The query names a column, table, function or type that the migration removes, renames or changes, so that PostgreSQL no longer accepts it.
So does one whose operators and functions do not exist for the new type of a column, such as `age + 1` of a text.
During a deployment the release that sends it still runs. The queries are those that `queries` in the configuration names; with `--since`,
those of the release at that revision, which runs while the migrations are applied, and those of the new one. Nothing is reported if the
query works at the end of the migration: behind a view or a function under the old name, or because the migration adds the column again.

Unsafe:
    ALTER TABLE orders DROP COLUMN note;
    -- queries: db/queries/orders.sql
    -- name: GetOrder :one
    SELECT id, note FROM orders WHERE id = $1;

Unsafe:
    ALTER TABLE coupons RENAME TO vouchers;
    -- queries: db/queries/coupons.sql
    -- name: GetCoupon :one
    SELECT id, discount FROM coupons WHERE id = $1;

Safe, because a view has the old name:
    BEGIN;
    ALTER TABLE coupons RENAME TO vouchers;
    CREATE VIEW coupons AS SELECT * FROM vouchers;
    COMMIT;
    -- queries: db/queries/coupons.sql
    -- name: GetCoupon :one
    SELECT id, discount FROM coupons WHERE id = $1;

See: https://www.postgresql.org/docs/current/sql-prepare.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.queries import changes_by_release, listed_name, operation_words, sender
from migsafe.linting.facts.wording import after_release
from migsafe.linting.finding import Harm
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import AlterColumnType, AlterRelation, Drop, Name, Operation, Rename
from migsafe.sql.operations.values import quoted


@rule(
    category="queries",
    severity=Severity.ERROR,
    needs="queries",
    speaks_for=("drop-column", "drop-table", "drop-object", "rename-column", "rename-table", "rename-object"),
    takes_help=True,
    no_fix="the application must change first, and only its authors know when it has",
)
def query_breaks(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each query that PostgreSQL accepts before the migration and refuses after it, at the operation that makes the difference."""
    for change in changes_by_release(at):
        if change.harm is not Harm.BREAKS or change.after.failure is None:
            continue
        done = at.past[change.position]
        yield at.finding(
            done,
            f"{operation_words(at, done)} breaks the query {change.named}, which {sender(change, at)} sends: PostgreSQL answers "
            f"`{change.after.failure.message}`",
            help=_help(done.operation, at),
            relations=_relations(done.operation),
            subject=listed_name(change, at),
            queries=(change.named,),
            query_problem=change.problem,
        )


def _help(op: Operation, at: Context) -> str:
    if isinstance(op, AlterColumnType):
        return (
            f"-- first deploy a release whose queries work with both types, because they cast {quoted(op.column)} or their parameters; or add\n"
            "-- a column of the new type, let releases write both, and drop the old one when no running release uses it"
        )
    return after_release("a release that does not send the query", "no running release sends the query", at.rule)


def _relations(op: Operation) -> tuple[Name, ...]:
    match op:
        case AlterRelation(target=target):
            return (target.name,)
        case Drop(kind="table" | "view" | "materialized view" | "foreign table", names=names):
            return names
        case Rename(kind="table" | "view" | "materialized view" | "foreign table", name=name):
            return (name,)
    return ()
