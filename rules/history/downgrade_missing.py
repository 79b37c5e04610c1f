"""A revision cannot be downgraded.

When a release fails in production, `alembic downgrade -1` is the usual reaction. Without a downgrade() it fails. With an empty downgrade()
Alembic records the revision as reverted while its changes remain, and the next upgrade may fail because they already exist. If the data
cannot be restored, revert the schema anyway, or explain in a suppression why nothing needs to be done. A revision whose upgrade() does
nothing, such as a merge, needs no downgrade.

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


@rule(category="history", severity=Severity.WARNING, no_fix="only the author can write the down migration")
def downgrade_missing(op: MigrationEnd, at: Context) -> Finding | None:
    """Report downgrade(), or upgrade() if there is no downgrade()."""
    if not at.lineage.irreversible_reason:
        return None
    return at.finding(at.place_in_file(at.lineage.downgrade_span) or op, at.lineage.irreversible_reason)
