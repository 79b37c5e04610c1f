"""A revision cannot be taken back.

When a release goes wrong at night, `alembic downgrade -1` is what somebody will try. Without a downgrade() it fails; with one that does
nothing Alembic takes the revision for taken back while what it did stays, and the next upgrade may fail on what is there already. Where data
cannot be had back, take the schema back all the same, or say in a suppression why nothing need be done. A revision whose upgrade() does
nothing, as that of a merge, needs no way back.

Unsafe:
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        pass

Safe:
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.WARNING)
def downgrade_missing(op: MigrationEnd, at: Context) -> Finding | None:
    """Report downgrade(), or upgrade() where there is none."""
    if not at.lineage.irreversible_reason:
        return None
    return at.finding(at.place_in_file(at.lineage.downgrade_span) or op, at.lineage.irreversible_reason)
