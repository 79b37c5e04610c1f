"""Alembic projects whose env.py decides what the findings are, linted from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from migsafe.cli import main

pytestmark = pytest.mark.process

REVISION = """from alembic import op
import sqlalchemy as sa

revision = {version!r}
down_revision = {before!r}


def upgrade({parameters}):
    {body}


def downgrade():
    op.execute("SELECT 1")
"""
BEGIN = """from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine("postgresql://")
with engine.{connect} as connection:
    {before}
    context.configure(connection=connection{options})
    with context.begin_transaction():
        context.run_migrations()
"""


def project(folder: Path, env: str, *bodies: str, parameters: str = "", settings: str = "") -> None:
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = mig\n{settings}")
    (folder / "mig" / "versions").mkdir(parents=True)
    (folder / "mig" / "env.py").write_text(env)
    for number, body in enumerate(bodies):
        text = REVISION.format(
            version=f"v{number}", before=f"v{number - 1}" if number else None, body=body.replace("\n", "\n    "), parameters=parameters
        )
        (folder / "mig" / "versions" / f"v{number}.py").write_text(text)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main([*arguments, "--format", "json", "mig"])
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


BLOCK = 'with op.get_context().autocommit_block():\n    op.execute("ALTER TYPE kind ADD VALUE \'c\'")\n    op.create_index("i", "a", ["b"])'


def test_an_autocommit_block_in_the_transaction_of_env_raises(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(folder, BEGIN.format(connect="begin()", before="pass", options=""), BLOCK)
    findings = [each for each in run(capsys, "lint", "--no-cache")["findings"] if each["rule"] == "concurrently-in-transaction"]
    assert [(each["start"]["line"], each["message"].partition(":")[0]) for each in findings] == [
        (10, "autocommit_block() raises AssertionError, and the migration ends here")
    ]
    assert "mig/env.py:5 begins a transaction" in findings[0]["message"]


def test_an_autocommit_block_after_a_commit_of_the_script_is_fine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def concurrent(connect: str, before: str, body: str) -> list[int]:
        (folder / "mig" / "env.py").write_text(BEGIN.format(connect=connect, before=before, options=""))
        (folder / "mig" / "versions" / "v0.py").write_text(REVISION.format(version="v0", before=None, body=body, parameters=""))
        findings = run(capsys, "lint", "--no-cache")["findings"]
        return [each["start"]["line"] for each in findings if each["rule"] == "concurrently-in-transaction"]

    project(folder, "")
    block = 'with op.get_context().autocommit_block():\n        op.create_index("i", "a", ["b"], postgresql_concurrently=True)'
    committed, used = "op.get_bind().commit()", 'op.get_bind().commit()\n    op.execute("SELECT 1")'
    begun = "connection.execute(text('SELECT 1'))"
    assert concurrent("connect()", begun, f"{committed}\n    {block}") == []
    assert concurrent("connect()", begun, f"{used}\n    {block}") == [12]
    assert concurrent("begin()", "pass", f"{committed}\n    {block}") == [11]


def test_an_autocommit_block_in_alembics_transaction_is_fine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(folder, BEGIN.format(connect="connect()", before="connection.execute(text('SELECT 1')); connection.commit()", options=""), BLOCK)
    assert "concurrently-in-transaction" not in {each["rule"] for each in run(capsys, "lint", "--no-cache")["findings"]}


def test_a_timeout_that_env_sets_is_in_effect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = 'op.add_column("a", sa.Column("c", sa.Text()))'
    before = "connection.execute(text(\"SET lock_timeout = '{}'\")); connection.commit()"
    project(folder, BEGIN.format(connect="connect()", before=before.format("2s"), options=""), body)
    assert "lock-timeout-missing" not in {each["rule"] for each in run(capsys, "lint", "--no-cache")["findings"]}
    (folder / "mig" / "env.py").write_text(BEGIN.format(connect="connect()", before=before.format("10min"), options=""))
    assert "lock-timeout-too-long" in {each["rule"] for each in run(capsys, "lint", "--no-cache")["findings"]}


def test_locks_say_whether_a_transaction_spans_the_upgrade(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(folder, BEGIN.format(connect="connect()", before="pass", options=""), "op.drop_table('a')")
    (first,) = run(capsys, "locks")["migrations"]
    place = {"path": "mig/env.py", "line": 7}
    assert (first["transaction"], first["transaction_spans_upgrade"], first["transaction_read_at"]) == ("file", True, place)
    (folder / "mig" / "env.py").write_text(BEGIN.format(connect="connect()", before="pass", options=", transaction_per_migration=True"))
    (first,) = run(capsys, "locks")["migrations"]
    assert (first["transaction"], first["transaction_spans_upgrade"], first["transaction_read_at"]) == ("file", False, place)


SEVERAL = """import re
from alembic import context
from sqlalchemy import engine_from_config

