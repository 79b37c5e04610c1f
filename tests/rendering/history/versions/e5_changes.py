"""Changes of what is there."""

import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade():
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("status", nullable=False, server_default="new")
        batch.alter_column("note", new_column_name="remark", type_=sa.String(200))
        batch.create_check_constraint("orders_remark_check", "remark <> ''")
        batch.drop_constraint("orders_cents_check", type_="check")
    op.rename_table("items", "lines")
    op.create_unique_constraint("lines_sku_key", "lines", ["sku"])
    op.create_exclude_constraint("orders_at_excl", "orders", ("at", "="), using="btree", where=sa.text("status = 'new'"))
    op.execute(
        """
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
        CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
        """
    )
    op.execute(sa.text("CREATE VIEW open_orders AS SELECT id, remark FROM orders WHERE status = 'new'"))


def downgrade():
    op.execute("DROP VIEW open_orders")
    op.execute("DROP TRIGGER touch ON orders")
    op.execute("DROP FUNCTION touch()")
    op.drop_constraint("orders_at_excl", "orders")
    op.drop_constraint("lines_sku_key", "lines", type_="unique")
    op.rename_table("lines", "items")
    op.create_check_constraint("orders_cents_check", "orders", "cents >= 0")
    op.drop_constraint("orders_remark_check", "orders", type_="check")
    op.alter_column("orders", "remark", new_column_name="note", type_=sa.Text())
    op.alter_column("orders", "status", nullable=True, server_default=None)
