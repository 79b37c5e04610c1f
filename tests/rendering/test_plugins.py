"""Operations and classes of plugins that are not installed."""

import pytest

from tests.rendering.conftest import Render, called, sent

pytestmark = pytest.mark.process

ENTITIES = {
    "PGFunction('public', 'total(a int default 1, b int)', 'returns int as $$ begin x := a; return x::int; end $$ language plpgsql;')": (
        'CREATE FUNCTION "public"."total"(a int default 1, b int) returns int as $$ begin x := a; return x::int; end $$ language plpgsql;',
        'CREATE OR REPLACE FUNCTION "public"."total"(a int default 1, b int) '
        "returns int as $$ begin x := a; return x::int; end $$ language plpgsql;",
        'DROP FUNCTION "public"."total"(a int, b int) CASCADE;',
    ),
    "PGView('public', 'paid', 'select id from orders where note = \\':x\\';')": (
        'CREATE VIEW "public"."paid" AS select id from orders where note = \':x\';',
        'CREATE OR REPLACE VIEW "public"."paid" AS select id from orders where note = \':x\';',
        'DROP VIEW "public"."paid" CASCADE;',
    ),
    "PGTrigger('public', 'touch', 'before update on orders for each row execute function f()', on_entity='orders')": (
        'CREATE TRIGGER "touch" before update ON public.orders for each row execute function f();',
        'DROP TRIGGER IF EXISTS "touch" ON public.orders; '
        'CREATE TRIGGER "touch" before update ON public.orders for each row execute function f();',
        'DROP TRIGGER "touch" ON public.orders CASCADE;',
    ),
    "PGPolicy('public', 'mine', 'for select using (true)', on_entity='orders')": (
        "CREATE POLICY mine ON public.orders for select using (true);",
        "DROP POLICY IF EXISTS mine ON public.orders; CREATE POLICY mine ON public.orders for select using (true);",
        "DROP POLICY mine ON public.orders CASCADE;",
    ),
    "PGMaterializedView('public', 'daily', 'select 1 as n', with_data=False)": (
        'CREATE MATERIALIZED VIEW "public"."daily" AS select 1 as n WITH NO DATA;',
        'DROP MATERIALIZED VIEW IF EXISTS "public"."daily"; CREATE MATERIALIZED VIEW "public"."daily" AS select 1 as n WITH NO DATA;',
        'DROP MATERIALIZED VIEW "public"."daily" CASCADE;',
    ),
    "PGGrantTable('public', 'orders', 'clerk', 'SELECT', columns=['id'])": (
        'GRANT SELECT (id) ON "public"."orders" TO "clerk";',
        'REVOKE SELECT ON "public"."orders" FROM "clerk"; GRANT SELECT (id) ON "public"."orders" TO "clerk";',
        'REVOKE SELECT ON "public"."orders" FROM "clerk";',
    ),
}


@pytest.mark.parametrize("entity", ENTITIES)
def test_entities_of_alembic_utils(render: Render, entity: str) -> None:
    name = entity.partition("(")[0]
    module = {"PGGrantTable": "pg_grant_table", "PGMaterializedView": "pg_materialized_view"}.get(name, f"pg_{name[2:].lower()}")
    body = f"entity = {entity}\nop.create_entity(entity)\nop.replace_entity(entity)\nop.drop_entity(entity, cascade=True)"
    assert " ".join(sent(render(body, before=f"from alembic_utils.{module} import {name}"))) == " ".join(ENTITIES[entity])


def test_an_extension_of_alembic_utils(render: Render) -> None:
    half = render(
        "op.create_entity(PGExtension(schema='public', signature='citext'))", before="from alembic_utils.pg_extension import PGExtension"
    )
    assert sent(half) == ['CREATE EXTENSION "citext" WITH SCHEMA "public";']
    assert called(half) == ["op.create_entity(PGExtension(schema='public', signature='citext'))"]


def test_an_enum_is_replaced(render: Render) -> None:
    body = """
    op.sync_enum_values(
        enum_schema="public",
        enum_name="state",
        new_values=["new", "done"],
        affected_columns=[
            TableReference(table_schema="public", table_name="orders", column_name="state", existing_server_default="'open'::state"),
        ],
        enum_values_to_rename=[("open", "new")],
    )
    """
    statements = sent(render(body, before="from alembic_postgresql_enum import TableReference"))
    assert statements[:2] == ['ALTER TYPE "public"."state" RENAME TO state_old;', """CREATE TYPE "public"."state" AS ENUM ('new', 'done');"""]
    assert statements[6:9] == [
        'ALTER TABLE "public"."orders" ALTER COLUMN "state" DROP DEFAULT;',
        'ALTER TABLE "public"."orders" ALTER COLUMN "state" TYPE "public"."state" USING '
        """(CASE WHEN "state"::text = 'open' THEN 'new' ELSE "state"::text END)::"public"."state";""",
        """ALTER TABLE "public"."orders" ALTER COLUMN "state" SET DEFAULT 'new'::public.state;""",
    ]
    assert statements[-1] == 'DROP TYPE "public"."state_old";'


def test_the_default_of_a_column_with_an_enum_comes_from_the_schema(render: Render) -> None:
    history = "CREATE TYPE state AS ENUM ('open'); CREATE TABLE orders (state state DEFAULT 'open');"
    half = render('op.sync_enum_values("public", "state", ["open", "done"], [("orders", "state")])', history=history)
    assert [sql for sql in sent(half) if "DEFAULT" in sql] == [
        'ALTER TABLE "public"."orders" ALTER COLUMN "state" DROP DEFAULT;',
        """ALTER TABLE "public"."orders" ALTER COLUMN "state" SET DEFAULT 'open'::public.state;""",
    ]


