"""What holds for all tests."""

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says on which servers predictions were held to what PostgreSQL does."""
    terminalreporter.write_line(f"Servers: {', '.join(str(one) for one in FOUND) or NONE}")