engines = {}
for name in re.split(r",\\s*", context.config.get_main_option("databases", "")):
    engines[name] = engine_from_config(context.config.get_section(name, {}), prefix="sqlalchemy.")
for name, engine in engines.items():
    with engine.connect() as connection:
        context.configure(connection=connection, upgrade_token="%s_upgrades" % name)
        with context.begin_transaction():
            context.run_migrations(engine_name=name)
"""


def test_each_database_has_its_own_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    created = 'op.create_table("a", sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True))'
    project(
        folder,
        SEVERAL,
        f'if engine_name == "one":\n    {created}\nelse:\n    {created}',
        'if engine_name == "one":\n    op.drop_table("a")',
        'if engine_name == "two":\n    op.create_index("a_id", "a", ["id"])',
        parameters="engine_name",
        settings="databases = one, two\n[one]\nsqlalchemy.url = postgresql://one\n[two]\nsqlalchemy.url = postgresql://two\n",
    )
    document = run(capsys, "locks")
    statements = [(each["id"], [statement["sql"].split(" (")[0] for statement in each["statements"]]) for each in document["migrations"]]
    assert statements == [
        ("v0", ["CREATE TABLE a"]),
        ("v1", ["DROP TABLE a"]),
        ("v2", []),
        ("v0", ["CREATE TABLE a"]),
        ("v1", []),
        ("v2", ["CREATE INDEX a_id ON a"]),
    ]
    assert not [statement for each in document["migrations"] for statement in each["statements"] if statement["refused"]]


def test_scripts_name_databases_that_env_does_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = SEVERAL.replace('context.config.get_main_option("databases", "")', "current_app.config['DATABASES']")
    body = 'globals()[f"upgrade_{engine_name}"]()\n\ndef upgrade_one():\n    op.drop_table("a")\n\ndef upgrade_two():\n    op.drop_table("b")'
    project(folder, f"from flask import current_app\n{env}", "pass", parameters="engine_name")
    script = folder / "mig" / "versions" / "v0.py"
    script.write_text(script.read_text().replace("    pass", f"    {body}"))
    document = run(capsys, "locks")
    assert [[statement["sql"] for statement in each["statements"]] for each in document["migrations"]] == [["DROP TABLE a"], ["DROP TABLE b"]]


def test_an_unknown_op_that_env_passes_is_alembics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = BEGIN.format(connect="connect()", before="pass", options="").replace("run_migrations()", "run_migrations(op=Wrapper(), tables=[])")
    project(folder, env, 'op.drop_table("a")', parameters="op, tables")
    assert [each["sql"] for each in run(capsys, "locks")["migrations"][0]["statements"]] == ["DROP TABLE a"]


def test_a_search_path_that_env_sets_is_in_effect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = "connection.execute(text('SET search_path TO app')); connection.commit()"
    project(
        folder,
        BEGIN.format(connect="connect()", before=before, options=""),
        'op.execute("CREATE TABLE a (id bigint)")',
        'inspector = sa.inspect(op.get_bind())\nif "a" in inspector.get_table_names() and inspector.has_table("a"):\n    op.drop_table("a")',
    )
    (statement,) = run(capsys, "locks")["migrations"][1]["statements"]
    assert [effect["relation"] for effect in statement["effects"]] == ["app.a"]


OPERATIONS = """
@Operations.register_operation("create_label")
class CreateLabel(MigrateOperation):
    def __init__(self, name):
        self.name = name

    @classmethod
    def create_label(cls, operations, name):
        return operations.invoke(cls(name))


@Operations.implementation_for(CreateLabel)
def create_label(operations, operation):
    operations.execute(f"CREATE TYPE {PREFIX}{operation.name} AS ENUM ('a')")
