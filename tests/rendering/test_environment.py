"""What a script finds in `alembic.context` and `op.get_context()`."""

from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.script_environment import UNKNOWN, ScriptEnvironment
from migsafe.sources import Half
from tests.rendering.conftest import after, program, script, sent

pytestmark = pytest.mark.process


def rendered(renderer: Renderer, body: str, environment: ScriptEnvironment | None = None, before: str = "") -> list[str]:
    imports = "from alembic import context\nfrom sqlalchemy.dialects import postgresql, sqlite\n"
    half: Half = program(script(body, imports + before), environment=environment)
    return sent(renderer.render_half(half, after("")))


def test_the_context_is_that_of_an_upgrade(renderer: Renderer) -> None:
    body = """
    if context.is_offline_mode():
        op.execute("SELECT 'offline'")
    if context.get_context() is op.get_context() and context.get_bind() is op.get_bind() and context.config is op.get_context().config:
        op.execute("SELECT 'one context'")
    with context.begin_transaction():
        context.execute("SELECT 'sent'")
    schema = context.get_context().version_table_schema or "public"
    op.add_column("a", sa.Column("b", sa.Integer()), schema=schema)
    """
    assert rendered(renderer, body, before="CONFIG = context.config\n") == [
        "SELECT 'one context';",
        "SELECT 'sent';",
        "ALTER TABLE public.a ADD COLUMN b INTEGER;",
    ]


def test_arguments_of_the_command_line_are_unknown(renderer: Renderer) -> None:
    body = """
    if context.get_x_argument(as_dictionary=True).get("demo"):
        op.execute("SELECT 'demo'")
    size = context.get_x_argument(as_dictionary=True).get("size", "10")
    op.execute(f"SELECT {size}")
    if "seed" in context.get_x_argument():
        op.execute("SELECT 'seed'")
    """
    assert rendered(renderer, body) == ["? SELECT 'demo';", "SELECT 10;", "? SELECT 'seed';"]


def test_a_script_reads_what_env_passes(renderer: Renderer, tmp_path: Path) -> None:
    settings = tmp_path / "alembic.ini"
    settings.write_text("[alembic]\nbatch = 500\nfolder = %(here)s/data\n[other]\nname = 'x'\n")
    environment = ScriptEnvironment(
        config_file=str(settings),
        main_options={"sqlalchemy.url": UNKNOWN, "limit": "7"},
        attributes={"tenant": "a", "role": UNKNOWN},
        options={"table_prefix": "shop_", "version_table_schema": "audit", "compare_type": False, "owner": UNKNOWN},
        url="postgresql+asyncpg://app@db/shop",
        complete=True,
    )
    body = """
    opts = op.get_context().opts
    config = op.get_context().config
    op.execute(f"SELECT '{opts['table_prefix']} {opts.get('version_table_schema')} {opts['compare_type']} {opts.get('absent')}'")
    op.execute(f"SELECT '{opts['owner']}'")
    op.execute(f"SELECT '{config.get_main_option('batch')} {config.get_main_option('limit')} {config.get_section('other')['name']}'")
    op.execute(f"SELECT '{config.get_main_option('sqlalchemy.url')} {config.attributes['tenant']} {config.attributes.get('more', 1)}'")
    op.execute(f"SELECT '{op.get_bind().engine.url.database} {op.get_bind().dialect.driver} {config.get_main_option('absent')}'")
    """
    assert rendered(renderer, body, environment) == [
        "SELECT 'shop_ audit False None';",
        "SELECT '⟨owner⟩';",
        "SELECT '500 7 'x'';",
        "SELECT '⟨sqlalchemy.url⟩ a 1';",
        "SELECT 'shop asyncpg None';",
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "True True True False False"),
        ("postgresql://db/shop", "True True True False False"),
        ("postgresql+psycopg2://db/shop", "False True False False False"),
        ("postgresql+asyncpg://db/shop", "False False False True False"),
    ],
)
def test_the_dialect_is_that_of_the_driver(renderer: Renderer, url: str, expected: str) -> None:
    body = """
    classes = (postgresql.dialect, postgresql.psycopg2.dialect, postgresql.psycopg.dialect, postgresql.asyncpg.dialect, sqlite.dialect)
    for dialect in (op.get_bind().dialect, op.get_context().dialect, op.get_bind().engine.dialect):
        op.execute("SELECT '" + " ".join(str(isinstance(dialect, each)) for each in classes) + f" {dialect.name}'")
    """
    if expected.startswith("False True"):
        pytest.importorskip("sqlalchemy", minversion="2.1")
    assert set(rendered(renderer, body, ScriptEnvironment(url=url))) == {f"SELECT '{expected} postgresql';"}


