"""A downgrade fails, or the next upgrade fails after it.

Downgrades are needed when a release must be rolled back in a hurry, and are rarely run before. This rule runs each one on the schema that
its upgrade leaves, and the upgrade once more after it, without a server. It reports a statement that PostgreSQL refuses, one that cannot run
inside the transaction of its runner, a dropped column that the downgrade adds as NOT NULL without a default, which rows do not allow, and
objects that the downgrade leaves behind, so that the next upgrade cannot create them. The usual case is an enumeration: DROP TABLE and DROP
COLUMN keep the type, and Alembic creates it again.

The rule runs with `migsafe lint --down`, for Alembic's `downgrade()` and for the down files or sections of SQL runners. A downgrade that is
absent is another rule: downgrade-missing.

Unsafe, because the type stays:
    # 5b1_parcels.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("CREATE TYPE parcel_state AS ENUM ('new', 'sent')")
        op.execute("CREATE TABLE parcels (id bigint PRIMARY KEY, state parcel_state NOT NULL)")

    def downgrade():
        op.execute("DROP TABLE parcels")

Unsafe, because downgrade() runs in a transaction:
    # 6c2_parcels.py
    from alembic import op

    revision = "6c2"
    down_revision = None

    def upgrade():
        op.execute("CREATE TABLE parcels (id bigint PRIMARY KEY, code text NOT NULL)")
        op.execute("CREATE INDEX parcels_code_idx ON parcels (code)")

    def downgrade():
        op.execute("DROP INDEX CONCURRENTLY parcels_code_idx")
        op.execute("DROP TABLE parcels")

Safe:
    # 5b1_parcels.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("CREATE TYPE parcel_state AS ENUM ('new', 'sent')")
        op.execute("CREATE TABLE parcels (id bigint PRIMARY KEY, state parcel_state NOT NULL)")

    def downgrade():
        op.execute("DROP TABLE parcels")
        op.execute("DROP TYPE parcel_state")

See: https://www.postgresql.org/docs/current/datatype-enum.html
"""

from migsafe.linting.downgrades import FailingDowngrade
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.refusal import RefusalKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation


@rule(category="history", severity=Severity.WARNING, needs="downgrades", no_fix="only the author can write the down migration")
def downgrade_fails(op: FailingDowngrade, at: Context) -> Finding:
    """Report the statement that fails, or the last one of a downgrade after which the upgrade fails."""
    if op.upgrade is not None:
        return at.finding(
            op, f"the downgrade leaves a schema in which the next upgrade fails: {op.refusal}", help=_undoing(op.upgrade, op.refusal.error)
        )
    if op.by_rows:
        return at.finding(op, f"the downgrade fails if the table has rows: {op.refusal}", help=op.refusal.help)
    if op.by_script and "has no name" in op.refusal.error:
        return at.finding(op, "the downgrade fails: it drops an object without naming it", help="-- name the object that the upgrade creates")
    if op.by_script:
        return at.finding(op, f"the downgrade fails: SQLAlchemy cannot write this as SQL: {op.refusal}")
    if op.refusal.kind is RefusalKind.TRANSACTION_BLOCK:
        return at.finding(op, f"the downgrade fails: {op.refusal}", help=f"-- {at.how_to_run_outside}")
    return at.finding(op, f"the downgrade fails: PostgreSQL refuses this statement: {op.refusal}", help=op.refusal.help)


def _undoing(created: Operation, error: str) -> str:
    """Returns the statement that drops what the upgrade creates."""
    if "exists" not in error or "not exist" in error:
        return "-- restore what the upgrade expects"
    match created:
        case sql.CreateEnum(type=name):
            return f"DROP TYPE {name};"
        case sql.CreateTable(table=name):
            return f"DROP TABLE {name};"
        case sql.CreateIndex(name=str(name)):
            return f"DROP INDEX {name};"
        case sql.CreateObject(kind=kind, name=name) if name is not None:
            return f"DROP {kind.upper()} {name};"
        case sql.AddColumn(target=target, column=column):
            return f"ALTER TABLE {target.name} DROP COLUMN {column.name};"
    return "-- drop what the upgrade creates"
