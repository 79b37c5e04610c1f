"""Guards: what a script asks about the schema, and what it then does."""

import pytest

from tests.rendering.conftest import TABLES, Render, sent

pytestmark = pytest.mark.process


def test_guards_take_the_branch_of_production(render: Render) -> None:
    half = render(
        """
        inspector = sa.inspect(op.get_bind())
        if "note" not in [column["name"] for column in inspector.get_columns("orders")]:
            op.add_column("orders", sa.Column("note", sa.Text()))
        if not any(column["name"] == "paid" for column in inspector.get_columns("orders")):
            op.add_column("orders", sa.Column("paid", sa.Boolean()))
        if "paid" in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}:
            op.create_index("orders_paid_idx", "orders", ["paid"])
        if not inspector.has_table("gone"):
            op.create_table("gone", sa.Column("id", sa.Integer()))
        if "gone" in sa.inspect(op.get_bind()).get_table_names():
            op.execute("TABLE gone")
        """,
        history=TABLES,
    )
    assert sent(half) == [
        "ALTER TABLE orders ADD COLUMN paid BOOLEAN;",
        "CREATE INDEX orders_paid_idx ON orders (paid);",
        "CREATE TABLE gone ( id INTEGER );",
        "TABLE gone;",
    ]


def test_an_inspector_returns_the_objects_of_the_schema(render: Render) -> None:
    half = render(
        """
        i = sa.inspect(op.get_bind())
        details = [
            i.get_pk_constraint("orders")["constrained_columns"],
            [(k["constrained_columns"], k["referred_table"], k["referred_columns"]) for k in i.get_foreign_keys("orders")],
            sorted(x["name"] for x in i.get_indexes("orders")),
            [(u["name"], u["column_names"]) for u in i.get_unique_constraints("orders")],
            [c["name"] for c in i.get_check_constraints("orders")],
            [type(c["type"]).__name__ for c in i.get_columns("orders")],
            [c["nullable"] for c in i.get_columns("orders")],
            i.has_table("latest"), "customers" in i.get_table_names(),
            next(e["labels"] for e in i.get_enums() if e["name"] == "kind"),
        ]
        for detail in details:
            op.execute(f"-- {detail}\\nSELECT 1")
        """,
        history=TABLES,
    )
    assert [line.removesuffix(" SELECT 1;").removeprefix("-- ") for line in sent(half)] == [
        "['id']",
        "[(['customer'], 'customers', ['id'])]",
        "['note_once', 'orders_at_idx']",
        "[('note_once', ['note'])]",
        "['id_positive']",
        "['BIGINT', 'BIGINT', 'ENUM', 'VARCHAR', 'TIMESTAMP']",
        "[False, False, True, True, True]",
        "True",
        "True",
        "['a', 'b']",
    ]


def test_a_reflected_table_has_the_columns_that_the_history_does_not_know(render: Render) -> None:
    half = render(
        """
        bind = op.get_bind()
        parcels = sa.Table("parcels", sa.MetaData(), autoload_with=bind)
        for row in bind.execute(sa.select(parcels.c.id, parcels.c["code"].label("name")).where(parcels.c.weight > 5)):
            bind.execute(parcels.update().where(parcels.c.id == row["id"]).values(code=row[1], label="x"))
        """,
        history="ALTER TABLE parcels ADD COLUMN label text;",
    )
    assert [line.replace("\n", " ") for line in sent(half)] == [
        "SELECT parcels.id, parcels.code AS name FROM parcels WHERE parcels.weight > 5;",
        "? UPDATE parcels SET label='x', code='⟨row.name⟩' WHERE parcels.id = '⟨row.id⟩';",
    ]


