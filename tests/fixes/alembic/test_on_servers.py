"""Alembic applies and reverts a fixed history on a server: the schema is that of the original one after each step, and a failed upgrade can run
again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from migsafe.replaying.servers.server import Server
from tests.fixes.alembic.edited import OWN_TRANSACTIONS, Project, write
from tests.fixes.alembic.test_calls import CHECK, INDEX
from tests.fixes.alembic.test_new_revisions import NOT_NULL, UNIQUE
from tests.rules.followed_scripts import DEFAULT_ENVIRONMENT
from tests.schema.catalogue import Catalogue, from_server
from tests.support.servers import newest

pytestmark = [pytest.mark.server, pytest.mark.process]

UPGRADE = """
op.create_index("ix_note", "orders", ["note"])
op.alter_column("orders", "note", existing_type=sa.Text(), nullable=False)
op.create_check_constraint("positive", "orders", "id > 0")
op.create_unique_constraint("one_note", "orders", ["note"])
"""
DOWNGRADE = """
op.drop_constraint("one_note", "orders")
op.drop_constraint("positive", "orders")
op.alter_column("orders", "note", existing_type=sa.Text(), nullable=True)
op.drop_index("ix_note")
"""
WAYS = {**INDEX, "SET NOT NULL": NOT_NULL, **CHECK, "one_note": UNIQUE}
LAST = """
from alembic import op

revision = "cccccccccccc"
down_revision = "bbbbbbbbbbbb"


def upgrade():
    op.execute("CREATE TABLE last (id int)")


def downgrade():
    op.execute("DROP TABLE last")
"""
FAILING = LAST.replace("CREATE TABLE last (id int)", "SELECT 1 / (SELECT count(*) FROM customers)")


@pytest.fixture(scope="module", params=newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server


class Database:
    """A database to which Alembic applies a history."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        server.create_database(name)
        self._server = server
        self._name = name
        self._config = Config()
        self._config.set_main_option("script_location", str(folder))
        where = server.connect(name)
        url = f"postgresql+psycopg://{where.info.user}@/{name}?host={where.info.host}&port={where.info.port}"
        where.close()
        self._config.set_main_option("sqlalchemy.url", url)

    def run(self, subcommand: str, revision: str) -> Catalogue:
        """Returns the schema after a command of Alembic, without Alembic's own table."""
        getattr(command, subcommand)(self._config, revision)
        with self._server.connect(self._name) as connection:
            return {name: entry for name, entry in from_server(connection).items() if "alembic_version" not in name}

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with self._server.connect(self._name) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description is not None else []


@pytest.mark.parametrize("environment", [DEFAULT_ENVIRONMENT, OWN_TRANSACTIONS], ids=["shared", "own"])
def test_each_step_of_a_fixed_history_can_be_applied_and_reverted(
    make_project: Callable[..., Project], server: Server, tmp_path: Path, environment: str, request: pytest.FixtureRequest
) -> None:
    project = make_project(environment)
    path = project.add_change(UPGRADE, DOWNGRADE)
    last = project.add("cccccccccccc.py", LAST)
    name = request.node.callspec.id.replace("-", "_")
    original = Database(server, f"original_{name}", copytree(tmp_path, tmp_path / "original"))
    edits = project.edit(path, WAYS)
    assert len(edits.applied) == len(WAYS)
    write(edits)
    fixed = Database(server, f"fixed_{name}", tmp_path)
    assert fixed.run("upgrade", "head") == original.run("upgrade", "head")
    states = [fixed.run("downgrade", "-1") for _ in range(3)]
    assert [states[0], states[2]] == [original.run("downgrade", revision) for revision in ("bbbbbbbbbbbb", "aaaaaaaaaaaa")]
    # What has been validated stays so.
    assert [fixed.run("upgrade", "+1").keys() for _ in range(2)] == [states[1].keys(), states[0].keys()]
    fixed.run("downgrade", "base")

    last.write_text(last.read_text().replace("CREATE TABLE last (id int)", "SELECT 1 / (SELECT count(*) FROM customers)"))
    with pytest.raises(DBAPIError, match="division by zero"):
        fixed.run("upgrade", "head")
    assert fixed.query("SELECT version_num FROM alembic_version") != [("cccccccccccc",)]
    fixed.query("INSERT INTO customers VALUES (1)")
    repaired = fixed.run("upgrade", "head")
    assert "index public.ix_note" in repaired
