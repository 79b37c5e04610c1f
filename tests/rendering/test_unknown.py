"""Values that are known only to a database, another environment or the application."""

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.session import sent_statements as statements
from migsafe.sql.operations import OpaqueCode
from tests.rendering.conftest import Render, after, called, program, script, sent

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    "query",
    [
        'bind.execute(sa.text("SELECT id FROM a")).fetchall()',
        'bind.execute(sa.select(sa.column("id")).select_from(sa.table("a")))',
        'bind.exec_driver_sql("SELECT id FROM a")',
    ],
)
def test_a_loop_over_unknown_rows_runs_once(render: Render, query: str) -> None:
    half = render(
        f"""
        bind = op.get_bind()
        for row in {query}:
            bind.execute(sa.text("UPDATE b SET x = :x WHERE id = :id"), {{"x": row[0], "id": row.id}})
        op.drop_column("a", "x")
        """
    )
    sql = sent(half)
    assert sql[0].split() == "SELECT id FROM a;".split()
    assert sql[1].startswith("? UPDATE b SET x = '⟨row")
    assert sql[2:] == ["ALTER TABLE a DROP COLUMN x;"]


def test_an_unknown_engine_is_one_of_postgresql(render: Render) -> None:
    half = render(
        """
        from storage import engines
        engine = engines.get_engine()
        if engine.dialect.name == "mysql":
            op.drop_table("a")
        else:
            op.drop_table("b")
        """
    )
    assert sent(half) == ["DROP TABLE b;"]


def test_a_loop_that_is_entered_again_has_its_own_transaction(render: Render) -> None:
    half = render(
        """
        def is_missing(table):
            query = sa.text("SELECT 1 FROM information_schema.columns WHERE table_name = :table")
            return op.get_bind().execute(query, {"table": table}).first() is None

        def change(table):
            while True:
                try:
                    op.execute("BEGIN")
                    op.execute("SET LOCAL lock_timeout = '1s'")
                    op.execute(f"LOCK TABLE {table}")
                    op.execute("COMMIT")
                    return
                except Exception:
                    pass

        with op.get_context().autocommit_block():
            for table in ("x", "y"):
                if is_missing(table):
                    change(table)
        """
    )
    calls = [text.removeprefix("? ") for text in sent(half)]
    for table in ("x", "y"):
        at = calls.index(f"LOCK TABLE {table};")
        assert calls[at - 2 : at + 2] == ["BEGIN;", "SET LOCAL lock_timeout = '1s';", f"LOCK TABLE {table};", "COMMIT;"]


def test_a_condition_that_would_end_the_script_is_assumed_to_be_met(render: Render) -> None:
    half = render(
        """
        row = op.get_bind().execute(sa.text("SELECT count(*) FROM a WHERE x IS NULL")).scalar()
        if row:
            raise RuntimeError("fill it first")
        op.alter_column("a", "x", nullable=False)
        """
    )
    assert sent(half) == ["SELECT count(*) FROM a WHERE x IS NULL;", "ALTER TABLE a ALTER COLUMN x SET NOT NULL;"]


def test_a_sum_of_unknown_values_may_be_zero(render: Render) -> None:
    half = render(
        """
        users = op.get_bind().execute(sa.text("SELECT count(*) FROM users WHERE role IS NULL")).scalar_one()
        invitations = op.get_bind().execute(sa.text("SELECT count(*) FROM invitations WHERE role IS NULL")).scalar_one()
        if users + invitations:
            raise RuntimeError("rows without a role")
        op.alter_column("users", "role", nullable=False)
        """
    )
    assert sent(half)[2:] == ["ALTER TABLE users ALTER COLUMN role SET NOT NULL;"]


def test_a_loop_that_waits_for_rows_ends(render: Render) -> None:
    half = render(
        """
        while True:
            done = op.get_bind().execute(sa.text("UPDATE a SET x = 0 WHERE x IS NULL"))
            if done.rowcount == 0:
                break
        op.drop_column("a", "y")
        """
    )
    assert sent(half)[-1].endswith("ALTER TABLE a DROP COLUMN y;")
    assert "UPDATE a SET x = 0 WHERE x IS NULL;" in [sql.removeprefix("? ") for sql in sent(half)]
    assert len(sent(half)) < 60


def test_a_commit_of_another_connection_does_not_end_the_transaction_of_alembic(render: Render) -> None:
    half = render(
        """
        with op.get_bind().engine.connect() as other:
            other.execute(sa.text("UPDATE orders SET note = 'x' WHERE id = 1"))
            other.commit()
        op.get_bind().execute(sa.text("UPDATE orders SET note = 'y' WHERE id = 2"))
        op.get_bind().commit()
        """
    )
    assert sent(half) == ["UPDATE orders SET note = 'x' WHERE id = 1;", "UPDATE orders SET note = 'y' WHERE id = 2;", "COMMIT;", "BEGIN;"]