"""


@pytest.mark.parametrize("is_in_env", [True, False])
def test_operations_that_env_registers(folder: Path, capsys: pytest.CaptureFixture[str], is_in_env: bool) -> None:
    definition = f"from alembic.operations import MigrateOperation, Operations\nPREFIX = 'of_'\n{OPERATIONS}"
    env = BEGIN.format(connect="connect()", before="pass", options="")
    project(folder, f"{definition}\n{env}" if is_in_env else f"import shop_operations\n{env}", 'op.create_label("size")')
    (folder / "shop_operations.py").write_text("" if is_in_env else definition)
    (migration,) = run(capsys, "locks")["migrations"]
    assert [statement["sql"] for statement in migration["statements"]] == ["CREATE TYPE of_size AS ENUM ('a')"]


def test_names_that_an_older_revision_had_before_the_convention(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = "from sqlalchemy import MetaData\n" + BEGIN.format(
        connect="connect()", before="pass", options=", target_metadata=MetaData(naming_convention={'pk': 'pk_%(table_name)s'})"
    )
    create = 'op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))'
    rename = 'op.execute("ALTER TABLE a RENAME CONSTRAINT {} TO pk_of_a")\nop.execute("ALTER TABLE a DROP CONSTRAINT pk_of_a")'
    project(folder, env, create, rename.format("a_pkey"))
    assert "statement-fails" not in {each["rule"] for each in run(capsys, "lint", "--no-cache")["findings"]}
    (folder / "mig" / "versions" / "v1.py").write_text(
        REVISION.format(version="v1", before="v0", body=rename.format("other").replace("\n", "\n    "), parameters="")
    )
    assert "statement-fails" in {each["rule"] for each in run(capsys, "lint", "--no-cache")["findings"]}


@pytest.mark.parametrize(
    ("code", "severity", "reason"),
    [
        ("def configure(config):\n    config.set_main_option('version_locations', more())\n", "info", "folders.py:2 sets `version_locations`"),
        ("LOCATIONS = config.get_main_option('version_locations')\n", "error", "Alembic refuses"),
    ],
)
def test_parents_in_folders_that_code_names(folder: Path, capsys: pytest.CaptureFixture[str], code: str, severity: str, reason: str) -> None:
    project(folder, BEGIN.format(connect="connect()", before="pass", options=""), 'op.drop_table("a")')
    (folder / "setup.py").write_text("")
    (folder / "folders.py").write_text(code)
    (folder / "mig" / "versions" / "v0.py").write_text(REVISION.format(version="v0", before="other", body='op.drop_table("a")', parameters=""))
    (finding,) = [each for each in run(capsys, "lint", "--no-cache")["findings"] if each["rule"] == "missing-revision"]
    assert (finding["severity"], reason in finding["message"]) == (severity, True)


def test_the_help_of_several_heads_is_no_sql(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(folder, BEGIN.format(connect="connect()", before="pass", options=""), 'op.drop_table("a")', 'op.drop_table("b")')
    (folder / "mig" / "versions" / "v2.py").write_text(REVISION.format(version="v2", before="v0", body='op.drop_table("c")', parameters=""))
    (finding,) = [each for each in run(capsys, "lint", "--no-cache")["findings"] if each["rule"] == "multiple-heads"]
    assert finding["help"].startswith("# run: alembic merge -m 'join v")
    assert "op.execute" not in finding["help"]


ADD = 'op.add_column("a", sa.Column("c", sa.Text()))'


@pytest.mark.parametrize(
    ("body", "options", "after", "line"),
    [
        (f"bind = op.get_bind()\nbind.commit()\n{ADD}", "", "", 10),
        (f"{ADD}\nop.get_bind().commit()", "", "", 10),
        (f"op.get_bind().commit()\n{ADD}\nop.get_bind().commit()", "", "", 11),
        (f"bind = op.get_bind()\nbind.commit()\n{ADD}", ", transaction_per_migration=True", "", None),
        (f"bind = op.get_bind()\nbind.commit()\n{ADD}", ", transactional_ddl=False", "", None),
        (f"bind = op.get_bind()\nbind.commit()\n{ADD}", "", "    connection.commit()\n", None),
        (f'op.execute("COMMIT")\n{ADD}', "", "", None),
        (f"from sqlalchemy.orm import Session\nSession(op.get_bind()).commit()\n{ADD}", "", "", None),
        ('with op.get_context().autocommit_block():\n    op.execute("VACUUM a")', "", "", None),
    ],
)
def test_what_follows_a_commit_of_alembics_connection_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str], body: str, options: str, after: str, line: int | None
) -> None:
    project(folder, BEGIN.format(connect="connect()", before="pass", options=options) + after, body)
    findings = [each for each in run(capsys, "lint", "--no-cache")["findings"] if each["rule"] == "transaction-not-closed"]
    assert [each["start"]["line"] for each in findings] == ([line] if line is not None else [])
    assert all(each["message"].startswith("this commit() ends Alembic's transaction") for each in findings)
