"""What env.py does before the migrations, read from its syntax tree, and measured with Alembic on a server."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from migsafe.replaying.servers.server import Server
from migsafe.script_environment import UNKNOWN
from migsafe.session import Session
from migsafe.sources import Transaction
from migsafe.sources.alembic.environment import Environment, read_environment
from migsafe.sources.alembic.project import Project, find_project
from migsafe.sources.alembic.settings import Settings
from migsafe.sources.runner import Folder
from tests.support.servers import any_installation

HEAD = """
import asyncio
from contextlib import contextmanager
from alembic import context
from sqlalchemy import NullPool, create_engine, engine_from_config, event, text

URL = context.config.get_main_option("url")
engine = create_engine(URL, poolclass=NullPool)
"""
RUN = """
    with context.begin_transaction():
        context.run_migrations()
"""

PLAIN = (Transaction.FILE, True, False, None)
"""The transaction of a migration; whether it spans the upgrade; whether autocommit_block() raises; lock_timeout in milliseconds."""
BEGUN = (Transaction.FILE, True, True, None)

ENVIRONMENTS = {
    "plain": ("with engine.connect() as c:\n    context.configure(connection=c)" + RUN, PLAIN),
    "each its own": (
        "with engine.connect() as c:\n    context.configure(c, transaction_per_migration=True)" + RUN,
        (Transaction.FILE, False, False, None),
    ),
    "begin": ("with engine.begin() as c:\n    context.configure(connection=c)" + RUN, BEGUN),
    "begin for another purpose": (
        "with engine.begin() as c:\n    c.execute(text('SELECT 1'))\nwith engine.connect() as c:\n    context.configure(connection=c)" + RUN,
        PLAIN,
    ),
    "a transaction of the connection": ("with engine.connect() as c, c.begin():\n    context.configure(connection=c)" + RUN, BEGUN),
    "autobegin": ("with engine.connect() as c:\n    c.execute(text('SELECT 1'))\n    context.configure(connection=c)" + RUN, BEGUN),
    "autobegin and commit": (
        "with engine.connect() as c:\n    c.execute(text('SET lock_timeout = 3000'))\n    c.commit()\n    context.configure(connection=c)"
        + RUN,
        (Transaction.FILE, True, False, 3000),
    ),
    "a setting after configure": (
        "with engine.connect() as c:\n    context.configure(connection=c)\n    c.execute(text(\"SET lock_timeout = '2s'\"))" + RUN,
        (Transaction.FILE, True, False, 2000),
    ),
    "a setting in Alembic's transaction": (
        "with engine.connect() as c:\n    context.configure(connection=c)\n    with context.begin_transaction():\n"
        "        context.execute('SET LOCAL lock_timeout = 1500')\n        context.run_migrations()",
        (Transaction.FILE, True, False, 1500),
    ),
    "no transaction of Alembic": (
        "with engine.connect() as c:\n    context.configure(connection=c)\n    context.run_migrations()\n    c.commit()",
        BEGUN,
    ),
    "AUTOCOMMIT": (
        "with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as c:\n    context.configure(connection=c)" + RUN,
        (Transaction.STATEMENT, False, False, None),
    ),
    "options of the connection": (
        "engine = create_engine(URL, connect_args={'options': '-c lock_timeout=2500 -c statement_timeout=1min'})\n"
        "with engine.connect() as c:\n    context.configure(connection=c)" + RUN,
        (Transaction.FILE, True, False, 2500),
    ),
    "options of the URL": (
        "engine = create_engine(URL + '&options=-c%20lock_timeout%3D700')\nwith engine.connect() as c:\n    context.configure(connection=c)"
        + RUN,
        (Transaction.FILE, True, False, 700),
    ),
    "a listener": (
        "@event.listens_for(engine, 'connect')\ndef limit(connection, record):\n    with connection.cursor() as cursor:\n"
        "        cursor.execute('SET lock_timeout = 800')\n\nwith engine.connect() as c:\n    context.configure(connection=c)" + RUN,
        (Transaction.FILE, True, False, 800),
    ),
    "a helper with yield": (
        "@contextmanager\ndef limited(timeout='9s'):\n    with engine.connect() as c:\n"
        "        c.execute(text(f\"SET lock_timeout = '{timeout}'\"))\n"
        "        c.commit()\n        yield c\n\nwith limited('4s') as c:\n    context.configure(connection=c)" + RUN,
        (Transaction.FILE, True, False, 4000),
    ),
    "a function that is not called": (
        "def other():\n    with engine.begin() as c:\n        context.configure(connection=c)\n\n"
        "with engine.connect() as c:\n    context.configure(connection=c)" + RUN,
        PLAIN,
    ),
}

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = {version!r}
down_revision = {before!r}


def upgrade():
    noted = op.get_context().config.attributes["noted"]
    for _ in "ab":
        noted.append(op.get_bind().execute(sa.text("SELECT txid_current(), current_setting('lock_timeout')")).one())
    if revision == "2b":
        try:
            with op.get_context().autocommit_block():
                pass
        except AssertionError as error:
            noted.append(error)
"""