def test_sessions_send_their_changes(render: Render) -> None:
    half = render(
        """
        session = orm.Session(bind=op.get_bind())
        session.add(Order(id=7, note="it's"))
        session.commit()
        for order in session.query(Order).filter(Order.note.is_(None)):
            order.note = "none"
        session.commit()
        session.execute(sa.text("DELETE FROM orders WHERE note = :note"), {"note": "x"})
        """,
        before="""
        from sqlalchemy import orm
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()


        class Order(Base):
            __tablename__ = "orders"
            id = sa.Column(sa.BigInteger, primary_key=True)
            note = sa.Column(sa.Text)
        """,
    )
    sql = sent(half)
    assert sql[0] == "INSERT INTO orders (id, note) VALUES (7, 'it''s');"
    assert sql[1].startswith("SELECT orders.id")
    assert sql[2].startswith("? UPDATE orders SET note='none' WHERE orders.id =")
    assert sql[3] == "DELETE FROM orders WHERE note = 'x';"


def test_only_the_type_is_unknown_if_its_module_is_missing(render: Render) -> None:
    half = render(
        """
        op.create_table("a", sa.Column("id", sa.Integer()), sa.Column("key", types.Key(16), nullable=False))
        op.add_column("b", sa.Column("keys", sa.ARRAY(types.Key())))
        """,
        before="from shop.database import types",
    )
    assert sent(half) == [
        'CREATE TABLE a ( id INTEGER, key "⟨shop.database.types.Key()⟩" NOT NULL );',
        'ALTER TABLE b ADD COLUMN keys "⟨shop.database.types.Key()⟩"[];',
    ]
    assert half.program is not None
    assert [call.unknown_part for call in half.program.calls] == ["shop.database.types.Key() cannot be imported here"] * 2
    opaque = [operation for each in statements(half) for operation in each.statement.operations if isinstance(operation, OpaqueCode)]
    assert [operation.confined for operation in opaque] == [True, True]


def test_a_call_of_a_missing_helper_is_opaque(render: Render) -> None:
    half = render(
        """
        log.info("begin")
        audit("orders")
        rows = names(op)
        with timer():
            op.drop_column("a", "x")
        op.execute(SQL)
        op.rename_table(f"{PREFIX}_orders", "orders")
        """,
        before="""
        from shop.logs import log, timer
        from shop.migrations import PREFIX, SQL, audit, names
        """,
    )
    assert half.program is not None
    opaque = [(call.opaque, " ".join(half.program.script.text[slice(*call.file_span)].split())) for call in half.program.calls if call.opaque]
    assert opaque == [
        ("it calls shop.migrations.audit, which cannot be imported here", 'audit("orders")'),
        ("it calls shop.migrations.names, which cannot be imported here", "names(op)"),
        (
            "it is built from unknown values: shop.migrations.SQL cannot be imported here",
            "op.execute(SQL)",
        ),
        (
            "it names something unknown: shop.migrations.PREFIX cannot be imported here",
            'op.rename_table(f"{PREFIX}_orders", "orders")',
        ),
    ]
    assert "ALTER TABLE a DROP COLUMN x;" in sent(half)


def test_sending_nothing_is_opaque_if_it_depends_on_unknown_values(render: Render) -> None:
    half = render("changed = tables.migrate()", before="from shop import tables")
    assert sent(half) == ["[it sends nothing here, because it depends on unknown values] def upgrade():"]
    assert called(half) == ["def upgrade():"]
    assert sent(render("names = [table for table in TABLES if table.wanted]", before="from shop import TABLES")) == []
    assert sent(render("for name in ():\n    op.drop_table(name)")) == []


def test_an_optional_import_fails_as_the_script_expects(render: Render) -> None:
    half = render(
        'op.execute("SELECT 1" if shop is None else "SELECT 2")',
        before="""
        try:
            import shop
        except ImportError:
            shop = None
        """,
    )
    assert sent(half) == ["SELECT 1;"]


def test_an_error_is_opaque_at_its_call(render: Render) -> None:
    half = render('op.drop_column("a", "x")\nint("many")\nop.drop_column("a", "y")')
    assert sent(half) == [
        "ALTER TABLE a DROP COLUMN x;",
        "[it fails here with ValueError: invalid literal for int() with base 10: 'many'] int(\"many\")",
        "ALTER TABLE a DROP COLUMN y;",
    ]


