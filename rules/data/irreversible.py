"""A migration without a way back, where the runner has them.

When a release must be taken back in a hurry, the database stays where it is, or somebody writes the way back at that very moment. Off
unless selected: many teams repair forward only, and a way back that nobody has tried is worse than none.

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
"""Runners that know no way back."""


@rule(category="data", severity=Severity.WARNING, off=True)
def irreversible(op: MigrationEnd, at: Context) -> Finding | None:
    """Report a migration that says nothing about the way back."""
    if at.migration.down is not None or not at.past or at.migration.runner in _ONE_WAY:
        return None
    return at.finding(at.past[0], "there is no down migration: what this does can only be undone by hand", help="-- write one, and try it")
