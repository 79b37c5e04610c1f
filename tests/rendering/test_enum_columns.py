"""Columns of enum types that op.add_column and op.alter_column do not create: the predicted refusal is compared with Alembic on a server."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.servers.server import Server
from migsafe.sources import find_migrations
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.process

MISSING = 'type "mood" does not exist'
SCRIPT = """\
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("person", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("name", sa.Text()))
"""
CASES = {
    'op.add_column("person", sa.Column("m", sa.Enum("ok", "bad", name="mood")))': MISSING,
    'op.add_column("person", sa.Column("m", postgresql.ENUM("ok", "bad", name="mood")))': MISSING,
    'op.add_column("person", sa.Column("m", sa.ARRAY(sa.Enum("ok", "bad", name="mood"))))': 'type "mood[]" does not exist',
    'op.alter_column("person", "name", type_=sa.Enum("ok", "bad", name="mood"), postgresql_using="name::mood")': MISSING,
    'sa.Enum("ok", "bad", name="mood").create(op.get_bind())\nop.add_column("person", sa.Column("m", sa.Enum("ok", "bad", name="mood")))': None,
    'mood = sa.Enum("ok", name="mood")\nmood.create(op.get_bind(), checkfirst=True)\nop.add_column("person", sa.Column("m", mood))': None,
    'op.execute("CREATE TYPE mood AS ENUM (\'ok\')")\nop.add_column("person", sa.Column("m", sa.Enum("ok", name="mood")))': None,
    'op.add_column("person", sa.Column("m", sa.Enum("ok", "bad", name="mood", native_enum=False)))': None,
    'op.create_table("pet", sa.Column("m", sa.Enum("ok", name="mood")))\n'
    'op.add_column("person", sa.Column("m", sa.Enum("ok", name="mood")))': None,
}


def script_of(body: str) -> str:
    return SCRIPT + textwrap.indent(body, "    ") + "\n"


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        server.create_database("enums")
        yield server


@pytest.mark.parametrize(("body", "expected"), CASES.items())
def test_missing_type_is_refused(body: str, expected: str | None, renderer: Renderer, tmp_path: Path) -> None:
    path = tmp_path / "versions" / "a1_first.py"
    path.parent.mkdir()
    path.write_text(script_of(body))
    predictor = Predictor(17)
    predictor.begin_history(from_first_migration=True)
    (step,) = find_migrations([str(path.parent)]).sources[0].steps()
    migration = renderer.render_migration(step.migration, predictor)
    refusals = [prediction.refusal for prediction in predictor.predict_migration(migration.up) if prediction.refusal is not None]
    assert [refusal.error for refusal in refusals] == ([expected] if expected is not None else [])


@pytest.mark.server
@pytest.mark.parametrize(("body", "expected"), CASES.items())
def test_the_server_refuses_it(body: str, expected: str | None, server: Server) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: server.connect("enums", autocommit=False))
    message = None
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)):
        namespace: dict[str, object] = {}
        exec(script_of(body), namespace)
        try:
            namespace["upgrade"]()  # type: ignore[operator]  # the function of the script
        except ProgrammingError as error:
            message = error.orig.diag.message_primary  # type: ignore[union-attr]  # psycopg's error
        connection.rollback()
    engine.dispose()
    assert message == expected