def test_arguments_from_a_custom_environment_are_unknown(renderer: Renderer) -> None:
    text = "def upgrade(op, tables, tester):\n    op.drop_table('a')\n    tester.fill('b')\n"
    assert sent(renderer.render_half(program(text), after(""))) == [
        "DROP TABLE a;",
        "[it calls tester.fill, which comes from the project's own env.py] tester.fill('b')",
    ]


def test_a_missing_enum_has_the_name_of_its_class(render: Render) -> None:
    half = render('op.create_table("a", sa.Column("kind", sa.Enum(shop.models.OrderKind)))', before="import shop.models")
    assert sent(half) == ["CREATE TYPE orderkind AS ENUM ('⟨shop.models.OrderKind⟩');", "CREATE TABLE a ( kind orderkind );"]


def test_calls_after_an_untried_branch_are_uncertain(render: Render) -> None:
    nested = "\n".join(f"{'    ' * depth}if settings.option_{depth}:" for depth in range(20))
    half = render(
        f"op.execute('SELECT 0')\n{nested}\n{'    ' * 20}op.execute('SELECT 1')\nop.execute('SELECT 2')",
        before="from warehouse.settings import settings",
    )
    assert sent(half) == ["SELECT 0;", "? SELECT 1;", "? SELECT 2;"]
    assert half.program is not None
    assert half.program.has_untried_paths


COLLECTIONS = (
    "inspector.get_table_names()",
    "set(inspector.get_table_names())",
    '[column["name"] for column in inspector.get_columns("old")]',
    '{column["name"] for column in inspector.get_columns("old")}',
    '{column["name"]: column for column in inspector.get_columns("old")}',
    '{column["name"]: column for column in inspector.get_columns("old")}.keys()',
    'frozenset(column["name"] for column in inspector.get_columns("old"))',
)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_both_branches_are_rendered_if_a_collection_is_unknown(render: Render, collection: str) -> None:
    half = render(
        f"""
        inspector = sa.inspect(op.get_bind())
        names = {collection}
        if "note" in names:
            op.execute("TRUNCATE a")
        if "qty" not in names:
            op.execute("TRUNCATE b")
        """
    )
    assert sent(half) == ["? TRUNCATE a;", "? TRUNCATE b;"]


def test_a_decision_about_a_known_collection_is_certain(render: Render) -> None:
    half = render(
        """
        names = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
        if "note" in names and "qty" not in names and not ("x" in "yz") and 1 not in [2]:
            op.execute("TRUNCATE a")
        """,
        history="CREATE TABLE orders (note text);",
    )
    assert sent(half) == ["TRUNCATE a;"]


def test_an_enum_with_unknown_values_is_an_unknown_type(render: Render) -> None:
    half = render(
        """
        op.add_column("orders", sa.Column("kind", sa.Enum(Kind, native_enum=False)))
        op.add_column("orders", sa.Column("size", sa.Enum(Kind, native_enum=False, length=20)))
        op.add_column("orders", sa.Column("colour", sa.Enum("red", "blue", native_enum=False)))
        """,
        before="from shop.kinds import Kind",
    )
    assert sent(half) == [
        'ALTER TABLE orders ADD COLUMN kind "⟨shop.kinds.Kind⟩";',
        "ALTER TABLE orders ADD COLUMN size VARCHAR(20);",
        "ALTER TABLE orders ADD COLUMN colour VARCHAR(4);",
    ]


def test_rows_for_an_unknown_table_are_known_to_block_nobody(render: Render) -> None:
    half = render(
        'op.bulk_insert(tables.kinds, [{"name": "a"}])\nop.get_bind().execute(tables.kinds.delete())', before="from shop.tables import tables"
    )
    assert sent(half) == [
        """INSERT INTO "⟨shop.tables.tables.kinds⟩" (name) VALUES ('a');""",
        '[it is built from unknown values: shop.tables.tables.kinds.delete() cannot be imported here] "⟨shop.tables.tables.kinds.delete()⟩";',
    ]


def test_a_script_that_always_ends_with_its_own_error_may_continue_in_production(render: Render) -> None:
    half = render(
        """
        count = counted.total()
        op.execute("SELECT 1")
        if f"{count}" != "0":
            raise RuntimeError(f"{count} rows are left")
        op.execute("SELECT 2")
        """,
        before="from depot import counted",
    )
    assert sent(half)[:2] == [
        "SELECT 1;",
        '[it ends here with RuntimeError: ⟨depot.counted.total()⟩ rows are left] raise RuntimeError(f"{count} rows are left")',
    ]


