"""A script names an enum type with values that the type in the database does not have.

SQLAlchemy's Enum in `op.alter_column` or `op.add_column` only names the type, and `create(checkfirst=True)` does nothing if a type of that name
exists. So a value that was added to the Python list is not added to the type. The migration succeeds, and the new release fails at the first
row with that value: `invalid input value for enum`. Add each value with ALTER TYPE … ADD VALUE.

Unsafe:
    # 5b1_orders.py
    from alembic import op
    import sqlalchemy as sa

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.create_table(
            "orders",
            sa.Column("id", sa.BigInteger(), primary_key=True),
            sa.Column("state", sa.Enum("new", "paid", name="order_state")),
        )

    def downgrade():
        op.drop_table("orders")
        op.execute("DROP TYPE order_state")
    # next migration
    # 6c2_order_state.py
    from alembic import op
    import sqlalchemy as sa

    revision = "6c2"
    down_revision = "5b1"

    def upgrade():
        op.alter_column("orders", "state", type_=sa.Enum("new", "paid", "lost", name="order_state"))

    def downgrade():
        op.alter_column("orders", "state", type_=sa.Enum("new", "paid", name="order_state"))

Safe:
    # 6c2_order_state.py
    from alembic import op

    revision = "6c2"
    down_revision = None

    def upgrade():
        with op.get_context().autocommit_block():
            op.execute("ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'lost'")

    def downgrade():
        op.execute("UPDATE orders SET state = NULL WHERE state = 'lost'")

See: https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#sqlalchemy.dialects.postgresql.ENUM.create
    https://www.postgresql.org/docs/current/sql-altertype.html
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.objects import EnumType
from migsafe.sql.operations import AddColumn, AlterColumnType


@rule(category="compatibility", severity=Severity.WARNING, no_fix="a value of an enum cannot be removed again")
def enum_values_missing(op: AddColumn | AlterColumnType, at: Context) -> Finding | None:
    """Report the values of the script's enum that the known type does not have."""
    column_type = op.column.type if isinstance(op, AddColumn) else op.type
    known = at.catalog.type_of(column_type) if op.new_enum and column_type is not None else None
    if not isinstance(known, EnumType) or not known.complete:
        return None
    missing = [value for value in op.new_enum if value not in known.values]
    if not missing:
        return None
    literals = ["'" + value.replace("'", "''") + "'" for value in missing]
    them, rows = ("it", "this value") if len(missing) == 1 else ("them", "these values")
    return at.finding(
        op,
        f"the type {known.name} exists without {', '.join(literals)}, and this call does not add {them}: rows with {rows} are refused "
        "(invalid input value for enum)",
        help="\n".join(f"ALTER TYPE {known.name} ADD VALUE IF NOT EXISTS {value};" for value in literals),
    )