def test_values_are_added_to_an_enum(render: Render) -> None:
    half = render('op.sync_enum_values("public", "state", ["open"], ["open", "done"])')
    assert sent(half) == ["COMMIT;", """ALTER TYPE "public"."state" ADD VALUE 'done';""", "BEGIN;"]


def test_spatial_columns_have_indexes(render: Render) -> None:
    body = """
    op.create_geospatial_table(
        "places",
        sa.Column("id", sa.Integer()),
        sa.Column("area", Geometry("POLYGON", srid=4326)),
        sa.Column("spot", Geometry("POINT", srid=4326, spatial_index=False)),
    )
    op.add_geospatial_column("places", sa.Column("way", Geometry("LINESTRING", srid=4326)))
    op.create_geospatial_index("spots", "places", ["spot"])
    """
    assert sent(render(body, before="from geoalchemy2 import Geometry")) == [
        "CREATE TABLE places ( id INTEGER, area geometry(POLYGON,4326), spot geometry(POINT,4326) );",
        "CREATE INDEX idx_places_area ON places USING gist (area);",
        "ALTER TABLE places ADD COLUMN way geometry(LINESTRING,4326);",
        "CREATE INDEX idx_places_way ON places USING gist (way);",
        "CREATE INDEX spots ON places USING gist (spot);",
    ]


def test_search_triggers_are_created_again(render: Render) -> None:
    half = render(
        'sync_trigger(op.get_bind(), "articles", "search", ["title", "body"])', before="from sqlalchemy_searchable import sync_trigger"
    )
    statements = sent(half)
    assert statements[:2] == [
        'DROP TRIGGER IF EXISTS articles_search_trigger ON "articles";',
        'DROP FUNCTION IF EXISTS "articles_search_update"();',
    ]
    assert statements[-1] == 'UPDATE "articles" SET title=title;'


def test_spatial_operations_in_a_batch(render: Render) -> None:
    body = """
    with op.batch_alter_table("places") as batch:
        batch.add_geospatial_column(sa.Column("way", Geometry("LINESTRING", srid=4326)))
        batch.add_geospatial_column(sa.Column("spot", Geometry("POINT", srid=4326, spatial_index=False)))
        batch.create_geospatial_index("spots", ["spot"], postgresql_using="gist")
        batch.drop_geospatial_index("old", column_name="area")
        batch.drop_geospatial_column("area")
    """
    assert sent(render(body, before="from geoalchemy2 import Geometry")) == [
        "ALTER TABLE places ADD COLUMN way geometry(LINESTRING,4326);",
        "CREATE INDEX idx_places_way ON places USING gist (way);",
        "ALTER TABLE places ADD COLUMN spot geometry(POINT,4326);",
        "CREATE INDEX spots ON places USING gist (spot);",
        'DROP INDEX "old";',
        "ALTER TABLE places DROP COLUMN area;",
    ]


def test_an_unknown_operation_is_reported(render: Render) -> None:
    assert sent(render('op.rebuild_everything("a")')) == [
        '[it calls op.rebuild_everything, which is an operation of a plugin that is not installed here] op.rebuild_everything("a")'
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("op.execute(DropView('v', materialized=True))", "DROP MATERIALIZED VIEW IF EXISTS v CASCADE;"),
        ("op.execute(DropView('v', cascade=False))", "DROP VIEW IF EXISTS v;"),
        (
            "op.execute(CreateView('v', sa.select(sa.column('a')).where(sa.column('b') == '5%'), replace=True))",
            "CREATE OR REPLACE VIEW v AS SELECT a WHERE b = '5%';",
        ),
        ("refresh_materialized_view(op.get_bind(), 'v', concurrently=True)", "REFRESH MATERIALIZED VIEW CONCURRENTLY v;"),
        ("op.add_column('a', sa.Column('b', sqlalchemy_utils.types.range.DateTimeRangeType()))", "ALTER TABLE a ADD COLUMN b TSRANGE;"),
        ("op.add_column('a', sa.Column('b', sqlmodel.sql.sqltypes.types.Uuid()))", "ALTER TABLE a ADD COLUMN b UUID;"),
    ],
)
def test_views_of_sqlalchemy_utils(render: Render, call: str, expected: str) -> None:
    before = "import sqlalchemy_utils, sqlmodel\nfrom sqlalchemy_utils.view import CreateView, DropView, refresh_materialized_view"
    assert sent(render(call, before=before)) == [expected]


def test_a_materialized_view_of_sqlalchemy_utils_is_a_table(render: Render) -> None:
    body = """
    query = sa.select(sa.column("a", sa.Integer), sa.column("b", sa.Text)).where(sa.column("b") != "x")
    metadata = sa.MetaData()
    view = create_materialized_view("v", query, metadata, indexes=[sa.Index("v_a", "a", unique=True)], schema="s")
    op.execute(CreateView(view.fullname, query, materialized=True))
    for index in view.indexes:
        index.create(op.get_bind())
    metadata.create_all(op.get_bind())
    metadata.drop_all(op.get_bind())
    """
    before = "from sqlalchemy_utils import create_materialized_view\nfrom sqlalchemy_utils.view import CreateView"
    created = ["CREATE MATERIALIZED VIEW s.v AS SELECT a, b WHERE b != 'x';", "CREATE UNIQUE INDEX v_a ON s.v (a);"]
    assert sent(render(body, before=before)) == [*created, *created, "DROP MATERIALIZED VIEW IF EXISTS s.v CASCADE;"]
