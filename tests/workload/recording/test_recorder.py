"""Which call site a statement has, and how often a request sends it."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import pytest

from migsafe.workload.document import read_document
from migsafe.workload.query import CallSite
from migsafe.workload.recording.journal import Journal, Recording
from migsafe.workload.recording.recorder import Recorder
from migsafe.workload.recording.scopes import MIGRATING, REQUEST, Scope

SQL = "SELECT id FROM items WHERE sku = %s"
LIBRARIES = "/venv/lib/python3/site-packages"


class Lab:
    """A recorder, and functions that seem to come from files of a project, of its tests, and of libraries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "queries.jsonl"
        self.recording = Recording(self.file)
        journal = Journal()
        journal.open(self.file)
        self.recorder = Recorder(folder, journal)
        self.recorder.start_test()

    def send(self, *, driver: bool = True, sql: str = SQL) -> None:
        self.recorder.statement(sql, "pyformat", sys._getframe(1), driver=driver)

    def function(self, path: str, source: str, **names: Any) -> FunctionType:
        """Returns the function `f` of a file: the path is in the project, or begins with LIBRARIES."""
        values: dict[str, Any] = {"send": self.send, **names}
        exec(compile(source, path if path.startswith("/") else str(self.folder / path), "exec"), values)
        return values["f"]

    def places(self) -> list[CallSite]:
        self.recorder.report()
        return [place for query in read_document(str(self.file)) for place in query.places]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def request_scope() -> Iterator[Scope]:
    token = REQUEST.set(scope := Scope())
    yield scope
    REQUEST.reset(token)


CALL = "def f(*a): g(*a)"


@pytest.mark.usefixtures("request_scope")
def test_the_call_site_is_the_application_s_innermost_line(lab: Lab) -> None:
    driver = lab.function(f"{LIBRARIES}/psycopg/cursor.py", "def f(): send()")
    query = lab.function("shop/orders.py", "def f():\n    [g() for _ in range(3)]", g=driver)
    lab.function("shop/views.py", CALL, g=query)()
    assert lab.places() == [CallSite(path="shop/orders.py", line=2, name="f", calls=3, per_request=3)]


@pytest.mark.usefixtures("request_scope")
def test_generated_code_has_no_place(lab: Lab) -> None:
    template = lab.function("shop/templates/order.html", "def f(): send()")
    generated = lab.function("<attrs generated init>", CALL, g=template)
    lab.function("shop/views.py", CALL, g=generated)()
    assert [place.path for place in lab.places()] == ["shop/views.py"]


@pytest.mark.usefixtures("request_scope")
def test_a_context_manager_sends_for_the_code_in_its_block(lab: Lab) -> None:
    source = "import contextlib\n@contextlib.contextmanager\ndef f():\n    yield\n    send()"
    manager = lab.function("shop/database.py", source)
    lab.function("shop/views.py", "def f():\n    with g(): pass", g=manager)()
    assert [(place.path, place.line) for place in lab.places()] == [("shop/views.py", 2)]


@pytest.mark.usefixtures("request_scope")
def test_what_sqlalchemy_sends_is_not_counted_for_its_driver_again(lab: Lab) -> None:
    below = lab.function(f"{LIBRARIES}/sqlalchemy/engine/default.py", "def f():\n    send(driver=False)\n    send()")
    lab.function("shop/views.py", CALL, g=below)()
    assert [place.calls for place in lab.places()] == [1]


@pytest.mark.usefixtures("request_scope")
def test_sqlalchemy_s_driver_may_get_another_text_and_the_application_may_send_the_same_text_to_it(lab: Lab) -> None:
    below = lab.function(f"{LIBRARIES}/sqlalchemy/engine/default.py", "def f():\n    send(driver=False)\n    send(sql='SELECT 1')\n    send()")
    lab.function("shop/views.py", CALL, g=below)()
    lab.function("shop/reports.py", "def f(): send()")()
    assert [(place.path, place.calls) for place in lab.places()] == [("shop/reports.py", 1), ("shop/views.py", 1)]