def read(folder: Path, text: str, **files: str) -> Environment:
    """Returns what an env.py configures, with modules beside it."""
    (folder / "env.py").write_text(text)
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
    return read_environment(Project((), env=str(folder / "env.py"), settings=Settings("", (), import_folders=(str(folder),))))


def summary(environment: Environment) -> tuple[Transaction, bool, bool, int | None]:
    transactions = environment.transactions
    session = Session(Transaction.FILE)
    session.set_up(environment.setup)
    spans = transactions.transaction is Transaction.FILE and transactions.own_transaction_advice is not None
    return transactions.transaction, spans, transactions.begun_at is not None, session.settings.lock_timeout_ms


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(any_installation()) as running:
        running.create_database("noted")
        yield running


@pytest.mark.server
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_env_does_what_was_read(name: str, server: Server, tmp_path: Path) -> None:
    text, expected = ENVIRONMENTS[name]
    assert summary(read(tmp_path, HEAD + text)) == expected
    assert measured(server, tmp_path) == expected


def measured(server: Server, folder: Path) -> tuple[Transaction, bool, bool, int | None]:
    """Returns what Alembic does with two revisions of two statements each, and with an autocommit block."""
    from alembic import command  # noqa: PLC0415  # only this test runs Alembic
    from alembic.config import Config  # noqa: PLC0415

    (folder / "versions").mkdir()
    for version, before in (("1a", None), ("2b", "1a")):
        (folder / "versions" / f"{version}.py").write_text(REVISION.format(version=version, before=before))
    with server.connect("noted") as connection:
        connection.execute("DROP TABLE IF EXISTS alembic_version")
        url = f"postgresql+psycopg://{connection.info.user}@/noted?host={connection.info.host}&port={connection.info.port}"
    noted: list[Any] = []
    config = Config(attributes={"noted": noted})
    config.set_main_option("script_location", str(folder))
    config.set_main_option("url", url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # env.py leaves its engine, with an open connection, to the garbage collector
        command.upgrade(config, "head")
        raises = isinstance(noted[-1], AssertionError)
        numbers = [row[0] for row in noted[:4]]
        timeouts = {row[1] for row in noted[:4]}
        noted.clear()
        del config
        gc.collect()
    assert len(timeouts) == 1
    session = Session(Transaction.FILE)
    (timeout,) = timeouts
    if timeout != "0":
        session.set_up([f"SET lock_timeout = '{timeout}'"])
    each = len(set(numbers)) == 4
    return Transaction.STATEMENT if each else Transaction.FILE, len(set(numbers)) == 1, raises, session.settings.lock_timeout_ms


def test_other_modules_of_the_project_are_followed(tmp_path: Path) -> None:
    environment = read(
        tmp_path,
        "from app.db import migrate\nmigrate()\n",
        app__db="""
            from alembic import context
            from app.engines import make

            def run(connection):
                context.configure(connection=connection, table_prefix="shop_")
                with context.begin_transaction():
                    context.run_migrations()

            def migrate():
                with make().begin() as connection:
                    run(connection)
            """,
        app__engines="""
            from sqlalchemy import create_engine, event
            from app.settings import settings

            engine = create_engine(settings.url, connect_args={"options": f"-c lock_timeout={settings.lock_timeout}"})

            @event.listens_for(engine, "connect")
            def set_limits(connection, record):
                cursor = connection.cursor()
                cursor.execute("SET statement_timeout = '5min'")

            def make():
                return engine
            """,
        app__settings="""
            import os

            class Settings:
                lock_timeout: int = 2000
                url: str = os.environ["DB"]

            settings = Settings()
            """,
    )
    assert environment.transactions.begun_at == (str(tmp_path / "app/db.py"), 11)
    assert environment.setup == ("SET lock_timeout = '2000'", "SET statement_timeout = '5min'")
    assert environment.scripts.options == {"table_prefix": "shop_"}


@pytest.mark.parametrize(
    ("requirement", "begun"),
    [
        ("SQLAlchemy==1.4.46\n", False),
        ("alembic\nsqlalchemy[asyncio]>=1.4,<2\n", False),
        ("sqlalchemy>=1.4,<3\n", True),
        ("SQLAlchemy==2.0.30\n", True),
        ("sqlalchemy-utils==1.2\nsqlalchemy\n", True),
    ],
)
def test_only_sqlalchemy_2_begins_a_transaction_by_itself(requirement: str, begun: bool, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(requirement)
    text, _ = ENVIRONMENTS["autobegin"]
    assert (read(tmp_path, HEAD + text).transactions.begun_at is not None) == begun


def test_asynchronous_code_is_followed(tmp_path: Path) -> None:
    text = f"""
from sqlalchemy.ext.asyncio import create_async_engine

def run(c):
    context.configure(connection=c){RUN}

async def main():
    engine = create_async_engine(URL, connect_args={{"server_settings": {{"lock_timeout": "600"}}}})
    async with engine.begin() as c:
        await c.run_sync(run)

asyncio.run(main())
"""
    environment = read(tmp_path, HEAD + text)
    assert summary(environment) == (Transaction.FILE, True, True, 600)
    assert environment.scripts.url == f"postgresql+asyncpg://{UNKNOWN}"


def test_unknown_settings_are_placeholders(tmp_path: Path) -> None:
    text = (
        "with engine.connect() as c:\n    c.execute(text(f'SET lock_timeout = {LIMIT}'))\n    c.execute(text(f'SET search_path TO {SCHEMA}'))\n"
    )
    text = f"import os\n{HEAD}LIMIT, SCHEMA = os.environ['LIMIT'], os.environ['SCHEMA']\n{text}    context.configure(connection=c){RUN}"
    environment = read(tmp_path, text)
    assert environment.setup == ("SET lock_timeout = ${unknown}",)
    assert summary(environment)[3] is None
    session = Session(Transaction.FILE)
    session.set_up(environment.setup)
    assert session.settings.value("lock_timeout") is not None


def test_both_branches_of_an_unknown_condition_are_followed(tmp_path: Path) -> None:
    text = "if os.environ.get('ALL'):\n    c = None\nelse:\n    c = engine.connect()\ncontext.configure(connection=c)\n"
    environment = read(tmp_path, f"import os\n{HEAD}{text}with context.begin_transaction():\n    context.run_migrations(limit=1)\n")
    assert summary(environment) == PLAIN
    assert environment.scripts.arguments == {"limit": 1}


def test_a_setting_that_is_absent_here_is_unknown(tmp_path: Path) -> None:
    text = """
def load(name, default=None):
    for find in (os.environ.get, os.getenv):
        value = find(name)
        if value:
            return value
    return default

context.config.set_main_option("port", f"{load('PORT')}")
context.config.set_main_option("name", load("NAME", "shop"))
"""
    environment = read(tmp_path, f"import os\n{HEAD}{text}with engine.connect() as c:\n    context.configure(connection=c){RUN}")
    assert environment.scripts.main_options["name"] == "shop"
    assert UNKNOWN in environment.scripts.main_options["port"]


def test_a_check_of_settings_does_not_end_env(tmp_path: Path) -> None:
    text = "DB = ''\nif not DB:\n    raise RuntimeError('no database')\nwith engine.begin() as c:\n    context.configure(connection=c)"
    assert summary(read(tmp_path, f"{HEAD}{text}{RUN}")) == BEGUN


def test_settings_of_the_ini_file_are_known(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = postgresql+asyncpg://app@db/shop\n[shop]\nschema = audit\n"
    )
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text(
        HEAD + "config = context.config\nconfig.set_main_option('limit', '7')\nconfig.attributes['tenant'] = 'a'\n"
        "engine = engine_from_config(config.get_section(config.config_ini_section), prefix='sqlalchemy.')\n"
        "with engine.connect() as c:\n"
        "    context.configure(connection=c, version_table_schema=config.get_section('shop')['schema'], **config.attributes)" + RUN
    )
    (tmp_path / "migrations" / "versions" / "0001.py").write_text("revision = '1'\ndown_revision = None\n")
    scripts = read_environment(find_project(Folder(str(tmp_path / "migrations" / "versions")))).scripts
    assert scripts.config_file == str(tmp_path / "alembic.ini")
    assert scripts.url == "postgresql+asyncpg://app@db/shop"
    assert (scripts.main_options, scripts.attributes) == ({"limit": "7"}, {"tenant": "a"})
    assert scripts.options == {"version_table_schema": "audit", "tenant": "a"}


WITH_TARGET = f"with engine.connect() as c:\n    context.configure(connection=c, target_metadata=target){RUN}"
CONVENTION = {"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
METADATA = {
    "a constant of another module": (
        "from app.base import Base\ntarget = Base.metadata",
        "class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NAMES)",
    ),
    "a module in the syntax of Python 3.12": (
        "from app.base import metadata\ntarget = metadata",
        "metadata = MetaData(naming_convention=NAMES)\ntype Name = str\nclass Column[T: str](list[T]):\n    pass",
    ),
    "declarative_base": (
        "from app.base import Base\ntarget = Base.metadata",
        "Base = declarative_base(metadata=MetaData(naming_convention=NAMES))",
    ),
    "a registry": (
        "from app.base import Base\ntarget = Base.metadata",
        "class Base(DeclarativeBase):\n    registry = registry(metadata=MetaData(naming_convention=NAMES))",
    ),
    "an attribute that is set": ("from app import base\ntarget = base.metadata", "metadata = MetaData()\nmetadata.naming_convention = NAMES"),
    "SQLModel": ("from sqlmodel import SQLModel\nimport app.models\ntarget = SQLModel.metadata", "SQLModel.metadata.naming_convention = NAMES"),
    "Flask-SQLAlchemy": ("from app.base import db\ntarget = db.metadata", "db = SQLAlchemy(metadata=MetaData(naming_convention=NAMES))"),
    "Flask-Migrate": (
        "from flask import current_app\ntarget = current_app.extensions['migrate'].db.metadata",
        "from flask_migrate import Migrate\ndb = SQLAlchemy(metadata=MetaData(naming_convention=NAMES))\nmigrate = Migrate(app, db)",
    ),
    "a function": (
        "from app.base import metadata\ndef get():\n    return metadata\ntarget = get()",
        "metadata = MetaData(schema='a', naming_convention={**NAMES})",
    ),
    "models that a setting names": (
        "import app.models as models\ntarget = getattr(models, SETTING).metadata",
        "class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NAMES)",
    ),
}


@pytest.mark.parametrize("name", METADATA)
def test_the_naming_convention_is_that_of_target_metadata(name: str, tmp_path: Path) -> None:
    env, base = METADATA[name]
    scripts = read(
        tmp_path,
        f"{HEAD}SETTING = context.config.get_main_option('x')\n{env}\n{WITH_TARGET}",
        app__names="PREFIX = 'fk_%(table_name)s'\nNAMES = {'pk': 'pk_%(table_name)s', 'fk': PREFIX + '_%(column_0_name)s'}\n",
        app__base="from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase, declarative_base, registry\n"
        f"from flask_sqlalchemy import SQLAlchemy\nfrom sqlmodel import SQLModel\nfrom .names import NAMES\n{base}\n",
        app__models="from app.base import *\n",
        app____init__="",
    ).scripts
    assert scripts.naming_convention == CONVENTION


def test_a_function_in_a_convention_is_unknown(tmp_path: Path) -> None:
    text = "def token(constraint, table):\n    return 'x'\ntarget = MetaData(naming_convention={'token': token, 'uq': 'uq_%(token)s'})\n"
    assert read(tmp_path, f"{HEAD}from sqlalchemy import MetaData\n{text}{WITH_TARGET}").scripts.naming_convention == {
        "token": None,
        "uq": "uq_%(token)s",
    }


def test_alembic_ignores_the_conventions_of_a_list(tmp_path: Path) -> None:
    text = "target = [MetaData(naming_convention={'uq': 'uq_%(table_name)s'})]\n"
    scripts = read(tmp_path, f"{HEAD}from sqlalchemy import MetaData\n{text}{WITH_TARGET}").scripts
    assert (scripts.naming_convention, scripts.options) == (None, {"target_metadata": UNKNOWN})


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    x = 1\n",
        "def f():\n    f()\nf()\n",
        "raise SystemExit\n",
        "from . import a\n",
        "x = 'a'\n" + "x = x + x\n" * 50,
        "x = '%9999999999d' % 1\ny = range(10 ** 15)\n",
    ],
)
def test_odd_programs_do_not_harm(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).transactions.transaction is Transaction.FILE
