"""Calls of Alembic scripts that certainly fail before PostgreSQL runs them, and similar ones that do not."""

import json
from pathlib import Path

import pytest

from migsafe.cli import main

pytestmark = pytest.mark.process

SYNCHRONOUS = """from alembic import context
from sqlalchemy import create_engine

with create_engine("postgresql://localhost/shop").connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
ASYNCHRONOUS = """import asyncio

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine


def run(connection):
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    async with create_async_engine("postgresql+{driver}://localhost/shop").connect() as connection:
        await connection.run_sync(run)


asyncio.run(main())
"""
REVISION = """from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
{imports}

revision = "a1"
down_revision = None


def upgrade():
    {body}


def downgrade():
    op.execute("SELECT 1")
"""
TEXT = "ObjectNotExecutableError: SQLAlchemy 2 executes no strings"
SEVERAL = "cannot insert multiple commands into a prepared statement (asyncpg prepares what it sends)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = mig\n")
    (tmp_path / "mig" / "versions").mkdir(parents=True)
    return tmp_path


def refused(
    folder: Path, capsys: pytest.CaptureFixture[str], body: str, env: str = SYNCHRONOUS, imports: str = "", required: str = ""
) -> list[str]:
    """Returns the errors that a revision with this body is refused for."""
    (folder / "mig" / "env.py").write_text(env)
    (folder / "requirements.txt").write_text(required)
    (folder / "mig" / "versions" / "a1.py").write_text(REVISION.format(body=body.replace("\n", "\n    "), imports=imports))
    main(["lint", "--no-cache", "--select", "statement-fails", "--format", "json", "mig"])
    messages = [finding["message"] for finding in json.loads(capsys.readouterr().out)["findings"]]
    return [message.removeprefix("the script fails here, before it sends anything: ") for message in messages]


@pytest.mark.parametrize(
    "body",
    [
        'op.get_bind().execute("SELECT 1")',
        'connection = op.get_bind()\nconnection.execute("SELECT 1")',
        'connection = op.get_bind()\nsql = "SELECT 1"\nconnection.execute(sql)',
        'connection = op.get_bind()\nconnection.execute(f"SELECT {revision!r}")',
        'op.get_bind().scalar("SELECT 1")',
    ],
)
def test_sqlalchemy_2_executes_no_strings(folder: Path, capsys: pytest.CaptureFixture[str], body: str) -> None:
    assert refused(folder, capsys, body, required="SQLAlchemy[asyncio]>=2.0,<3\n") == [TEXT]


@pytest.mark.parametrize(
    "body",
    [
        'op.execute("SELECT 1")',
        'op.get_bind().execute(sa.text("SELECT 1"))',
        'op.get_bind().exec_driver_sql("SELECT 1")',
        'connection = op.get_bind()\nsql = sa.text("SELECT 1")\nconnection.execute(sql)',
        'cursor = op.get_bind().connection.cursor()\ncursor.execute("SELECT 1")',
    ],
)
def test_other_forms_are_executed(folder: Path, capsys: pytest.CaptureFixture[str], body: str) -> None:
    assert refused(folder, capsys, body, required="SQLAlchemy[asyncio]>=2.0,<3\n") == []


@pytest.mark.parametrize("required", ["", "sqlalchemy\n", "sqlalchemy>=1.4\n", "sqlalchemy==1.4.54\n", "sqlalchemy<2.0\n"])
def test_an_older_sqlalchemy_executes_strings(folder: Path, capsys: pytest.CaptureFixture[str], required: str) -> None:
    assert refused(folder, capsys, 'op.get_bind().execute("SELECT 1")', required=required) == []


@pytest.mark.parametrize("call", ["op.execute", "op.get_bind().exec_driver_sql"])
def test_asyncpg_prepares_one_statement(folder: Path, capsys: pytest.CaptureFixture[str], call: str) -> None:
    env = ASYNCHRONOUS.replace("{driver}", "asyncpg")
    assert refused(folder, capsys, f'{call}("CREATE TABLE a (id bigint); CREATE TABLE b (id bigint)")', env) == [
        f"PostgreSQL refuses this statement: {SEVERAL}"
    ]


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE a (id bigint);", "CREATE TABLE a (id bigint); -- all", "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;"]
)
def test_asyncpg_sends_a_single_statement(folder: Path, capsys: pytest.CaptureFixture[str], sql: str) -> None:
    assert refused(folder, capsys, f'op.execute("{sql}")', ASYNCHRONOUS.replace("{driver}", "asyncpg")) == []


@pytest.mark.parametrize("env", [SYNCHRONOUS, ASYNCHRONOUS.replace("{driver}", "psycopg")])
def test_other_drivers_send_several_statements(folder: Path, capsys: pytest.CaptureFixture[str], env: str) -> None:
    assert refused(folder, capsys, 'op.execute("CREATE TABLE a (id bigint); CREATE TABLE b (id bigint)")', env) == []


@pytest.mark.parametrize(
    ("required", "errors"),
    [("asyncpg\n", 1), ("asyncpg\npsycopg2-binary\n", 1), ("asyncpg\npsycopg[binary]\n", 0), ("", 0)],
)
def test_the_driver_of_an_unknown_url(folder: Path, capsys: pytest.CaptureFixture[str], required: str, errors: int) -> None:
    env = ASYNCHRONOUS.replace('"postgresql+{driver}://localhost/shop"', "settings.url").replace(
        "import asyncio", "import asyncio\nfrom app import settings"
    )
    body = 'op.execute("CREATE TABLE a (id bigint); CREATE TABLE b (id bigint)")'
    assert len(refused(folder, capsys, body, env, required=required)) == errors


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('op.add_column("a", sa.Column("b", sa.Int()))', "AttributeError: module 'sqlalchemy' has no attribute 'Int'"),
        (
            'op.add_column("a", sa.Column("b", postgresql.JSON_B()))',
            "AttributeError: module 'sqlalchemy.dialects.postgresql' has no attribute 'JSON_B'",
        ),
        ('op.add_column("a", sa.Column("b", JSONB()))', "NameError: name 'JSONB' is not defined"),
        (
            'op.drop_constraint(None, "a", type_="unique")',
            "CompileError: Can't emit DROP CONSTRAINT for constraint UniqueConstraint(); it has no name",
        ),
        ('op.add_column("a", sa.Column("b", sa.Enum("c", "d")))', "CompileError: PostgreSQL Enum type requires a name."),
    ],
)
def test_an_error_of_the_script_itself(folder: Path, capsys: pytest.CaptureFixture[str], body: str, error: str) -> None:
    assert refused(folder, capsys, body) == [error]


@pytest.mark.parametrize(
    ("body", "imports"),
    [
        ('op.add_column("a", sa.Column("b", JSONB()))', "from sqlalchemy.dialects.postgresql import *"),
        ('op.add_column("a", sa.Column("b", Money()))', "from shop.types import *"),
        ('op.add_column("a", sa.Column("b", Money()))', "from shop.types import Money"),
        ('op.add_column("a", sa.Column("b", sa.Binary()))', ""),
        ('op.add_column("a", sa.Column("b", unicode("c")))', ""),
        ('try:\n    op.add_column("a", sa.Column("b", Absent()))\nexcept NameError:\n    pass', ""),
        ('if False:\n    op.add_column("a", sa.Column("b", Absent()))', ""),
        ('op.add_column("a", sa.Column("b", sa.Enum("c", "d", name="kind")))', ""),
    ],
)
def test_an_error_that_need_not_happen(folder: Path, capsys: pytest.CaptureFixture[str], body: str, imports: str) -> None:
    assert [error for error in refused(folder, capsys, body, imports=imports) if "Error" in error] == []


def test_a_call_that_depends_on_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = 'connection = op.get_bind()\nfor row in connection.execute(sa.text("SELECT id FROM a")):\n    connection.execute("SELECT 1")'
    assert refused(folder, capsys, body, required="sqlalchemy==2.0.44\n") == []


def test_a_call_for_each_of_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = 'connection = op.get_bind()\nfor name in ["a", "b"]:\n    connection.execute(f"DELETE FROM {name}")'
    assert refused(folder, capsys, body, required="sqlalchemy==2.0.44\n") == [TEXT]


def test_the_script_ends_at_the_first_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "op.execute(Order.all())\nop.execute(Item.all())\nop.execute(Order.some())\nop.execute('SELECT 1')"
    assert refused(folder, capsys, body) == ["NameError: name 'Order' is not defined"]
    main(["lint", "--no-cache", "--select", "statement-fails,opaque-code", "--format", "json", "mig"])
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1


def test_an_error_of_another_kind_is_reported_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = 'op.execute(Order.all())\nop.add_column("a", sa.Column("b", sa.Int()))'
    assert refused(folder, capsys, body) == [
        "NameError: name 'Order' is not defined",
        "AttributeError: module 'sqlalchemy' has no attribute 'Int'",
    ]


HANDLED = """op.execute("CREATE TYPE kind AS ENUM ('a', 'b')")
with op.get_context().autocommit_block():
    try:
        op.execute("ALTER TYPE kind ADD VALUE 'b'")
    except sa.exc.ProgrammingError as error:
        {handler}"""
EXISTS = 'PostgreSQL refuses this statement: enum label "b" already exists'


@pytest.mark.parametrize("handler", ["pass", 'if "DuplicateObject" not in str(error): raise'])
def test_an_error_outside_a_transaction_is_handled(folder: Path, capsys: pytest.CaptureFixture[str], handler: str) -> None:
    assert refused(folder, capsys, HANDLED.format(handler=handler)) == []


def test_an_error_that_is_raised_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(folder, capsys, HANDLED.format(handler='raise RuntimeError("no") from error')) == [EXISTS]


def test_an_error_of_another_kind_is_not_handled(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(folder, capsys, HANDLED.format(handler="pass").replace("sa.exc.ProgrammingError", "(KeyError, ValueError)")) == [EXISTS]


def test_an_error_in_a_transaction_aborts_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = HANDLED.format(handler="pass").replace("with op.get_context().autocommit_block():", "if True:")
    assert refused(folder, capsys, body) == [EXISTS]


def test_the_upgrade_after_a_downgrade_handles_what_remains(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(folder, capsys, "op.execute(\"CREATE TYPE kind AS ENUM ('a')\")")
    text = REVISION.format(body=HANDLED.partition("\n")[2].format(handler="pass").replace("\n", "\n    "), imports="")
    for handled, findings in ((text, 0), (text.replace("sa.exc.ProgrammingError", "KeyError"), 1)):
        (folder / "mig" / "versions" / "b2.py").write_text(handled.replace('"a1"', '"b2"').replace("= None", '= "a1"'))
        main(["lint", "--no-cache", "--down", "--select", "downgrade-fails", "--format", "json", "mig/versions/b2.py"])
        assert len(json.loads(capsys.readouterr().out)["findings"]) == findings
