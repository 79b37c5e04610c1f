"""Orders and what they hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        sa.Column("kind", sa.Enum("person", "firm", name="customer_kind"), server_default="person", nullable=False),
        sa.Column("born", sa.Date(), comment="if they say it"),
        comment="Who buys",
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("tags", pg.ARRAY(sa.Text()), server_default="{}"),
        sa.Column("data", pg.JSONB(), nullable=True),
        sa.Column("cents", sa.Numeric(12, 2)),
        sa.Column("euros", sa.Numeric(12, 2), sa.Computed("cents / 100", persisted=True)),
        sa.CheckConstraint("cents >= 0", name="orders_cents_check"),
    )
    op.create_table(
        "items",
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id", name="items_order_fk", deferrable=True, initially="DEFERRED")),
        sa.Column("position", sa.SmallInteger()),
        sa.Column("sku", pg.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "position", name="items_key"),
        sa.UniqueConstraint("order_id", "sku"),
    )
    op.create_index("orders_open_idx", "orders", ["at"], postgresql_where=sa.text("cents > 0"))
    op.create_index("customers_email_idx", "customers", [sa.text("lower(email)")], unique=True)


def downgrade():
    for table in ("items", "orders", "customers"):
        op.drop_table(table)
    sa.Enum(name="customer_kind").drop(op.get_bind())
