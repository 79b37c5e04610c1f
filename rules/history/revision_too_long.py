"""A revision id is too long for the table in which Alembic records it.

Alembic records the current revision in `alembic_version`, whose column is varchar(32). A longer id, such as a name in words, is refused when
the migration has run: `value too long for type character varying(32)`. The migration is rolled back, and `alembic upgrade` stops there on every
database. SQLite does not check the length, so tests with it do not show this. A shorter id is enough: the words belong into the message,
or into the name of the file (`file_template` in alembic.ini).

Only the first id that is too long is reported, and none if a revision, env.py, or a module beside it mentions the column, as those do that make
it wider.

Unsafe:
    # 7d3_order_notes.py
    from alembic import op

    revision = "0007_add_delivery_notes_to_open_orders"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")

Safe:
    # 7d3_order_notes.py
    from alembic import op

    revision = "0007_delivery_notes"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")

See: https://alembic.sqlalchemy.org/en/latest/tutorial.html#create-a-migration-script
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.ERROR, no_fix="other revisions and databases may know the id")
def revision_too_long(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the id where the script declares it."""
    if not at.lineage.version_too_long:
        return None
    version = at.migration.id
    return at.finding(
        at.place_in_file(at.lineage.version_span) or op,
        f"the revision id has {len(version)} characters, but alembic_version.version_num is varchar(32): PostgreSQL refuses to record it after "
        "the migration has run, and `alembic upgrade` rolls back and stops here",
        help="-- a shorter id, here and in the down_revision of the next revision",
    )