def test_tables_are_reflected_from_the_schema(render: Render) -> None:
    half = render(
        """
        bind = op.get_bind()
        inspector = sa.inspect(bind)
        old = sa.MetaData(bind=bind)
        old.reflect(only=["customers"])
        table = sa.Table("orders", sa.MetaData(), autoload_with=bind)
        base = automap_base()
        base.prepare(autoload_with=bind)
        details = [
            table.c.keys(),
            sa.Table("orders", old, autoload=True).c.keys() == table.c.keys(),
            sorted(old.tables),
            sorted(base.classes.keys()),
            inspector.has_index("orders", "orders_at_idx"),
            [name for name, _ in inspector.get_sorted_table_and_fkc_names()][:2],
            [column["name"] for column in inspector.get_multi_columns()[None, "customers"]],
            inspector.get_multi_pk_constraint(filter_names=["orders"])[None, "orders"]["name"],
            inspector.get_temp_view_names(),
        ]
        for detail in details:
            op.execute(f"-- {detail}\\nSELECT 1")
        for order in orm.Session(bind).query(base.classes.orders):
            op.execute(f"SELECT '{order.note}'")
        """,
        before="from sqlalchemy import orm\nfrom sqlalchemy.ext.automap import automap_base\n",
        history=TABLES,
    )
    lines = sent(half)
    assert [line.removesuffix(" SELECT 1;").removeprefix("-- ") for line in lines[:9]] == [
        "['id', 'customer', 'kind', 'note', 'at']",
        "True",
        "['customers', 'orders']",
        "['customers', 'orders']",
        "True",
        "['customers', 'orders']",
        "['id']",
        "orders_pkey",
        "[]",
    ]
    assert lines[10] == "? SELECT '⟨row.orders_note⟩';"


def test_tables_are_created_and_dropped_after_a_check(render: Render) -> None:
    half = render(
        """
        metadata = sa.MetaData()
        tables = [sa.Table(name, metadata, sa.Column("id", sa.Text())) for name in ("customers", "gone")]
        metadata.create_all(op.get_bind())
        metadata.drop_all(op.get_bind(), tables=tables[1:])
        tables[1].drop(op.get_bind(), checkfirst=True)
        """,
        history=TABLES,
    )
    assert sent(half) == ["CREATE TABLE gone ( id TEXT ) ;", "DROP TABLE gone;"]


def test_rendering_leaves_the_schema_unchanged(render: Render) -> None:
    for _ in range(2):
        half = render(
            """
            op.drop_table("customers")
            if not sa.inspect(op.get_bind()).has_table("customers"):
                op.execute("SELECT 'gone'")
            """,
            history=TABLES,
        )
        assert sent(half)[1:] == ["SELECT 'gone';"]


def test_both_branches_are_rendered_if_the_condition_is_unknown(render: Render) -> None:
    half = render(
        """
        op.drop_column("a", "x")
        if sa.inspect(op.get_bind()).has_table("unknown_table"):
            op.drop_table("unknown_table")
        else:
            op.create_table("unknown_table", sa.Column("id", sa.Integer()))
        op.drop_column("a", "y")
        """
    )
    assert sent(half) == [
        "ALTER TABLE a DROP COLUMN x;",
        "? DROP TABLE unknown_table;",
        "? CREATE TABLE unknown_table ( id INTEGER );",
        "ALTER TABLE a DROP COLUMN y;",
    ]


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("SELECT 1 FROM information_schema.tables WHERE table_name = 'orders'", True),
        ("SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'gone')", False),
        ("SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'note'", True),
        ("select exists(select 1 from information_schema.columns where table_name='orders' and column_name='paid')", False),
        ("SELECT 1 FROM pg_indexes WHERE indexname = 'orders_at_idx'", True),
        ("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = 'orders'", True),
        ("SELECT 1 FROM pg_class c WHERE c.relname = 'gone' AND c.relkind = 'r' LIMIT 1", False),
        ("SELECT viewname FROM pg_views WHERE viewname = 'latest'", True),
        ("SELECT 1 FROM information_schema.columns c WHERE c.table_name = 'orders' AND c.column_name IN ('note', 'paid')", True),
        ("SELECT 1 FROM information_schema.table_constraints WHERE table_name = 'orders' AND constraint_name = 'note_once'", True),
        ("SELECT 1 FROM information_schema.table_constraints WHERE constraint_name = 'note_twice' AND table_name = 'orders'", False),
        ("SELECT column_default FROM information_schema.columns c WHERE table_name = 'orders' AND column_name = 'note'", True),
        ("SELECT column_default FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'at'", False),
        ("SELECT 1 FROM pg_type WHERE typname = 'kind'", True),
        ("SELECT to_regclass('public.orders')", True),
        ("SELECT to_regclass('gone') IS NOT NULL", False),
        ("SELECT to_regclass('gone') IS NULL", True),
    ],
)
def test_common_catalog_queries_are_answered(render: Render, query: str, there: bool) -> None:
    half = render(
        f"""
        if op.get_bind().execute(sa.text({query!r})).scalar():
            op.execute("SELECT 'there'")
        else:
            op.execute("SELECT 'not there'")
        """,
        history=TABLES,
    )
    assert sent(half)[1:] == ["SELECT 'there';" if there else "SELECT 'not there';"]


