"""The file of queries in the fixture is what the shop's tests record, on a server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migsafe.replaying.servers.server import Server
from migsafe.workload.document import read_document
from migsafe.workload.query import CallSite
from tests.support.servers import any_installation
from tests.test_pytest_plugin import is_registered

pytestmark = [pytest.mark.server, pytest.mark.process]

APPLICATION = Path(__file__).parents[3] / "fixtures" / "shop_application"


def places(file: Path) -> list[CallSite]:
    """The call sites, which do not depend on SQLAlchemy's version, as its texts do."""
    return sorted((place for query in read_document(str(file)) for place in query.places), key=lambda place: (place.path, place.line))


def test_the_shop_s_tests_record_its_queries(tmp_path: Path) -> None:
    pytest.importorskip("flask")
    plugin = [] if is_registered() else ["-p", "migsafe.pytest_plugin"]
    file = tmp_path / "queries.jsonl"
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "--migsafe-record", str(file)]
    with Server(any_installation()) as server:
        with server.connect() as connection:
            database = f"postgresql://postgres@/postgres?host={server.folder}&port={connection.info.port}"
        environment = {**os.environ, "SHOP_DATABASE": database, "PYTHONPATH": str(APPLICATION), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=APPLICATION, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "11 queries recorded" in done.stdout, done.stdout + done.stderr
    assert places(file) == places(APPLICATION / "queries.jsonl")
    (repeated,) = (query for query in read_document(str(file)) if query.per_request > 1)
    assert "FROM recommendations WHERE sku = $1" in repeated.text
