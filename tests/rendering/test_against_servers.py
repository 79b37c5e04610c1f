"""The rendered SQL results in the same schema as Alembic on a server, for upgrades and downgrades."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.servers.server import Server
from migsafe.sources import Migration, find_migrations
from tests.schema.catalogue import Catalogue, difference, from_model, from_server
from tests.support.servers import each_installation

pytestmark = [pytest.mark.server, pytest.mark.process]

HISTORY = Path(__file__).parent / "history"
LAST = "e5"


@pytest.fixture(scope="module", params=each_installation())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        server.create_database("history")
        yield server


def schema_after(server: Server, subcommand: str, revision: str) -> Catalogue:
    """Returns the schema after an Alembic command, without Alembic's own table."""
    config = Config()
    config.set_main_option("script_location", str(HISTORY))
    engine = create_engine("postgresql+psycopg://", creator=lambda: server.connect("history", autocommit=False))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        getattr(command, subcommand)(config, revision)
    engine.dispose()
    with server.connect("history") as connection:
        return {name: entry for name, entry in from_server(connection).items() if "alembic_version" not in name}


def test_upgrades_and_downgrades_result_in_the_schema_of_alembic(server: Server, renderer: Renderer) -> None:
    predictor = Predictor(server.installation.major)
    predictor.catalog.complete = True
    applied: list[Migration] = []
    for unrendered, *_ in find_migrations([str(HISTORY / "versions")]).sources[0].steps():
        migration = renderer.render_down(renderer.render_migration(unrendered, predictor), predictor)
        applied.append(migration)
        predictor.apply(migration.up)
        assert difference(schema_after(server, "upgrade", unrendered.id), from_model(predictor.catalog)) == [], unrendered.id
    assert applied[-1].id == LAST
    assert predictor.contradictions == []
    for down in [migration.down for migration in reversed(applied) if migration.down is not None]:
        assert down.program is not None
        assert [call.opaque for call in down.program.calls if call.opaque or not call.certain] == []
        predictor.apply(down)
    assert predictor.contradictions == []
    assert difference(schema_after(server, "downgrade", "base"), from_model(predictor.catalog)) == []
