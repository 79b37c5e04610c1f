"""What holds for all tests."""

import pytest

from tests.support.servers import FOUND, NONE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says on which servers predictions were held to what PostgreSQL does."""
    terminalreporter.write_line(f"Servers: {', '.join(str(one) for one in FOUND) or NONE}")
