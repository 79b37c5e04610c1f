"""A migration without a down migration, although the runner supports them.

When a release must be rolled back in a hurry, either the database keeps the new schema, or the down migration must be written under
pressure. Off unless selected: many teams only fix forward, and an untested down migration is worse than none.

Unsafe:
    ALTER TABLE orders ADD COLUMN weight numeric;

Safe:
    # 5b1_order_weights.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN weight numeric")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN weight")

See: https://www.postgresql.org/docs/current/ddl-alter.html
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule

_ONE_WAY = frozenset(("drizzle", "flyway", "prisma", "supabase", "versioned"))
"""Runners without down migrations."""


@rule(category="data", severity=Severity.WARNING, off=True, no_fix="only the author can write the down migration")
def irreversible(op: MigrationEnd, at: Context) -> Finding | None:
    """Report a migration without a down migration."""
    if at.migration.down is not None or not at.past or at.migration.runner in _ONE_WAY:
        return None
    return at.finding(at.past[0], "there is no down migration: this can only be undone manually", help="-- write one, and test it")
