"""`pytest --migsafe-record` in a project that uses SQLAlchemy."""

from pathlib import Path

import pytest

from migsafe.workload.document import read_document
from tests.test_pytest_plugin import is_registered, run

pytestmark = pytest.mark.process

pytest_plugins = ["pytester"]

SHOP = """
def create():
    send("CREATE TABLE items (id integer, sku text)")

def find(sku):
    return send("SELECT id FROM items WHERE sku = %s AND 'secret' <> sku", (sku,))

def add(sku):
    send("INSERT INTO items (sku) VALUES (%s)", (sku,))
"""
SQLALCHEMY = "import sqlalchemy; send = sqlalchemy.create_engine('sqlite://', poolclass=sqlalchemy.StaticPool).connect().exec_driver_sql"
PSYCOPG = """
class Cursor:
    def execute(self, query, params=None): pass
    def executemany(self, query, params): pass
    def stream(self, query, params): pass

class ServerCursor:
    def execute(self, query, params): pass

AsyncCursor, AsyncServerCursor = type("A", (), dict(vars(Cursor))), type("B", (), dict(vars(ServerCursor)))
__version__ = "3.9 (of the test)"
"""
TESTS = """
import os
import pytest
from shop import add, create, find, send

@pytest.fixture(scope="session", autouse=True)
def schema():
    create()

def test_find():
    find("tea")
    send("SELECT count(*) FROM items")

def test_add():
    add("tea")

def test_end():
    if os.environ.get("KILL"):
        os.kill(os.getpid(), 9)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(shop=SQLALCHEMY + SHOP.replace("%s", "?"), test_shop=TESTS)
    pytester.syspathinsert()
    return pytester


@pytest.fixture
def quick_project(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The project with a driver that does nothing: SQLAlchemy takes a second to import, in each process."""
    installed = project.mkdir("site-packages")
    (installed / "psycopg.py").write_text(PSYCOPG)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    project.makepyfile(shop="import psycopg; send = psycopg.Cursor().execute" + SHOP)
    return project


def recorded(file: Path) -> list[tuple[str, str, int]]:
    return [(query.text, query.places[0].name, query.places[0].line) for query in read_document(str(file))]


QUERIES = [
    ("INSERT INTO items(sku) VALUES ($1)", "add", 9),
    ("SELECT id FROM items WHERE sku = $1 AND $2 <> sku", "find", 6),
]


def record(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Runs the project's tests in this process: it has imported SQLAlchemy."""
    plugin = () if is_registered() else ("-p", "migsafe.pytest_plugin")
    return project.runpytest_inprocess("-p", "no:cacheprovider", *plugin, "--migsafe-record", *arguments)


def test_the_queries_of_the_application_are_recorded(project: pytest.Pytester) -> None:
    done = record(project, "queries.jsonl")
    done.assert_outcomes(passed=3)
    assert recorded(project.path / "queries.jsonl") == QUERIES
    done.stdout.fnmatch_lines(["2 queries recorded in queries.jsonl; most often in one request: 1", "the tests used sqlite: *"])


def test_the_processes_of_xdist_write_one_file(quick_project: pytest.Pytester) -> None:
    run(quick_project, "--migsafe-record", "queries.jsonl", "-n", "2").assert_outcomes(passed=3)
    assert recorded(quick_project.path / "queries.jsonl") == QUERIES


def test_a_killed_run_keeps_what_it_saw(quick_project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILL", "1")
    run(quick_project, "--migsafe-record", "queries.jsonl")
    assert recorded(quick_project.path / "queries.jsonl") == QUERIES


def test_without_queries_the_file_stays_and_the_run_fails(project: pytest.Pytester) -> None:
    (project.path / "queries.jsonl").write_text("earlier")
    done = record(project, "queries.jsonl", "-k", "end")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert (project.path / "queries.jsonl").read_text() == "earlier"
    done.stdout.fnmatch_lines(
        [
            "no queries were recorded, so queries.jsonl was not written",
            "listened to: *SQLAlchemy *; not imported by the tests: *asyncpg*",
            "* sent, but no query by code of the application: *",
        ]
    )


def test_a_file_that_cannot_be_written_is_an_error(project: pytest.Pytester) -> None:
    done = record(project, ".")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --migsafe-record: *: cannot be written: is a directory"])


def test_without_pytest_the_code_in_a_block_is_recorded(quick_project: pytest.Pytester) -> None:
    code = """
from migsafe import record

with record("queries.jsonl"):
    import shop

    shop.create()
    shop.add("tea")
    shop.find("tea")
shop.send("SELECT 1")
"""
    assert quick_project.runpython(quick_project.makepyfile(script=code)).ret == 0
    assert [text for text, _, _ in recorded(quick_project.path / "queries.jsonl")] == [text for text, _, _ in QUERIES]
