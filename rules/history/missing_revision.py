"""A revision's parent, or the up file of a down file, does not exist.

Alembic then refuses to run anything, because it loads all revisions before it upgrades. Usual causes: a file was not committed, a rebase or
a squash removed it, or a revision was renamed while another branch still depends on it. A revision that depends on itself, directly or
through others, is reported too.

Where code sets `version_locations`, the parent may be in a folder of another package, and so may what a revision depends on if its folder
has no env.py. Then this is information: those revisions, and what they have created, are unknown here. alembic.ini can name the folders.

golang-migrate takes a down file without an up file for a migration without SQL, and records its number. If that is above all others, usually a
typing error, the migrations that get the numbers below it, or the number itself, are never applied to a database that has recorded it.

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


@rule(category="history", severity=Severity.ERROR, about_file=True, no_fix="the missing file is in another branch or was deleted")
def missing_revision(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report each parent revision that no file defines, a cycle of revisions, and a down file without an up file."""
    for version, place, elsewhere in at.lineage.missing_parents:
        message = f"the parent {version} of revision {at.migration.id} does not exist: Alembic refuses to run anything"
        if elsewhere:
            message = f"the parent {version} of revision {at.migration.id} is not in the folders that migsafe reads: {elsewhere}"
        yield at.finding(at.place_in_file(place) or op, message, severity=Severity.INFO if elsewhere else None)
    if at.lineage.without_up:
        path, id = at.migration.up.file.path, at.migration.id
        message = (
            f"{path} has no up file: golang-migrate takes {id} for a migration without SQL and records it, and never applies a later "
            "migration with this number or a lower one"
        )
        yield at.finding(op, message, help="-- give it the number of its up file")
    if at.lineage.cycle:
        cycle = " → ".join(at.lineage.cycle)
        message = f"{at.migration.id} depends on itself ({cycle}): Alembic refuses to run anything"
        yield at.finding(at.place_in_file(at.lineage.parents_span) or op, message)
