"""A migration makes an INSERT of the application fail.

The INSERT, also that of a MERGE, leaves out a column that becomes NOT NULL without a default, gives NULL to one that becomes NOT NULL, or
writes a column whose value PostgreSQL generates from now on. PostgreSQL still prepares the statement; each execution fails. An UPDATE that
sets such a generated column fails, too. During a deployment the release that sends it still runs: first deploy a release that writes the
column, or give the column a default.

Unsafe:
    ALTER TABLE customers ALTER COLUMN created_at DROP DEFAULT;
    -- queries: db/queries/customers.sql
    -- name: AddCustomer :exec
    INSERT INTO customers (id, name) VALUES ($1, $2);

Safe:
    ALTER TABLE coupons ADD COLUMN valid_from date NOT NULL DEFAULT CURRENT_DATE;
    -- queries: db/queries/coupons.sql
    -- name: AddCoupon :exec
    INSERT INTO coupons (id, code) VALUES ($1, $2);

See: https://www.postgresql.org/docs/current/sql-insert.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.queries import changes_by_release, listed_name, operation_words, sender
from migsafe.linting.facts.wording import after_release
from migsafe.linting.finding import Harm
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import AddColumn, Operation
from migsafe.sql.operations.values import quoted

_GENERATED = "generated"
_NULL = "null"


@rule(
    category="queries",
    severity=Severity.ERROR,
    needs="queries",
    speaks_for=("drop-default", "identity-refuses-values", "required-column-added"),
    takes_help=True,
    no_fix="the application must change first, and only its authors know when it has",
)
def insert_breaks(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each INSERT that can run before the migration and fails after it, at the operation that makes the difference."""
    for change in changes_by_release(at):
        problem = change.insert
        if change.harm is not Harm.INSERT_FAILS or problem is None:
            continue
        done = at.past[change.position]
        column = quoted(problem.column)
        if problem.kind == _GENERATED:
            why, release = f"it gives {column} a value, which PostgreSQL generates from now on", f"gives {column} no value"
        elif problem.kind == _NULL:
            why, release = f"it gives {column} NULL, which is then NOT NULL", f"gives {column} a value"
        else:
            why, release = f"it leaves out {column}, which is then NOT NULL and has no default", f"gives {column} a value"
        yield at.finding(
            done,
            f"{operation_words(at, done)} makes the query {change.named} fail, which {sender(change, at)} sends: {why}"
            f"{_for_rows(done.operation)}",
            help=after_release(f"a release that {release}", f"every running release {release}", at.rule),
            relations=(problem.table,),
            subject=listed_name(change, at),
            queries=(change.named,),
            query_problem=change.problem,
        )


def _for_rows(op: Operation) -> str:
    """Returns what else is wrong with ADD COLUMN … NOT NULL without a default, as required-column-added says; empty for other operations."""
    if isinstance(op, AddColumn) and op.column.not_null and op.column.default is None and not (op.column.identity or op.column.generated):
        return "; ADD COLUMN itself fails if the table has rows"
    return ""
