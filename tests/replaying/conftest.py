"""The servers that the tests of this folder share: each is started once, when a test first needs it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from tests.support.servers import any_installation, oldest_and_newest


@pytest.fixture(scope="session")
def start_host() -> Iterator[Callable[[Installation], PrivateHost]]:
    """Returns the running host of an installation."""
    hosts: dict[Installation, PrivateHost] = {}
    with ExitStack() as stack:

        def start(installation: Installation) -> PrivateHost:
            if installation not in hosts:
                hosts[installation] = stack.enter_context(PrivateHost(installation))
            return hosts[installation]

        yield start


@pytest.fixture(scope="session")
def any_host(start_host: Callable[[Installation], PrivateHost]) -> PrivateHost:
    """A host for tests that do not depend on the version."""
    return start_host(any_installation())


@pytest.fixture(scope="session")
def any_server(any_host: PrivateHost) -> Server:
    """The server of that host."""
    return any_host.server


# The oldest and the newest version differ the most.
@pytest.fixture(scope="session", params=oldest_and_newest())
def host(request: pytest.FixtureRequest, start_host: Callable[[Installation], PrivateHost]) -> PrivateHost:
    """A host of the oldest version, then one of the newest."""
    return start_host(request.param)
