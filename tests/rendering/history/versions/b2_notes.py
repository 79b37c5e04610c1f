"""Notes, in a schema of their own, and a status."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"

STATUS = sa.Enum("new", "paid", name="status")


def upgrade():
    op.execute("CREATE SCHEMA notes")
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), sa.Sequence("note_ids", schema="notes"), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        schema="notes",
    )
    STATUS.create(op.get_bind(), checkfirst=True)
    op.add_column("orders", sa.Column("status", STATUS, nullable=True))
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE status ADD VALUE IF NOT EXISTS 'sent' AFTER 'paid'")
        op.create_index("orders_status_idx", "orders", ["status"], postgresql_concurrently=True, if_not_exists=True)


def downgrade():
    op.drop_index("orders_status_idx", "orders")
    op.drop_column("orders", "status")
    STATUS.drop(op.get_bind())
    op.drop_table("note", schema="notes")
    op.execute("DROP SCHEMA notes CASCADE")
