"""The transactions that env.py configures: read from its syntax tree, and measured on a server."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sources.alembic.environment import TransactionSettings, transaction_settings
from tests.support.servers import any_installation

SHARED, PER_MIGRATION, PER_STATEMENT = "all in one", "one each", "statement by statement"

ONLINE = """
from alembic import context
from sqlalchemy import NullPool, create_engine, text

engine = create_engine(context.config.get_main_option("url"), poolclass=NullPool{engine})

{before}
def run_migrations_offline():
    context.configure(url="postgresql://", transaction_per_migration={offline})
    with context.begin_transaction():
        context.run_migrations()

def run_migrations_online():
    {inside}
    with engine.{connect}() as connection:
        context.configure(connection=connection{options})
        with context.begin_transaction():
            context.run_migrations()

if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
"""


def env(options: str = "", before: str = "", inside: str = "pass", connect: str = "connect", engine: str = "", offline: bool = False) -> str:
    inside = indent(dedent(inside), "    ").lstrip()
    return ONLINE.format(options=options, before=before, inside=inside, connect=connect, engine=engine, offline=offline)


ENVIRONMENTS = [
    (env(), SHARED),
    (env(", transaction_per_migration=True"), PER_MIGRATION),
    (env(", transaction_per_migration=False"), SHARED),
    (env(offline=True), SHARED),
    (env(", transactional_ddl=False"), PER_MIGRATION),
    (env(", transactional_ddl=False, transaction_per_migration=True"), PER_MIGRATION),
    (env(connect="begin"), SHARED),
    (env(", transaction_per_migration=True", connect="begin"), SHARED),
    (env(engine=', isolation_level="AUTOCOMMIT"'), PER_STATEMENT),
    (env(", transaction_per_migration=ONE_BY_ONE", before="ONE_BY_ONE: bool = True\n"), PER_MIGRATION),
    (env(", transaction_per_migration=by_one", inside="by_one = not False"), PER_MIGRATION),
    (env(", **options", before='options = {"compare_type": True, "transaction_per_migration": True}\n'), PER_MIGRATION),
    (env(", **options", inside="options = dict(transaction_per_migration=True)"), PER_MIGRATION),
    (env(", **options", inside='options = {}\noptions["transaction_per_migration"] = True'), PER_MIGRATION),
    (env(", **{**options, **more}", before="options = {}\nmore = dict(options, transaction_per_migration=True)\n"), PER_MIGRATION),
]


def transactions(settings: TransactionSettings) -> str:
    if settings.transaction is Transaction.STATEMENT:
        return PER_STATEMENT
    return PER_MIGRATION if settings.own_transaction_advice is None else SHARED


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(any_installation()) as running:
        yield running


@pytest.mark.server
@pytest.mark.parametrize(("text", "expected"), ENVIRONMENTS)
def test_transactions_are_those_of_alembic(text: str, expected: str, server: Server, tmp_path: Path) -> None:
    (tmp_path / "env.py").write_text(text)
    assert transactions(transaction_settings(str(tmp_path / "env.py"))) == expected
    assert measured_transactions(server, tmp_path) == expected


def measured_transactions(server: Server, folder: Path) -> str:
    """Returns how Alembic divides two revisions, of two statements each, into transactions."""
    from alembic import command  # noqa: PLC0415  # only this test runs Alembic
    from alembic.config import Config  # noqa: PLC0415

    (folder / "versions").mkdir()
    for version, before in (("1a", None), ("2b", "1a")):
        noted = f"op.execute(\"INSERT INTO noted VALUES ('{version}', txid_current())\")"
        script = f"from alembic import op\nrevision = {version!r}\ndown_revision = {before!r}\ndef upgrade():\n    {noted}\n    {noted}\n"
        (folder / "versions" / f"{version}.py").write_text(script)
    server.create_database("noted")
    try:
        with server.connect("noted") as connection:
            connection.execute("CREATE TABLE noted (version text, number bigint)")
            url = f"postgresql+psycopg://{connection.info.user}@/noted?host={connection.info.host}&port={connection.info.port}"
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("url", url)
        command.upgrade(config, "head")
        with server.connect("noted") as connection:
            rows: list[Any] = connection.execute("SELECT count(DISTINCT number), count(*) FROM noted").fetchall()
    finally:
        server.drop_database("noted")
    return {(1, 4): SHARED, (2, 4): PER_MIGRATION, (4, 4): PER_STATEMENT}[rows[0]]


@pytest.mark.parametrize(
    "text",
    [
        "context.configure(connection=connection, transaction_per_migration=settings.one_by_one)",
        "context.configure(**settings)",
        "one = True\none = False\ncontext.configure(connection=c, transaction_per_migration=one)",
        "context.configure(",
        "",
    ],
)
def test_unknown_settings_are_assumed_to_be_the_defaults(text: str, tmp_path: Path) -> None:
    path = tmp_path / "env.py"
    path.write_text(text)
    assert transactions(transaction_settings(str(path))) == SHARED


def test_the_advice_for_separate_transactions_works(tmp_path: Path) -> None:
    path = tmp_path / "env.py"
    path.write_text(env())
    assert transaction_settings(str(path)).own_transaction_advice == f"pass `transaction_per_migration=True` to `context.configure()` in {path}"
    path.write_text(env(connect="begin"))
    assert re.match(
        r"let .*env\.py connect with `connect\(\)` instead of `begin\(\)`, and pass ",
        transaction_settings(str(path)).own_transaction_advice or "",
    )
    assert transaction_settings(None).own_transaction_advice == "pass `transaction_per_migration=True` to `context.configure()` in env.py"
