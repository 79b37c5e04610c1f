"""What holds for all tests."""

import os
from collections.abc import Iterator

import pytest

from tests.support import servers
from tests.support.servers import FOUND, NONE


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--all-servers`."""
    parser.addoption(
        "--all-servers", action="store_true", help="run every server test on every PostgreSQL found, not on the oldest and the newest"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Passes `--all-servers` on, before the parameters of the tests are computed."""
    servers.all_servers = config.getoption("--all-servers")


@pytest.fixture(scope="session", autouse=True)
def _plugins_are_found() -> None:
    """The CI names pytest's plugins; the tests that start pytest find them as in a team's project."""
    os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)


@pytest.fixture(scope="session", autouse=True)
def _forked_workers() -> Iterator[None]:
    """Loads Alembic once for the workers of all tests of this process."""
    from tests.support.worker_forks import forked_workers  # noqa: PLC0415  # only here

    with forked_workers():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says on which servers predictions were held to what PostgreSQL does."""
    terminalreporter.write_line(f"Servers: {', '.join(str(one) for one in FOUND) or NONE}")
