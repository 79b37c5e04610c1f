"""Modules of the project that scripts import: they run with stand-ins for what is missing."""

from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.sources.migration import ImportPath
from tests.rendering.conftest import after, program, script, sent

pytestmark = pytest.mark.process

ADD = "from alembic import op\nimport sqlalchemy as sa\n\n\ndef add(table):\n    op.add_column(table, sa.Column('note', sa.Text()))\n"
ADDED = ["ALTER TABLE a ADD COLUMN note TEXT;"]


def rendered(renderer: Renderer, root: Path, files: dict[str, str], before: str, body: str = "add('a')", **imports: object) -> list[str]:
    """Returns what a script of a project with these files sends."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    versions = root / "db" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    path = ImportPath(root=str(root), **imports)  # type: ignore[arg-type]
    return sent(renderer.render_half(program(script(body, before), path=str(versions / "0002_it.py"), imports=path), after("")))


BEFORE_HELPERS = {
    "a missing package": "import nowhere\nfrom nowhere.more import *\nfrom nowhere import x as y",
    "an unknown base": "import nowhere\n\n\nclass Base(nowhere.Model, metaclass=nowhere.Meta):\n    x: nowhere.Type = nowhere.field(1)",
    "a decorator": "import nowhere\n\n\n@nowhere.route('/')\n@nowhere.cached\ndef f():\n    return 1",
    "an exception": "import os\nlimit = int(os.environ.get('LIMIT', 'x'))",
    "the network": "import socket\nsocket.create_connection(('127.0.0.1', 1))",
    "the end of the process": "import sys\nif True:\n    sys.exit(1)",
    "a setting": "import os\nURL = os.environ['DATABASE_URL']\nif URL:\n    KEY = URL.split('/')[1]",
    "a data class": "from dataclasses import dataclass\nimport nowhere\n\n\n@dataclass\nclass A:\n    x: nowhere.Type\n    y: int = 1",
    "a union": "from typing import Optional, Union\nimport nowhere\nT = Optional[nowhere.Type]\nU = Union[nowhere.Type, None]",
    "an enum": "import enum\nimport nowhere\n\n\nclass E(enum.Enum):\n    a = nowhere.A",
    "a loop": "import nowhere\nfor name in nowhere.names:\n    globals()[name] = 1\nwhile nowhere.more():\n    pass",
    "a model": "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\nimport nowhere\nBase = declarative_base()\n\n\n"
    "class A(Base):\n    __tablename__ = 'a'\n    id = sa.Column(nowhere.Id(), primary_key=True)",
}


@pytest.mark.parametrize("case", BEFORE_HELPERS)
def test_a_helper_runs_in_a_module_that_is_loaded_in_part(renderer: Renderer, tmp_path: Path, case: str) -> None:
    files = {"shopcode/__init__.py": BEFORE_HELPERS[case], "shopcode/steps.py": f"{BEFORE_HELPERS[case]}\n{ADD}"}
    assert rendered(renderer, tmp_path, files, "from shopcode.steps import add") == ADDED


def test_names_of_a_statement_that_fails_are_unknown(renderer: Renderer, tmp_path: Path) -> None:
    files = {"shopcode.py": "LENGTH = 1 // 0\nNAME = 'a'\n"}
    statements = rendered(renderer, tmp_path, files, "from shopcode import LENGTH, NAME", "op.drop_table(NAME)\nop.drop_table(LENGTH)")
    assert statements[0] == "DROP TABLE a;"
    assert "ZeroDivisionError" in statements[1]


@pytest.mark.parametrize(("package", "sent"), [("progress_bars", False), ("shopcode.bars", True), ("flask_things", True)])
def test_packages_that_have_nothing_to_do_with_databases_send_nothing(renderer: Renderer, tmp_path: Path, package: str, sent: bool) -> None:
    body = "bar = Bar(3)\nbar.start()\nbar.colour = 1\nop.drop_table('a')"
    files = {"shopcode/__init__.py": "", "pyproject.toml": "[project]\nname = 'shopcode'\n"}
    statements = rendered(renderer, tmp_path, files, f"from {package} import Bar", body)
    assert (statements[0] != "DROP TABLE a;") is sent


def test_a_package_may_be_the_projects_if_not_all_of_it_is_there(renderer: Renderer, tmp_path: Path) -> None:
    assert "progress_bars" in rendered(renderer, tmp_path, {}, "from progress_bars import start", "start()")[0]


def test_known_sql_is_sent_through_an_unknown_session(renderer: Renderer, tmp_path: Path) -> None:
    body = """
    for row in db.session.execute("SELECT id FROM a WHERE x").fetchall():
        db.session.execute(sa.text("UPDATE a SET y = :y WHERE id = :id"), {"y": 1, "id": row.id})
    total = db.session.scalar(sa.text("SELECT count(*) FROM a"))
    page.execute("window.alert()")
    """
    assert rendered(renderer, tmp_path, {}, "from shop_missing import db, page", body) == [
        "SELECT id FROM a WHERE x;",
        "? UPDATE a SET y = 1 WHERE id = '⟨row.id⟩';",
        "SELECT count(*) FROM a;",
        '[it calls shop_missing.page.execute, which cannot be imported here] page.execute("window.alert()")',
    ]


def test_an_optional_import_is_missing(renderer: Renderer, tmp_path: Path) -> None:
    optional = "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\nNAME = 'a' if nowhere is None else 'b'\n"
    assert rendered(renderer, tmp_path, {"shopcode.py": optional}, "from shopcode import NAME", "op.drop_table(NAME)") == ["DROP TABLE a;"]


LAYOUTS = {
    "the folder of the package": ({"shopcode/steps.py": ADD}, {}),
    "src": ({"src/shopcode/__init__.py": "", "src/shopcode/steps.py": ADD}, {}),
    "beside the versions": ({"db/shopcode/steps.py": ADD}, {}),
    "a mapped package": ({"code/__init__.py": "", "code/steps.py": ADD}, {"packages": (("shopcode", "{root}/code"),)}),
    "an added folder": ({"far/away/shopcode/steps.py": ADD}, {"last": ("{root}/far/away",)}),
    "relative": ({"shopcode/__init__.py": "", "shopcode/steps.py": "from .inner.steps import add", "shopcode/inner/steps.py": ADD}, {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(renderer: Renderer, tmp_path: Path, layout: str) -> None:
    files, imports = LAYOUTS[layout]
    filled = {
        name: tuple(part.format(root=tmp_path) if isinstance(part, str) else tuple(p.format(root=tmp_path) for p in part) for part in value)
        for name, value in imports.items()
    }
    assert rendered(renderer, tmp_path, files, "from shopcode.steps import add", **filled) == ADDED


def test_a_folder_without_modules_is_not_the_package_of_its_name(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / "settings.conf").write_text("")
    statements = rendered(renderer, tmp_path, {}, "import nowhere", "op.drop_table(nowhere.NAME)")
    assert "it names something unknown: nowhere.NAME cannot be imported here" in statements[0]


def test_a_version_can_be_imported_by_its_file_name(renderer: Renderer, tmp_path: Path) -> None:
    files = {"db/__init__.py": "", "db/versions/__init__.py": "", "db/versions/0001_first.py": ADD}
    before = "import importlib\nfirst = importlib.import_module('db.versions.0001_first')"
    assert rendered(renderer, tmp_path, files, before, "first.add('a')") == ADDED


def test_a_module_of_a_package_need_not_be_imported(renderer: Renderer, tmp_path: Path) -> None:
    files = {"shopcode/__init__.py": "", "shopcode/steps.py": ADD}
    assert rendered(renderer, tmp_path, files, "import shopcode", "shopcode.steps.add('a')") == ADDED
    assert rendered(renderer, tmp_path, files, "import sqlalchemy", "sqlalchemy.orm.Session\nop.drop_table('b')") == ["DROP TABLE b;"]


def test_modules_are_loaded_once_for_all_scripts(renderer: Renderer, tmp_path: Path) -> None:
    count = "import os\nCOUNT = int(os.environ.get('LOADED', '0')) + 1\nos.environ['LOADED'] = str(COUNT)\nNAME = f'a{COUNT}'\n"
    changing = f"import sqlalchemy\nsqlalchemy.Column.shop = lambda self: 1\nimport threading\nthreading.Timer(60, print).start()\n{count}"
    for body in ("op.drop_table(NAME)", "op.drop_table(NAME)  # again"):
        assert rendered(renderer, tmp_path, {"shopcode.py": changing}, "from shopcode import NAME", body) == ["DROP TABLE a1;"]


def test_projects_do_not_share_modules(renderer: Renderer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        files = {"shopcode.py": f"NAME = '{name}'\n"}
        assert rendered(renderer, tmp_path / name, files, "from shopcode import NAME", "op.drop_table(NAME)") == [f"DROP TABLE {name};"]


def test_what_there_is_no_time_for_runs_when_it_is_used(tmp_path: Path) -> None:
    slow = f"import time\nfrom slowcode import *\ntime.sleep(5)\n{ADD}\nNAMES = ['a']\nNAMES.append('b')\n"
    body = "add('a')\nop.drop_table(NAMES[-1])\nop.drop_table(LAST)"
    with Renderer(seconds=2) as renderer:
        files = {"shopcode.py": slow, "slowcode.py": "import time\ntime.sleep(5)\nLAST = 'c'\n"}
        statements = rendered(renderer, tmp_path, files, "from shopcode import add, NAMES, LAST", body)
    assert statements == [*ADDED, "DROP TABLE b;", "DROP TABLE c;"]


BASES = {
    "class T(nowhere.Text):\n    impl = sa.Text": ["CREATE TABLE x ( a TEXT, b TEXT );"],
    "from sqlalchemy_utils import UUIDType\n\n\nclass T(UUIDType):\n    pass": ["CREATE TABLE x ( a UUID, b UUID );"],
}


@pytest.mark.parametrize("base", BASES)
def test_a_type_with_an_unknown_base(renderer: Renderer, tmp_path: Path, base: str) -> None:
    files = {"shopcode.py": f"import sqlalchemy as sa\nimport nowhere\n{base}\n"}
    body = "op.create_table('x', sa.Column('a', T()), sa.Column('b', T))"
    assert rendered(renderer, tmp_path, files, "from shopcode import T", body) == BASES[base]


def test_attributes_of_a_model_with_an_unknown_base_are_unknown(renderer: Renderer, tmp_path: Path) -> None:
    files = {"shopcode.py": "import flask_sqlalchemy\n\n\nclass Order(flask_sqlalchemy.Model):\n    kind = 'a'\n"}
    body = "op.drop_table(Order.kind)\nOrder.query.delete()\nop.drop_table(Order.__tablename__)"
    statements = rendered(renderer, tmp_path, files, "from shopcode import Order", body)
    assert statements[0] == "DROP TABLE a;"
    assert statements[1].startswith("[it calls flask_sqlalchemy.Order.query.delete, which cannot be imported here]")
    assert "it names something unknown: flask_sqlalchemy.Order.__tablename__" in statements[2]


URLS = {
    "of a missing package": "import nowhere\nengine = sa.create_engine(nowhere.URL)",
    "in the environment": "import os\nengine = sa.create_engine(os.environ['DATABASE_URL'])",
    "built from unknown parts": "import nowhere\nengine = sa.create_engine(f'postgresql://{nowhere.USER}@db/shop')",
    "of a driver that is missing": "engine = sa.create_engine('postgresql+nowhere://db/shop')",
}


@pytest.mark.parametrize("case", URLS)
def test_an_engine_for_an_unknown_url_is_for_the_same_database(renderer: Renderer, tmp_path: Path, case: str) -> None:
    module = f"import sqlalchemy as sa\nfrom sqlalchemy.orm import sessionmaker\n{URLS[case]}\nSession = sessionmaker(bind=engine)\n"
    body = (
        "with engine.begin() as connection:\n    connection.execute(sa.text('UPDATE a SET x = 1'))\n"
        "with Session() as session:\n    session.execute(sa.text('UPDATE a SET x = 2'))\n    session.commit()"
    )
    for _ in range(2):
        assert rendered(renderer, tmp_path, {"shopcode.py": module}, "from shopcode import engine, Session", f"{body}\nop.drop_table('b')") == [
            "UPDATE a SET x = 1;",
            "UPDATE a SET x = 2;",
            "DROP TABLE b;",
        ]
