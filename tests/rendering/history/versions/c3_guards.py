"""What depends on what is there, and rows."""

import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "a1"

WANTED = {"orders": "note", "items": "note", "gone": "note"}


def add(table, column):
    op.add_column(table, sa.Column(column, sa.Text()))


def upgrade():
    inspector = sa.inspect(op.get_bind())
    for table, column in WANTED.items():
        if inspector.has_table(table) and column not in {found["name"] for found in inspector.get_columns(table)}:
            add(table, column)
    if any(key["referred_table"] == "orders" and key["name"] for key in inspector.get_foreign_keys("items")):
        op.drop_constraint("items_order_fk", "items", type_="foreignkey")
        op.create_foreign_key("items_order_fk", "items", "orders", ["order_id"], ["id"], postgresql_not_valid=True)
    customers = sa.table("customers", sa.column("email"), sa.column("kind"))
    op.bulk_insert(customers, [{"email": "a@example.org"}, {"email": "b@example.org"}])
    op.get_bind().execute(sa.update(customers).where(customers.c.email == "a@example.org").values(kind="firm"))
    for name in sa.inspect(op.get_bind()).get_table_names():
        if name.startswith("order"):
            op.create_index(op.f(f"{name}_note_idx"), name, ["note"])


def downgrade():
    op.execute("DELETE FROM customers")
    op.drop_constraint("items_order_fk", "items", type_="foreignkey")
    op.create_foreign_key("items_order_fk", "items", "orders", ["order_id"], ["id"], deferrable=True, initially="DEFERRED")
    for index in sa.inspect(op.get_bind()).get_indexes("orders"):
        if index["name"] == "orders_note_idx":
            op.drop_index(index["name"])
    with op.batch_alter_table("orders") as batch:
        batch.drop_column("note")
    op.drop_column("items", "note")
