"""What the drivers and frameworks report, with classes in the place of theirs, and that everything is restored."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from migsafe.workload.recording import requests
from migsafe.workload.recording.drivers import asyncpg, django, psycopg2, psycopg3
from migsafe.workload.recording.listeners import Listeners
from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.scopes import MIGRATING, REQUEST


class Heard:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[Any] = []
        self.others: set[str] = set()

    def statement(self, text: Any, style: str, frame: Any, *, driver: bool = True) -> None:
        assert frame.f_code.co_filename == __file__
        self.texts.append(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def patches() -> Iterator[Patches]:
    patches = Patches()
    yield patches
    patches.undo()
    assert patches not in sys.meta_path


class Cursor:
    def __init__(self, connection: Any = None) -> None:
        self.connection = connection

    def execute(self, query: Any, values: Any = None) -> str:
        return "executed"

    executemany = stream = execute


class AsyncCursor(Cursor):
    async def execute(self, query: Any, values: Any = None) -> str:
        return "executed"

    async def executemany(self, query: Any, values: Any = None) -> str:
        return "executed"

    def stream(self, query: Any, values: Any = None) -> str:
        return "executed"


class Composed:
    def as_string(self, cursor: Any) -> str:
        return "SELECT composed"


def test_psycopg(heard: Heard, patches: Patches) -> None:
    class Server:
        def execute(self, query: Any) -> None: ...

    class AsyncServer:
        async def execute(self, query: Any) -> None: ...

    plain = Cursor.execute
    module = SimpleNamespace(Cursor=Cursor, AsyncCursor=AsyncCursor, ServerCursor=Server, AsyncServerCursor=AsyncServer)
    psycopg3.listen(module, patches, heard)  # type: ignore[arg-type]
    part = SimpleNamespace(value='a"b', format_spec="i")
    value = SimpleNamespace(value="secret", format_spec="")
    assert Cursor().execute("SELECT 1") == "executed"
    assert asyncio.run(AsyncCursor().execute(b"SELECT 2")) == "executed"
    Cursor().executemany(Composed(), [()])
    Cursor().execute(["SELECT ", part, " = ", value])
    assert heard.texts == ["SELECT 1", b"SELECT 2", "SELECT composed", 'SELECT "a""b" = %s']
    patches.undo()
    assert Cursor.execute is plain


def test_psycopg2_with_the_project_s_own_cursors(heard: Heard, patches: Patches) -> None:
    class Connection:
        cursor_factory = None

        def cursor(self, name: Any = None, cursor_factory: Callable[[Any], Any] = Cursor) -> Any:
            return cursor_factory(self)

    class Upper(Cursor):
        def execute(self, query: Any, values: Any = None) -> str:
            return super().execute(query, values).upper()

    def connect(dsn: Any, connection_factory: Any, cursor_factory: Any) -> Any:
        return connection_factory()

    class Named(Connection):
        cursor_factory = Upper

    module = ModuleType("psycopg2")
    module.__dict__.update(extensions=SimpleNamespace(connection=Connection, cursor=Cursor), connect=connect)
    psycopg2.listen(module, patches, heard)  # type: ignore[arg-type]
    module.connect("").cursor().execute("SELECT 1")
    assert module.connect("", connection_factory=Named).cursor().execute("SELECT 2") == "EXECUTED"
    assert module.connect("").cursor(cursor_factory=Upper).execute("SELECT 3") == "EXECUTED"
    assert isinstance(module.connect("", connection_factory=Named), Named)
    assert heard.texts == ["SELECT 1", "SELECT 2", "SELECT 3"]


def test_asyncpg_without_what_it_sends_for_itself(heard: Heard, patches: Patches) -> None:
    source = """
class Connection:
    async def execute(self, query): return "executed"
    async def reset(self): return await self.execute("RESET ALL")
    executemany = fetch = fetchval = fetchrow = cursor = execute
class PreparedStatement:
    _query = "SELECT 2"
    async def fetch(self): return "fetched"
    fetchval = fetchrow = cursor = fetch
"""
    names: dict[str, Any] = {"__name__": "asyncpg"}
    exec(compile(source, "/lib/asyncpg/connection.py", "exec"), names)
    module = SimpleNamespace(
        __file__="/lib/asyncpg/__init__.py",
        connection=SimpleNamespace(Connection=names["Connection"]),
        prepared_stmt=SimpleNamespace(PreparedStatement=names["PreparedStatement"]),
    )
    asyncpg.listen(module, patches, heard)  # type: ignore[arg-type]
    connection = names["Connection"]()
    assert asyncio.run(connection.execute("SELECT 1")) == "executed"
    assert asyncio.run(connection.reset()) == "executed"
    assert asyncio.run(names["PreparedStatement"]().fetch()) == "fetched"
    assert heard.texts == ["SELECT 1", "SELECT 2"]


def test_django_names_another_database(heard: Heard, patches: Patches) -> None:
    class CursorWrapper:
        db = SimpleNamespace(vendor="sqlite")

        def _execute(self, sql: Any, params: Any, *context: Any) -> str:
            return "executed"

        _executemany = _execute

    django.listen(SimpleNamespace(CursorWrapper=CursorWrapper), patches, heard)  # type: ignore[arg-type]
    assert CursorWrapper()._execute("SELECT 1", None) == "executed"
    assert (heard.texts, heard.others) == (["SELECT 1"], {"sqlite"})


def test_a_request_of_starlette_is_one_of_the_outer_application(patches: Patches) -> None:
    seen: list[Any] = []

    class Starlette:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(REQUEST.get())
            if inner := scope.pop("inner", None):
                await inner(scope, receive, send)

    requests.starlette(SimpleNamespace(Starlette=Starlette), patches)
    asyncio.run(Starlette()({"type": "http", "inner": Starlette()}, None, None))  # type: ignore[arg-type]
    asyncio.run(Starlette()({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    asyncio.run(Starlette()({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    outer, inner, socket, lifespan = seen
    assert outer is inner
    assert [outer.counted, socket.counted, lifespan] == [True, False, None]


def test_a_task_of_celery_is_a_request_and_a_migration_is_none(patches: Patches) -> None:
    class Signal(list[Any]):
        def connect(self, receiver: Any, weak: bool) -> None:
            self.append(receiver)

        disconnect = list.remove

    signals = SimpleNamespace(task_prerun=Signal(), task_postrun=Signal())
    requests.celery(signals, patches)
    signals.task_prerun[0](task_id="1")
    assert REQUEST.get() is not None
    signals.task_postrun[0](task_id="1")
    assert REQUEST.get() is None

    class MigrationContext:
        def run_migrations(self) -> bool:
            return MIGRATING.get()

    module = SimpleNamespace(__name__="alembic.runtime.migration", MigrationContext=MigrationContext)
    requests.without_migrations(module, patches)
    assert MigrationContext().run_migrations()
    assert not MIGRATING.get()


def test_an_unsupported_version_is_named(monkeypatch: pytest.MonkeyPatch, heard: Heard) -> None:
    module = ModuleType("psycopg")
    module.__dict__.update(__version__="4.0.1 (no cursors)")
    monkeypatch.setitem(sys.modules, "psycopg", module)
    listeners = Listeners(heard)  # type: ignore[arg-type]
    listeners.close()
    assert any(text.startswith("psycopg 4.0.1 is not supported (module 'psycopg' has no attribute 'Cursor'") for text in listeners.unsupported)
