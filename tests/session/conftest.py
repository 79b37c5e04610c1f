"""A server for each version of PostgreSQL on this machine."""

from collections.abc import Iterator

import pytest

from migsafe.replaying.servers.server import Server
from tests.support.servers import each_installation


@pytest.fixture(scope="session", params=each_installation())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    # A time zone that no script sets, so that every SET TimeZone changes the state.
    with Server(request.param, {"timezone": "Europe/Berlin"}) as server:
        yield server
