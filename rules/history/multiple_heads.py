"""A history has two ends where it should have one.

It happens when two branches each add a revision after the same one. `alembic upgrade head` refuses to run anything then. Each branch was right
by itself, so it is noticed when both are together and a release is about to be deployed. Join the ends with `alembic merge`, or let the
revision that nobody has run yet come after the other one. Branches with labels of their own (`branch_labels`), and histories without a
common revision in folders of their own, are meant to have an end each, and are not reported.

Unsafe, two revisions after the same one:
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
    # next migration
    # 6c2_order_flags.py
    from alembic import op

    revision = "6c2"
    down_revision = "4a0"

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN flag boolean")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN flag")

Safe, one after the other:
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
    # next migration
    # 6c2_order_flags.py
    from alembic import op

    revision = "6c2"
    down_revision = "5b1"

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN flag boolean")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN flag")

See: https://alembic.sqlalchemy.org/en/latest/branches.html
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.ERROR)
def multiple_heads(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the last of the ends, where it says what it comes after."""
    rivals = at.lineage.other_heads
    if not rivals:
        return None
    version, others = at.migration.id, [rival.version for rival in rivals]
    return at.finding(
        at.place_in_file(at.lineage.parents_span) or op,
        f"nothing comes after {version}, and nothing after {' and '.join(map(str, rivals))}: `alembic upgrade head` refuses to run either",
        help="\n".join(
            (
                f"alembic merge -m 'join {' and '.join((*others, version))}' {' '.join((*others, version))}",
                "# or, as long as nobody has run this revision:",
                f'down_revision = "{others[0]}"',
            )
        ),
    )