@pytest.mark.usefixtures("request_scope")
def test_the_test_s_own_statements_are_left_out_while_a_request_runs(lab: Lab) -> None:
    lab.function("tests/test_orders.py", "def f(): send()")()
    lab.function("conftest.py", "def f(): send()")()
    assert lab.places() == []


def test_a_statement_of_a_library_has_the_handler_s_place(lab: Lab, request_scope: Scope) -> None:
    handler = lab.function("shop/views.py", "\n\ndef f(): pass")
    request_scope.endpoint = lambda: handler.__code__
    router = lab.function(f"{LIBRARIES}/fastapi/routing.py", "def f(): send()")
    lab.function("shop/middleware.py", CALL, g=router)()
    sessions = lab.function(f"{LIBRARIES}/django/contrib/sessions/backends/db.py", "def f(): send()")
    lab.function(f"{LIBRARIES}/django/core/handlers/base.py", CALL, g=sessions)()
    found = [(place.path, place.line) for place in lab.places()]
    assert found == [("django/contrib/sessions/backends/db.py", 1), ("shop/views.py", 3)]


def test_outside_a_request_each_call_by_the_test_counts_apart(lab: Lab) -> None:
    twice = lab.function("shop/orders.py", "def f():\n    for _ in range(2): send()")
    test = lab.function("tests/test_orders.py", "def f():\n    g()\n    g()\n    for _ in range(9): g()", g=twice)
    test()
    assert [(place.calls, place.per_request) for place in lab.places()] == [(22, 2)]


def test_to_wait_for_a_coroutine_is_no_loop(lab: Lab) -> None:
    twice = lab.function("shop/orders.py", "async def f():\n    for _ in range(2): send()")
    asyncio.run(lab.function("tests/test_orders.py", "async def f(): await g()", g=twice)())
    assert [(place.calls, place.per_request) for place in lab.places()] == [(2, 2)]


def test_without_a_test_nothing_is_known_to_be_repeated(lab: Lab) -> None:
    lab.function("shop/worker.py", "def f():\n    for _ in range(9): send()")()
    assert [(place.calls, place.per_request) for place in lab.places()] == [(9, 1)]


def test_what_a_test_sends_itself_and_what_a_migration_sends_is_left_out(lab: Lab) -> None:
    lab.function("tests/test_orders.py", "def f(): send()")()
    token = MIGRATING.set(True)
    lab.function("migrations/0001_orders.py", "def f(): send()")()
    MIGRATING.reset(token)
    assert lab.places() == []


def test_requests_are_counted_apart(lab: Lab) -> None:
    view = lab.function("shop/views.py", "def f(times):\n    for _ in range(times): send()")
    for times in (2, 5, 3):
        token = REQUEST.set(Scope())
        view(times)
        REQUEST.reset(token)
    assert [(place.calls, place.per_request) for place in lab.places()] == [(10, 5)]


@pytest.mark.usefixtures("request_scope")
def test_a_file_can_be_read_before_the_end_and_is_sorted_at_the_end(lab: Lab) -> None:
    first = lab.function("shop/views.py", "def f(sql): send(sql=sql)")
    for sql in ("SELECT 2 FROM items", "SELECT 1 FROM customers"):
        first(sql)
    written = lab.file.read_bytes()
    assert b"items" in written
    assert b"customers" in written
    for _ in range(122):
        first("SELECT 3 FROM items")
    lab.recorder.report()
    queries = lab.recording.finish()
    assert [(query.text, query.calls) for query in queries] == [("SELECT $1 FROM customers", 1), ("SELECT $1 FROM items", 100)]
    assert lab.file.read_text().count("\n") == 3


def test_the_walk_needs_no_frame(lab: Lab) -> None:
    nothing: FrameType | None = None
    send: Callable[..., None] = lab.recorder.statement
    send(SQL, "pyformat", nothing)
    assert lab.places() == []


def test_a_file_that_defines_tests_is_one_of_the_tests_under_any_name(lab: Lab) -> None:
    lab.function("shop/base.py", "from unittest import TestCase\ndef f(): send()")()
    lab.function("shop/steps.py", "import pytest\ndef f(): send()")()
    assert lab.places() == []
