"""A history has several heads.

This happens when two branches each add a revision to the same parent. `alembic upgrade head` then refuses to run anything. Each branch was
correct by itself, so the problem appears when both are merged and a release is about to be deployed. Merge the heads with `alembic merge`,
or let a revision that has not run anywhere depend on the other head. Branches with their own labels (`branch_labels`), and histories
without a common revision in separate folders, are meant to have a head each, and are not reported.

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


@rule(category="history", severity=Severity.ERROR, about_file=True, no_fix="only the author knows the order of the branches")
def multiple_heads(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the last of the heads, at its parent revision."""
    rivals = at.lineage.other_heads
    if not rivals:
        return None
    version, others = at.migration.id, [rival.version for rival in rivals]
    return at.finding(
        at.place_in_file(at.lineage.parents_span) or op,
        f"{version} is a head, and so {'is' if len(rivals) == 1 else 'are'} {' and '.join(map(str, rivals))}: "
        "`alembic upgrade head` refuses to run anything",
        help="\n".join(
            (
                # Comments, because this is not SQL that a script could send.
                f"-- run: alembic merge -m 'join {' and '.join((*others, version))}' {' '.join((*others, version))}",
                f'-- or, if this revision has not run anywhere, write: down_revision = "{others[0]}"',
            )
        ),
    )
