"""The SQL that calls send, and their places in the script."""

from importlib.metadata import version

import pytest

from migsafe.session import sent_statements as statements
from migsafe.sources import Transaction
from tests.rendering.conftest import Render, called, sent

pytestmark = pytest.mark.process

ALEMBIC = tuple(map(int, version("alembic").split(".")[:2]))


def test_directives(render: Render) -> None:
    half = render(
        """
        op.create_table(
            "tags",
            sa.Column("id", sa.BigInteger(), primary_key=True),
            sa.Column("kind", sa.Enum("a", "b", name="kind"), nullable=False),
        )
        op.create_index("orders_note_idx", "orders", ["note"], postgresql_concurrently=True, if_not_exists=True)
        op.create_foreign_key("orders_tag_fk", "orders", "tags", ["tag"], ["id"], postgresql_not_valid=True)
        op.alter_column("orders", "qty", type_=sa.Integer(), postgresql_using="qty::integer")
        """
    )
    assert sent(half) == [
        "CREATE TYPE kind AS ENUM ('a', 'b');",
        "CREATE TABLE tags ( id BIGSERIAL NOT NULL, kind kind NOT NULL, PRIMARY KEY (id) );",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_note_idx ON orders (note);",
        "ALTER TABLE orders ADD CONSTRAINT orders_tag_fk FOREIGN KEY(tag) REFERENCES tags (id) NOT VALID;",
        "ALTER TABLE orders ALTER COLUMN qty TYPE INTEGER USING qty::integer;",
    ]
    assert called(half)[0].startswith('op.create_table( "tags",')
    assert called(half)[0].endswith("nullable=False), )")
    assert called(half)[0] == called(half)[1]


def test_the_indexes_of_a_table_are_created_in_the_order_of_its_columns(render: Render) -> None:
    names = ["g", "b", "f", "a", "e", "c", "d"]
    columns = ", ".join(f'sa.Column("{name}", sa.Text(), index=True)' for name in names)
    _, *indexes = sent(render(f'op.create_table("tags", {columns})'))
    assert indexes == [f"CREATE INDEX ix_tags_{name} ON tags ({name});" for name in names]


@pytest.mark.skipif(ALEMBIC < (1, 16), reason="Alembic 1.16 was the first to have them")
def test_newer_arguments_of_directives(render: Render) -> None:
    half = render(
        """
        op.add_column("orders", sa.Column("note", sa.Text()), if_not_exists=True)
        op.drop_column("orders", "note", if_exists=True)
        """
    )
    assert sent(half) == ["ALTER TABLE orders ADD COLUMN IF NOT EXISTS note TEXT;", "ALTER TABLE orders DROP COLUMN IF EXISTS note;"]


def test_each_statement_of_a_call_is_read(render: Render) -> None:
    half = render('op.execute("LOCK TABLE a; -- first\\nUPDATE a SET x = 1")')
    assert [half.script.text[slice(*one.statement.span)] for one in statements(half)] == ["LOCK TABLE a", "UPDATE a SET x = 1"]


def test_percent_signs_are_those_that_the_server_gets(render: Render) -> None:
    half = render(
        """
        op.execute("UPDATE a SET x = 5 % 2 WHERE y LIKE '%z%'")
        op.execute(sa.text("UPDATE a SET x = '100%%'"))
        op.execute(sa.table("a", sa.column("x", sa.Text)).update().values(x="10%"))
        op.get_bind().execute(sa.text("UPDATE a SET x = :x WHERE y LIKE '%z'").bindparams(x="it's 5%"))
        op.get_bind().exec_driver_sql("UPDATE a SET x = 5 % 2")
        """
    )
    assert sent(half) == [
        "UPDATE a SET x = 5 % 2 WHERE y LIKE '%z%';",
        "UPDATE a SET x = '100%%';",
        "UPDATE a SET x='10%';",
        "UPDATE a SET x = 'it''s 5%' WHERE y LIKE '%z';",
        "UPDATE a SET x = 5 % 2;",
    ]