def test_a_script_that_only_refuses_to_run_is_complete(render: Render) -> None:
    assert sent(render('raise RuntimeError("upgrade with the new tool")')) == []


def test_classes_of_exceptions_may_be_unknown(render: Render) -> None:
    half = render(
        """
        try:
            raise ValueError
        except (errors.Gone, ValueError):
            op.execute("SELECT 1")
        try:
            op.execute("SELECT 2")
        except errors.Gone:
            op.execute("SELECT 3")
        """,
        before="from missing import errors",
    )
    assert sent(half) == ["SELECT 1;", "SELECT 2;"]


def test_a_value_may_be_true_false_or_neither(render: Render) -> None:
    half = render(
        """
        state = op.get_bind().execute(sa.text("SELECT ready FROM states")).scalar_one_or_none()
        if state is False:
            op.execute("SELECT 1")
        if state is not True:
            raise RuntimeError("not ready")
        op.execute("SELECT 2")
        """
    )
    assert sent(half) == ["SELECT ready FROM states;", "? SELECT 1;", "SELECT 2;"]


def test_the_name_of_a_new_index_or_constraint_may_be_unknown(render: Render) -> None:
    half = render(
        """
        op.create_index(names.index, "a", ["x"])
        op.create_unique_constraint(names.unique, "a", ["x"])
        op.drop_constraint(names.old, "a")
        """,
        before="from shop import names",
    )
    assert [call.startswith("[") for call in sent(half)] == [False, False, True]


def test_the_projects_own_code_may_refuse_a_situation(renderer: Renderer) -> None:
    body = """
    state = op.get_bind().execute(sa.text("SELECT count(*) FROM a")).scalar()
    if state.is_wrong:
        raise RuntimeError("wrong")
    op.drop_table("a")
    """
    assert sent(renderer.render_half(program(script(body)), after("")))[-1] == "DROP TABLE a;"


def test_sql_may_be_a_string_where_sqlalchemy_2_wants_text(render: Render) -> None:
    half = render(
        """
        from sqlalchemy.orm import Session
        Session(bind=op.get_bind()).execute("SELECT id FROM a WHERE x = :x", {"x": 1})
        op.get_bind().execute(sa.select(sa.column("id")).select_from(sa.table("a")).where("x = 1").order_by("id"))
        """
    )
    assert sent(half)[0].startswith("SELECT id FROM a WHERE x = ")
    assert sent(half)[1] == "SELECT id FROM a WHERE x = 1 ORDER BY id;"


def test_long_names_of_packages_are_known(render: Render) -> None:
    half = render(
        'op.add_column("a", sa.Column("x", sqlalchemy_utils.types.encrypted.encrypted_type.StringEncryptedType()))',
        before="import sqlalchemy_utils",
    )
    assert sent(half) == ["ALTER TABLE a ADD COLUMN x VARCHAR;"]


def test_the_row_of_a_query_that_checks_for_an_object_has_the_name_of_its_column(render: Render) -> None:
    body = """
        query = "SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'orders') AS found"
        if not op.get_bind().execute(sa.text(query)).first().found:
            op.execute("DROP TABLE absent")
        if op.get_bind().execute(sa.text(query)).next()[0]:
            op.execute("SELECT 1")
    """
    found = sent(render(body, history="CREATE TABLE orders (id bigint);"))
    assert found[-1] == "SELECT 1;"
    assert not [sql for sql in found if "DROP TABLE" in sql or "fails here" in sql]


def test_a_type_that_the_script_has_dropped_is_not_dropped_again(render: Render) -> None:
    body = """
        for column in ("kind", "other"):
            op.drop_column("orders", column)
        for _ in range(2):
            sa.Enum("a", "b", name="kind").drop(op.get_bind(), checkfirst=True)
    """
    history = "CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TABLE orders (id bigint, kind kind, other kind);"
    found = [sql.removeprefix("? ") for sql in sent(render(body, history=history))]
    assert found == ["ALTER TABLE orders DROP COLUMN kind;", "ALTER TABLE orders DROP COLUMN other;", "DROP TYPE kind;"]


def test_what_logging_asks_of_an_unknown_formatter(render: Render) -> None:
    half = render(
        """
        import logging

        import nowhere

        handler = logging.StreamHandler()
        handler.setFormatter(nowhere.Formatter())
        logger = logging.getLogger("backfill")
        logger.addHandler(handler)
        logger.warning("begins")
        op.execute("UPDATE orders SET note = 'x'")
        """
    )
    assert sent(half) == ["UPDATE orders SET note = 'x';"]
