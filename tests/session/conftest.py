"""A server for each version of PostgreSQL on this machine."""

from collections.abc import Iterator

import pytest

from migsafe.replay.server import Server
from tests.replay.servers import each_installation


@pytest.fixture(scope="session", params=each_installation())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        yield server