def test_sql_of_loops_and_helpers_is_at_their_call(render: Render) -> None:
    half = render(
        """
        for name in ("a", "b"):
            add(name)
        """,
        before="""
        def add(name):
            op.add_column(
                name, sa.Column("ä", sa.Text())
            )
        """,
    )
    assert sent(half) == ['ALTER TABLE a ADD COLUMN "ä" TEXT;', 'ALTER TABLE b ADD COLUMN "ä" TEXT;']
    assert called(half) == ['op.add_column( name, sa.Column("ä", sa.Text()) )'] * 2


def test_sql_of_batches_is_at_the_calls_in_them(render: Render) -> None:
    half = render(
        """
        with op.batch_alter_table("a") as batch:
            batch.add_column(sa.Column("x", sa.Text()))
            batch.create_index("a_x_idx", ["x"])
            batch.alter_column("y", nullable=False)
        """
    )
    assert called(half) == [
        'batch.add_column(sa.Column("x", sa.Text()))',
        'batch.create_index("a_x_idx", ["x"])',
        'batch.alter_column("y", nullable=False)',
    ]
    assert sent(half)[2] == "ALTER TABLE a ALTER COLUMN y SET NOT NULL;"


def test_an_autocommit_block_leaves_the_transaction_of_the_runner(render: Render) -> None:
    body = """
        with op.get_context().autocommit_block():
            op.execute("ALTER TYPE kind ADD VALUE 'c'")
        op.drop_column("a", "x")
        """
    half = render(body)
    assert half.program is not None
    assert sent(half) == ["COMMIT;", "ALTER TYPE kind ADD VALUE 'c';", "BEGIN;", "ALTER TABLE a DROP COLUMN x;"]
    assert [call.by_runner for call in half.program.calls] == [True, False, True, False]
    assert called(half)[0] == "op.get_context().autocommit_block()"
    assert sent(render(body, transaction=Transaction.STATEMENT)) == ["ALTER TYPE kind ADD VALUE 'c';", "ALTER TABLE a DROP COLUMN x;"]


def test_inserted_rows_and_custom_operations(render: Render) -> None:
    half = render(
        """
        op.bulk_insert(sa.table("a", sa.column("x", sa.Integer), sa.column("y", sa.Text)), [{"x": 1, "y": "it's"}, {"x": 2, "y": None}])
        op.comment_on_role("shop", "it sells")
        op.run_async(fill)
        """,
        before="""
        from alembic.operations import MigrateOperation, Operations

        @Operations.register_operation("comment_on_role")
        class CommentOnRole(MigrateOperation):
            def __init__(self, role, comment):
                self.sql = f"COMMENT ON ROLE {role} IS '{comment}'"

            @classmethod
            def comment_on_role(cls, operations, role, comment):
                return operations.invoke(cls(role, comment))

        @Operations.implementation_for(CommentOnRole)
        def comment_on_role(operations, operation):
            operations.execute(operation.sql)

        async def fill(connection):
            await connection.execute(sa.text("DELETE FROM a"))
        """,
    )
    assert sent(half) == [
        "INSERT INTO a (x, y) VALUES (1, 'it''s');",
        "INSERT INTO a (x, y) VALUES (2, NULL);",
        "COMMENT ON ROLE shop IS 'it sells';",
        "DELETE FROM a;",
    ]


def test_an_index_may_name_a_column_twice(render: Render) -> None:
    half = render('op.create_index("a_idx", "a", ["x", "y", "x"])')
    assert sent(half) == ["CREATE INDEX a_idx ON a (x, y, x);"]


def test_the_forms_of_sqlalchemy_1(render: Render) -> None:
    half = render(
        """
        bind = op.get_bind()
        bind.execute(orders.delete(orders.c.id == 1))
        bind.execute(orders.update(orders.c.id == 1, values={"note": "a"}))
        bind.execute(orders.insert({"note": "b"}))
        bind.execute(sa.update(orders, orders.c.id == 2).values(note=sa.func.replace(orders.c.note, "a", "b", flags="g")))
        op.bulk_insert(orders, [{"note": "c", "not_a_column": 1}])
        """,
        before='orders = sa.table("orders", sa.column("id"), sa.column("note"))',
    )
    assert sent(half) == [
        "DELETE FROM orders WHERE orders.id = 1;",
        "UPDATE orders SET note='a' WHERE orders.id = 1;",
        "INSERT INTO orders (note) VALUES ('b');",
        "UPDATE orders SET note=replace(orders.note, 'a', 'b') WHERE orders.id = 2;",
        "INSERT INTO orders (note) VALUES ('c');",
    ]