def test_a_catalog_query_that_counts_is_answered(render: Render) -> None:
    half = render(
        """
        bind = op.get_bind()
        count = sa.text("SELECT count(*) FROM information_schema.columns WHERE table_name = :t AND column_name IN ('note', 'kind', 'paid')")
        names = sa.text("SELECT table_name FROM information_schema.tables WHERE table_name = 'orders' AND table_type = 'BASE TABLE'")
        op.execute(f"SELECT {bind.execute(count, {'t': 'orders'}).scalar()}")
        if bind.execute(names).fetchone():
            op.execute("SELECT 'unknown'")
        """,
        history=TABLES,
    )
    assert [sql for sql in sent(half) if "information_schema" not in sql] == ["SELECT 2;", "? SELECT 'unknown';"]


LABEL = "SELECT {what} FROM pg_enum WHERE enumlabel = '{label}' AND enumtypid = {type}"
JOINED = "SELECT 1 FROM pg_enum e JOIN pg_type t ON e.enumtypid = t.oid WHERE t.typname = '{type}' AND e.enumlabel = '{label}'"


@pytest.mark.parametrize(
    ("query", "there"),
    [
        (LABEL.format(what="1", label="b", type="(SELECT oid FROM pg_type WHERE typname = 'kind')"), True),
        (LABEL.format(what="1", label="c", type="(SELECT oid FROM pg_type WHERE typname = 'kind')"), False),
        (LABEL.format(what="enumlabel", label="a", type="'public.kind'::regtype"), True),
        (LABEL.format(what="oid", label="c", type="'kind'::regtype::oid"), False),
        (JOINED.format(label="b", type="kind"), True),
        (JOINED.format(label="B", type="kind"), False),
        (f"SELECT EXISTS ({JOINED.format(label='b', type='kind')})", True),
        (f"SELECT EXISTS ({JOINED.format(label='c', type='kind')}) AS found", False),
        ("SELECT count(*) FROM pg_type t, pg_enum e WHERE t.oid = e.enumtypid AND t.typname = 'kind' AND e.enumlabel IN ('b', 'c')", True),
        ("SELECT count(*) FROM pg_type t, pg_enum e WHERE t.oid = e.enumtypid AND t.typname = 'kind' AND e.enumlabel IN ('c', 'd e')", False),
    ],
)
def test_a_query_for_a_label_of_an_enum_is_answered(render: Render, query: str, there: bool) -> None:
    half = render(
        f"""
        if op.get_bind().execute(sa.text({query!r})).scalar():
            op.execute("SELECT 'there'")
        else:
            op.execute("SELECT 'not there'")
        """,
        history=TABLES,
    )
    assert sent(half)[1:] == ["SELECT 'there';" if there else "SELECT 'not there';"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'kind' ORDER BY e.enumsortorder",
        "SELECT unnest(enum_range(NULL::kind))::text AS label",
    ],
)
def test_the_labels_of_an_enum_are_answered_in_their_order(render: Render, query: str) -> None:
    body = f"""
        for label, in op.get_bind().execute(sa.text({query!r})):
            op.execute(f"SELECT '{{label}}'")
        """
    assert sent(render(body, history=TABLES))[1:] == ["SELECT 'a';", "SELECT 'b';"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 FROM pg_enum WHERE enumlabel LIKE 'a%' AND enumtypid = 'kind'::regtype",
        "SELECT enumlabel FROM pg_enum WHERE enumtypid = 'kind'::regtype",
        "SELECT 1 FROM pg_enum WHERE enumlabel = 'a'",
        JOINED.format(label="b", type="of_an_earlier_migration"),
        "SELECT 1 FROM pg_enum e JOIN pg_type t ON e.enumtypid = t.oid WHERE t.typname = 'kind' OR e.enumlabel = 'a'",
    ],
)
def test_other_queries_for_labels_of_enums_stay_unknown(render: Render, query: str) -> None:
    half = render(
        f"""
        if op.get_bind().execute(sa.text({query!r})).fetchone():
            op.execute("SELECT 'there'")
        """,
        history=TABLES,
    )
    assert sent(half)[1:] == ["? SELECT 'there';"]


