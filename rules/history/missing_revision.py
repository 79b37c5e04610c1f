"""A revision comes after one that there is not.

Alembic refuses to run anything then: it loads all revisions before it upgrades. The usual causes are a file that was not committed, one that a
rebase or a squash has left behind, and a revision that was renamed while another branch still comes after it. A revision that comes after
itself, through others, is as bad.

Unsafe, no file has the revision 4a0:
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = "4a0"

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")

Safe:
    # 4a0_orders.py
    revision = "4a0"
    down_revision = None

    def upgrade():
        pass
    # next migration
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = "4a0"

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.ERROR)
def missing_revision(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each name of a revision that no file has, and where a circle is closed."""
    for version, place in at.lineage.missing_parents:
        said = f"{at.migration.id} comes after {version}, and no file has that revision: Alembic refuses to run anything"
        yield at.finding(at.place_in_file(place) or op, said)
    if at.lineage.cycle:
        way = " after ".join(at.lineage.cycle)
        said = f"{at.migration.id} comes after itself ({way}): Alembic refuses to run anything"
        yield at.finding(at.place_in_file(at.lineage.parents_span) or op, said)
