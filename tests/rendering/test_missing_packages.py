"""Code of a project that uses packages which are not installed."""

from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources.alembic.import_path import import_path
from tests.rendering.conftest import Render, after, program, script, sent

pytestmark = pytest.mark.process

SETTINGS = """
from absent_settings import BaseSettings, ValidationError
from pydantic_stub import Field


class Settings(BaseSettings):
    prefix: str = Field("shop")
    secret: str = Field()


def load():
    try:
        raise LookupError("no file")
    except (ValidationError, KeyError):
        return None
    except LookupError:
        return Settings()
"""
FIELDS = """
class FieldInfo:
    def __init__(self, default):
        self.default = default


def Field(default=None):
    return FieldInfo(default)
"""
MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

from absent_models import Timestamps

Base = declarative_base()


class Common(Timestamps):
    @classmethod
    def cleared(cls):
        return {"qty": 0}


class Order(Base, Common):
    __tablename__ = "orders"
    id = sa.Column(sa.Integer, primary_key=True)
    qty = sa.Column(sa.Integer)
"""


def render_in(folder: Path, renderer: Renderer, body: str, before: str) -> list[str]:
    (folder / "alembic.ini").write_text("[alembic]\n")
    versions = folder / "versions"
    versions.mkdir(exist_ok=True)
    imports = import_path(str(versions), None, None)
    return sent(renderer.render_half(program(script(body, before), path=str(versions / "0002_it.py"), imports=imports), after("")))


def test_code_may_catch_exceptions_of_a_missing_package(tmp_path: Path, renderer: Renderer) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    (tmp_path / "app" / "settings.py").write_text(SETTINGS)
    (tmp_path / "pydantic_stub.py").write_text(FIELDS)
    body = "settings = load()\nop.rename_table('a', settings.prefix.lower() + '_a')\nop.execute(f\"UPDATE b SET x = '{settings.secret}'\")"
    sql = render_in(tmp_path, renderer, body, "from app.settings import load")
    assert sql[0] == "ALTER TABLE a RENAME TO shop_a;"
    assert sql[1].startswith("UPDATE b SET x = '⟨absent_settings.")


def test_a_statement_of_a_module_that_failed_before_may_catch_them_too(tmp_path: Path, renderer: Renderer) -> None:
    module = "1 / 0\nfrom absent_cache import Missing\ntry:\n    raise KeyError\nexcept (Missing, KeyError):\n    NAME = 'a'\n"
    (tmp_path / "names.py").write_text(module)
    assert render_in(tmp_path, renderer, "op.drop_table(NAME)", "from names import NAME") == ["DROP TABLE a;"]


def test_a_model_may_inherit_from_a_class_of_a_missing_package(tmp_path: Path, renderer: Renderer) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    body = "sa.orm.Session(op.get_bind()).query(Order).filter_by(id=1).update(Order.cleared())"
    assert render_in(tmp_path, renderer, body, "import sqlalchemy.orm\nfrom models import Order") == [
        "UPDATE orders SET qty=0 WHERE orders.id = 1;"
    ]


def test_a_folder_with_the_name_of_its_package_is_its_project(tmp_path: Path, renderer: Renderer) -> None:
    (tmp_path / "common" / "common").mkdir(parents=True)
    (tmp_path / "common" / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    (tmp_path / "common" / "common" / "__init__.py").write_text("")
    (tmp_path / "common" / "common" / "names.py").write_text("TABLE = 'a'\n")
    assert render_in(tmp_path, renderer, "op.drop_table(names.TABLE)", "from common import names") == ["DROP TABLE a;"]


def test_the_name_of_a_function_of_a_missing_package_is_unknown(render: Render) -> None:
    sql = sent(render("op.execute(f\"UPDATE a SET f = '{ex_post.__name__}'\")", before="from absent_beliefs import ex_post"))
    assert sql == ["UPDATE a SET f = '⟨absent_beliefs.ex_post.__name__⟩';"]


def test_an_unknown_query_may_return_rows(render: Render) -> None:
    sql = sent(
        render(
            """
            session = sa.orm.Session(op.get_bind())
            for row in session.execute(make_query()).fetchall():
                op.execute("SELECT 1")
            op.drop_table("b")
            """,
            before="import sqlalchemy.orm\nfrom absent_queries import make_query",
        )
    )
    assert sql[-2:] == ["? SELECT 1;", "DROP TABLE b;"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('op.execute(f"ALTER SEQUENCE a_id_seq RESTART WITH {last + 1}")', "ALTER SEQUENCE a_id_seq RESTART WITH {{"),
        ('op.execute(f"CREATE SEQUENCE s START {last} INCREMENT BY {last}")', "CREATE SEQUENCE s START {{"),
        ('op.add_column("a", sa.Column("b", sa.Integer(), server_default=DEFAULT))', "ALTER TABLE a ADD COLUMN b INTEGER DEFAULT '⟨"),
    ],
)
def test_an_unknown_number_or_constant_leaves_the_locks_known(render: Render, call: str, expected: str) -> None:
    half = render(f'last = op.get_bind().execute(sa.text("SELECT max(id) FROM a")).scalar()\n{call}', before="from absent_names import DEFAULT")
    sql = sent(half)[-1]
    assert sql.startswith(expected), sql
    assert half.program is not None
    assert half.program.calls[-1].unknown_part == ""


def test_an_enum_with_values_from_a_database_may_have_others(render: Render) -> None:
    half = render(
        """
        values = [row[0] for row in op.get_bind().execute(sa.text("SELECT unnest(enum_range(NULL::old))"))]
        op.execute("CREATE TYPE mood AS ENUM (" + ", ".join(f"'{value}'" for value in values) + ")")
        """
    )
    predictor = after("CREATE TYPE old AS ENUM ('a')")
    predictor.apply(half)
    predictor.load(
        program("").script.__class__("later.sql", "ALTER TYPE mood ADD VALUE 'b' AFTER 'a'; ALTER TYPE mood RENAME VALUE 'c' TO 'd'")
    )
    assert predictor.catalog.refusals == []


def test_env_may_add_types_to_sqlalchemy(tmp_path: Path, renderer: Renderer) -> None:
    (tmp_path / "guid.py").write_text("from sqlalchemy import Uuid\n\n\nclass GUID(Uuid):\n    pass\n")
    env = tmp_path / "env.py"
    env.write_text("import sqlalchemy as sa\nfrom guid import GUID\nsa.GUID = GUID\nsa.Lost = absent\n")
    environment = ScriptEnvironment(env_file=str(env))
    versions = tmp_path / "versions"
    versions.mkdir()
    text = script("op.add_column('a', sa.Column('b', sa.GUID()))\nop.add_column('a', sa.Column('c', sa.Other()))")
    imports = import_path(str(versions), None, str(env))
    half = renderer.render_half(program(text, path=str(versions / "0002_it.py"), environment=environment, imports=imports), after(""))
    assert sent(half)[0] == "ALTER TABLE a ADD COLUMN b UUID;"
    assert "module 'sqlalchemy' has no attribute 'Other'" in sent(half)[1]


SCHEMA = "from absent_application import config\nschema = config['schema']"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("op.drop_column('a', 'b', schema=schema)", 'ALTER TABLE "⟨absent_application.config[schema]⟩".a DROP COLUMN b;'),
        ("op.execute(f'DROP TABLE {schema}.a')", 'DROP TABLE "⟨absent_application.config[schema]⟩".a;'),
        ("op.execute(f'CREATE SCHEMA IF NOT EXISTS {schema}')", 'CREATE SCHEMA IF NOT EXISTS "⟨absent_application.config[schema]⟩";'),
    ],
)
def test_objects_in_an_unknown_schema_are_known(render: Render, call: str, expected: str) -> None:
    assert sent(render(call, before=SCHEMA)) == [expected]


@pytest.mark.parametrize(
    "call",
    [
        "op.execute(f'DROP TABLE {schema}')",
        "op.execute(f'DROP SCHEMA x{schema}')",
        "last = op.get_bind().execute(sa.text('SELECT max(s) FROM a')).scalar()\nop.execute(f'DROP TABLE {last}.a')",
    ],
)
def test_other_unknown_names_are_not(render: Render, call: str) -> None:
    assert sent(render(call, before=SCHEMA))[-1].startswith("[it names something unknown: ")


def test_a_table_in_an_unknown_schema_may_exist(render: Render) -> None:
    half = render(
        """
        op.create_table("a", sa.Column("id", sa.Integer()), schema=schema)
        op.add_column("a", sa.Column("b", sa.Integer()), schema=schema)
        op.add_column("a", sa.Column("b", sa.Integer()), schema=config.get("schema"))
        """,
        before=SCHEMA,
    )
    predictor = after("")
    predictor.catalog.complete = True
    with predictor.trial():
        predictor.apply(half)
        assert predictor.catalog.refusals == []


def test_code_may_replace_the_environment(tmp_path: Path, renderer: Renderer) -> None:
    (tmp_path / "settings.py").write_text("import os\nos.environ = {**os.environ, 'SHOP_TABLE': 'a'}\nNAME = os.environ['SHOP_TABLE']\n")
    for _ in range(2):
        body = "op.drop_table(NAME)\nop.drop_table(os.environ['SHOP_TABLE'])\nop.execute(f\"UPDATE b SET x = '{os.environ['SHOP_X']}'\")"
        sql = render_in(tmp_path, renderer, body, "import os\nfrom settings import NAME")
        assert sql == ["DROP TABLE a;", "DROP TABLE a;", "UPDATE b SET x = '⟨SHOP_X⟩';"]


def test_a_change_of_an_object_of_a_query_writes_one_row(render: Render) -> None:
    sql = sent(
        render(
            """
            for item in session.query(Order).filter_by(note=None):
                item.note = "x"
            settings.load().note = "y"
            """,
            before="from absent_models import Order, session, settings",
        )
    )
    assert [text.partition("] ")[0] for text in sql] == ["[it changes absent_models.settings.load(), which cannot be imported here"]