def test_what_only_the_running_application_has_changes_no_other_statement(render: Render) -> None:
    half = render(
        """
        identifier = sa.Column("id", sa.Integer, primary_key=True, default=Ids.next)
        op.create_table("rates", identifier, sa.Column("n", sa.Integer, sa.Computed("id + 1")))
        bind = op.get_bind()
        secret = StringEncryptedType(sa.String, current_app.config["KEY"])
        bind.execute(sa.text("UPDATE rates SET key = :key"), {"key": secret.process_bind_param("x", bind.dialect)})
        """,
        before="""
        from flask import current_app
        from ids import Ids
        from sqlalchemy import event
        from sqlalchemy_utils import StringEncryptedType
        from tracing import trace

        event.listen(sa.Engine, "before_cursor_execute", trace)
        """,
    )
    create, update = sent(half)
    assert create == "CREATE TABLE rates ( id INTEGER NOT NULL, n INTEGER GENERATED ALWAYS AS (id + 1) STORED, PRIMARY KEY (id) );"
    assert update.startswith("UPDATE rates SET key = '⟨sqlalchemy_utils.StringEncryptedType.process_bind_param")


def test_what_a_cursor_of_the_driver_sends(render: Render) -> None:
    half = render(
        """
        import io

        cursor = op.get_bind().connection.cursor()
        cursor.copy_expert("COPY orders (note) FROM STDIN WITH CSV", io.StringIO("a"))
        cursor.copy_from(io.StringIO("1,a"), "orders", sep=",", null="", columns=("id", "note"))
        cursor.copy_to(io.StringIO(), "orders")
        cursor.executemany("INSERT INTO orders (id) VALUES (%s)", [(1,), (2,)])
        cursor.callproc("setval", ["orders_id_seq", 3])
        op.execute(cursor.mogrify("SELECT %s", ("it's",)).decode())
        with cursor.copy("COPY orders FROM STDIN") as copy:
            copy.write_row((1, "b"))
        """
    )
    assert sent(half) == [
        "COPY orders (note) FROM STDIN WITH CSV;",
        """COPY "orders" ("id", "note") FROM STDIN WITH (DELIMITER ',', NULL '');""",
        'COPY "orders" TO STDOUT;',
        "INSERT INTO orders (id) VALUES (1);",
        "INSERT INTO orders (id) VALUES (2);",
        "SELECT * FROM setval('orders_id_seq', 3);",
        "SELECT 'it''s';",
        "COPY orders FROM STDIN;",
    ]


def test_many_rows_of_psycopg2(render: Render) -> None:
    half = render(
        """
        from psycopg2.extras import execute_batch, execute_values

        cursor = op.get_bind().connection.cursor()
        execute_values(cursor, "INSERT INTO orders (id, note) VALUES %s ON CONFLICT DO NOTHING", [(1, "a"), (2, "b")])
        execute_values(cursor, "INSERT INTO orders (id) VALUES %s", [{"id": 3}], template="(%(id)s)")
        execute_batch(cursor, "UPDATE orders SET note = %s WHERE id = %s", [("c", 1), ("d", 2)])
        cursor.execute(b"SELECT 1")
        """
    )
    assert [sql.replace("),(", "), (") for sql in sent(half)] == [
        "INSERT INTO orders (id, note) VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING;",
        "INSERT INTO orders (id) VALUES (3);",
        "UPDATE orders SET note = 'c' WHERE id = 1;",
        "UPDATE orders SET note = 'd' WHERE id = 2;",
        "SELECT 1;",
    ]