CONSTRAINT = "SELECT {what} FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = '{kind}'"
BY_NAMES = """
    SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE c.contype = 'p' AND n.nspname = 'public' AND t.relname = 'orders' LIMIT 1
"""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (CONSTRAINT.format(what="conname", table="orders", kind="u"), "note_once"),
        (CONSTRAINT.format(what="conname", table="public.orders", kind="c"), "id_positive"),
        (CONSTRAINT.format(what="conname", table="customers", kind="f"), "None"),
        (CONSTRAINT.format(what="1", table="orders", kind="u") + " AND conname = 'note_twice'", "None"),
        (BY_NAMES, "orders_pkey"),
        (f"SELECT EXISTS ({CONSTRAINT.format(what='1', table='orders', kind='p')})", "True"),
    ],
)
def test_a_query_for_the_name_of_a_constraint_is_answered(render: Render, query: str, found: str) -> None:
    half = render(f"op.execute(f\"SELECT '{{op.get_bind().execute(sa.text({query!r})).scalar()}}'\")", history=TABLES)
    assert sent(half)[1:] == [f"SELECT '{found}';"]


def test_a_query_for_constraints_of_any_table_stays_unknown(render: Render) -> None:
    query = "SELECT conname FROM pg_constraint WHERE contype = 'u'"
    half = render(f"if op.get_bind().execute(sa.text({query!r})).scalar():\n    op.execute('SELECT 1')", history=TABLES)
    assert sent(half)[1:] == ["? SELECT 1;"]


def test_a_query_for_the_state_of_an_index_is_answered(render: Render) -> None:
    half = render(
        """
        connection = op.get_bind()
        schema = connection.execute(sa.text("SELECT current_schema()")).scalar_one()
        asked = sa.text("SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(:name)")
        for name in ("orders_note_idx", "orders_qty_idx"):
            row = connection.execute(asked, {"name": f'"{schema}"."{name}"'}).one_or_none()
            if row is None:
                op.execute(f'CREATE INDEX {name} ON "{schema}".orders (note)')
            elif not row[0]:
                op.execute(f"REINDEX INDEX {name}")
        """,
        history="CREATE TABLE orders (note text); CREATE INDEX orders_note_idx ON orders (note); CREATE INDEX orders_qty_idx ON orders (note);"
        "DROP INDEX orders_qty_idx;",
    )
    assert [sql for sql in sent(half) if not sql.startswith("SELECT")] == ['CREATE INDEX orders_qty_idx ON "public".orders (note);']


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("id", ["DROP SEQUENCE shop.orders_id_seq;"]),
        ("number", ['DROP SEQUENCE shop."Numbers";']),
        ("key", ["DROP SEQUENCE shop.orders_key_seq;"]),
        ("note", ["SELECT 'none';"]),
    ],
)
def test_a_query_for_the_sequence_of_a_column_is_answered(render: Render, column: str, expected: list[str]) -> None:
    half = render(
        f"""
        row = op.get_bind().execute(sa.text("select pg_get_serial_sequence('shop.orders', '{column}')")).fetchone()
        op.execute(f"DROP SEQUENCE {{row[0]}}" if row[0] is not None else "SELECT 'none'")
        """,
        history="CREATE SCHEMA shop; CREATE TABLE shop.orders (id serial, number int, key bigint GENERATED ALWAYS AS IDENTITY, note text);"
        'CREATE SEQUENCE shop."Numbers" OWNED BY shop.orders.number;',
    )
    assert sent(half)[1:] == expected


def test_many_guards_are_all_rendered(render: Render) -> None:
    guards = "\n".join(f'if "x{n}" not in columns:\n    op.add_column("legacy", sa.Column("x{n}", sa.Text()))' for n in range(20))
    half = render(
        f'columns = {{column["name"] for column in sa.inspect(op.get_bind()).get_columns("legacy")}}\n{guards}\nop.drop_table("legacy")'
    )
    assert sent(half) == [*(f"? ALTER TABLE legacy ADD COLUMN x{n} TEXT;" for n in range(20)), "DROP TABLE legacy;"]