def test_the_server_is_that_of_the_requested_version(renderer: Renderer) -> None:
    body = """
    bind = op.get_bind()
    driver = bind.connection.dbapi_connection
    op.execute(f"SELECT {bind.dialect.server_version_info[0]}, {driver.server_version}, {driver.info.server_version}, {bind.in_transaction()}")
    op.execute(f"SELECT '{driver.info.dbname}', '{op.get_context().opts['as_sql']}', '{bind.dialect.dbapi.__name__}'")
    """
    assert rendered(renderer, body, ScriptEnvironment(url="postgresql+psycopg2://db")) == [
        "SELECT 17, 170000, 170000, True;",
        "SELECT '⟨connection.info.dbname⟩', 'False', 'psycopg2';",
    ]


def test_the_naming_convention_names_constraints(renderer: Renderer) -> None:
    convention: dict[str, str | None] = {
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
    body = """
    op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("b", sa.Integer(), sa.ForeignKey("b.id"), unique=True))
    op.create_unique_constraint(None, "a", ["c"])
    op.create_index(None, "a", ["c"])
    op.create_check_constraint("positive", "a", "id > 0")
    """
    assert rendered(renderer, body, ScriptEnvironment(naming_convention=convention)) == [
        "CREATE TABLE a ( id SERIAL NOT NULL, b INTEGER, CONSTRAINT pk_a PRIMARY KEY (id), CONSTRAINT uq_a_b UNIQUE (b), "
        "CONSTRAINT fk_a_b_b FOREIGN KEY(b) REFERENCES b (id) );",
        "ALTER TABLE a ADD CONSTRAINT uq_a_c UNIQUE (c);",
        "CREATE INDEX ix_a_c ON a (c);",
        "ALTER TABLE a ADD CONSTRAINT ck_a_positive CHECK (id > 0);",
    ]


def test_a_name_from_a_function_of_the_project_is_unknown(renderer: Renderer) -> None:
    body = 'op.create_unique_constraint(None, "a", ["c"])'
    (sql,) = rendered(renderer, body, ScriptEnvironment(naming_convention={"uq": "uq_%(token)s", "token": None}))
    assert "⟨token⟩" in sql


def test_variables_of_production_are_unknown(renderer: Renderer) -> None:
    body = """
    if os.getenv("SKIP"):
        return
    if os.environ.get("UNSET", "") == "":
        op.execute("SELECT 'default'")
    op.execute(f"SELECT '{os.environ.get('NAME')} {os.getenv('SIZE', '10')} {os.environ['ROLE']}'")
    if "DEBUG" in os.environ:
        op.execute("SELECT 'debug'")
    if "PATH" not in os.environ:
        op.execute("SELECT 'never'")
    """
    assert rendered(renderer, body, before="import os\n") == [
        "? SELECT 'default';",
        "? SELECT '⟨NAME⟩ 10 ⟨ROLE⟩';",
        "? SELECT 'debug';",
    ]


def test_a_function_gets_the_arguments_that_env_passes(renderer: Renderer) -> None:
    text = script("pass").replace(
        "def upgrade():\n    pass", "def upgrade(engine_name, op, **more):\n    op.execute(f\"SELECT '{engine_name} {more}'\")"
    )
    half = program(text, environment=ScriptEnvironment(arguments={"engine_name": "a", "tenant": 1}))
    assert sent(renderer.render_half(half, after(""))) == ["SELECT 'a {'tenant': 1}';"]


def test_an_autocommit_block_is_refused_in_a_transaction_of_env(renderer: Renderer) -> None:
    body = 'op.execute("SELECT 1")\nwith op.get_context().autocommit_block():\n    op.execute("SELECT 2")\nop.execute("SELECT 3")'
    half = renderer.render_half(program(script(body), environment=ScriptEnvironment(begun_at="env.py:3")), after(""))
    assert half.program is not None
    assert [call.raises for call in half.program.calls] == ["", "autocommit_block()", ""]
    assert sent(half) == ["SELECT 1;", "SELECT 2;", "SELECT 3;"]


def test_the_url_is_that_of_a_postgresql_database(renderer: Renderer) -> None:
    body = """
    url = op.get_bind().engine.url
    if str(url).startswith("mysql"):
        op.drop_table("of_mysql")
    elif str(url).startswith("postgres") and url.get_backend_name() == "postgresql":
        op.drop_table("of_postgresql")
    """
    assert rendered(renderer, body) == ["DROP TABLE of_postgresql;"]
