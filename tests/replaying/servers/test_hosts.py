"""Existing servers, copies and thin clones: what migsafe creates there is dropped, and everything else stays unchanged."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from migsafe.errors import ConfigError, MigsafeError
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.servers import physical_copy, selection, work_folders
from migsafe.replaying.servers.database_lab import DatabaseLabHost
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.installations import Installation, inspect_installation
from migsafe.replaying.servers.physical_copy import PhysicalCopyHost
from migsafe.replaying.servers.selection import ServerOptions, choose_host
from migsafe.replaying.servers.server import Server
from tests.support.queries import split_queries
from tests.support.replays import replay_files
from tests.support.servers import FOUND, any_installation

pytestmark = pytest.mark.server

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT n, 'n' FROM generate_series(1, 300) AS n;"
INDEX = {"0001.sql": "CREATE INDEX ON orders (note);"}
LINES = (
    "CREATE TABLE lines (id int PRIMARY KEY, sku int, a int); INSERT INTO lines SELECT n, n FROM generate_series(1, 60000) AS n; ANALYZE lines;"
)
QUERIES = """
-- running queries: v1.sql
-- name: old
SELECT a FROM lines WHERE id = $1;
-- name: write
INSERT INTO lines (id, sku) VALUES ($1, $2);
-- new queries: v2.sql
-- name: by_sku
SELECT id FROM lines WHERE sku = $1;
"""
PROGRAM = {"0001.sql": "COPY orders (note) FROM PROGRAM 'echo 1';"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(any_installation()) as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN CREATEDB")
            connection.execute("CREATE DATABASE restored OWNER app")
            connection.execute("CREATE DATABASE ours_not")
        with server.connect("restored", user="app") as connection:
            connection.execute(TABLE)
        with server.connect("ours_not") as connection:
            connection.execute(TABLE)
        yield server


def dsn(server: Server, database: str = "postgres", user: str = "postgres") -> str:
    return f"host={server.folder} port=5432 user={user} dbname={database}"


def there(server: Server) -> tuple[set[str], set[str]]:
    """Returns the databases and roles of a server."""
    with server.connect() as connection:
        databases = connection.execute("SELECT datname FROM pg_database").fetchall()
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'").fetchall()
    return {name for (name,) in databases}, {name for (name,) in roles}


@pytest.mark.parametrize("user", ["postgres", "app"])
def test_created_databases_are_dropped(server: Server, tmp_path: Path, user: str) -> None:
    before = there(server)
    with ExistingHost(dsn(server, user=user)) as host:
        done = replay_files(host, tmp_path, {"0001.sql": TABLE, "0002.sql": INDEX["0001.sql"]}, "rerun", "crash", "agreement", only="0002.sql")
        during = there(server)
    assert done.problems == []
    assert done.recording.failure is None
    assert (during[0] - before[0], there(server)) == (set(), before)


@pytest.mark.parametrize(("template", "user"), [("restored", "postgres"), ("ours_not", "postgres"), ("restored", "app")])
def test_a_copy_of_a_restored_database(server: Server, tmp_path: Path, template: str, user: str) -> None:
    before = there(server)
    with ExistingHost(dsn(server, user=user), template=template) as host:
        done = replay_files(host, tmp_path, INDEX, "agreement", rows=None)
        assert replay_files(host, tmp_path, PROGRAM, rows=None).recording.failure is not None
    [touch] = done.statements[0].measured_effects
    assert touch.rows == 300
    assert there(server) == before
    with server.connect(template) as connection:
        assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'").fetchone() == (1,)


def test_in_place_needs_the_database_s_name_and_no_superuser(server: Server, tmp_path: Path) -> None:
    for wrong, message in (
        (ExistingHost(dsn(server, "restored", "app"), in_place="postgres"), "the connection string names the database restored"),
        (ExistingHost(dsn(server, "restored"), in_place="restored"), "could run programs on the server"),
    ):
        with pytest.raises(ConfigError, match=message), wrong:
            pass
    with ExistingHost(dsn(server, "restored", "app"), in_place="restored") as host:
        done = replay_files(host, tmp_path, INDEX, "rerun", "agreement", rows=200)
    assert done.outcome("rerun").passed is None
    with server.connect("restored") as connection:
        assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (300,)
        connection.execute("DROP INDEX orders_note_idx")


def test_in_place_is_refused_while_other_clients_are_connected(server: Server) -> None:
    named = ExistingHost(dsn(server, "restored", "app"), in_place="restored")
    with server.connect("restored"), pytest.raises(MigsafeError, match=r"other clients? connected"), named:
        pass


def test_databases_of_dead_runs_are_dropped_and_those_of_live_runs_kept(server: Server) -> None:
    before = there(server)
    dead, alive = "migsafe_1_0badcafe_", "migsafe_2_cafe0bad_"
    with server.connect() as admin, server.connect("restored") as other:
        other.execute(f"SET application_name = 'migsafe {alive.strip('_')}'")
        for run in (dead, alive):
            admin.execute(f"CREATE ROLE {run}owner".encode())
            admin.execute(f"CREATE DATABASE {run}migsafe_1 OWNER {run}owner".encode())
        with ExistingHost(dsn(server)):
            pass
        now = there(server)
        assert (now[0] - before[0], now[1] - before[1]) == ({f"{alive}migsafe_1"}, {f"{alive}owner"})
        admin.execute(f"DROP DATABASE {alive}migsafe_1".encode())
        admin.execute(f"DROP ROLE {alive}owner".encode())


def test_databases_that_only_look_like_those_of_a_run_are_kept(server: Server) -> None:
    names = ["migsafe_prod_x", "migsafe_1_0badcafe", "migsafe_2024_backup_owner"]
    with server.connect() as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
        admin.execute("CREATE ROLE migsafe_team_owner")
        with ExistingHost(dsn(server)) as host:
            assert host.notes == []
        assert {*names} <= there(server)[0]
        assert "migsafe_team_owner" in there(server)[1]
        for name in names:
            admin.execute(f"DROP DATABASE {name}".encode())
        admin.execute("DROP ROLE migsafe_team_owner")


def test_what_a_role_may_not_remove_is_named_with_the_commands(server: Server) -> None:
    with server.connect() as admin:
        admin.execute("CREATE ROLE migsafe_1_0badcafe_owner")
        admin.execute("CREATE DATABASE migsafe_1_0badcafe_migsafe_1 OWNER migsafe_1_0badcafe_owner")
        with ExistingHost(dsn(server, user="app")) as host:
            pass
        [note] = host.notes
        assert "must be owner of database migsafe_1_0badcafe_migsafe_1" in note
        for command in note.splitlines()[2:]:
            for statement in command.split(";")[:-1]:
                admin.execute(statement.encode())
        assert not any(name.startswith("migsafe_1_") for names in there(server) for name in names)


def test_roles_that_migrations_create_are_dropped(server: Server, tmp_path: Path) -> None:
    if server.installation.major < 16:
        pytest.skip("before PostgreSQL 16, migrations cannot create roles")
    before = there(server)
    text = "CREATE ROLE reader; CREATE TABLE read (id int); GRANT SELECT ON read TO reader; CREATE ROLE writer; GRANT reader TO writer;"
    with ExistingHost(dsn(server)) as host:
        assert replay_files(host, tmp_path, {"0001.sql": text}, rows=None).recording.failure is None
    assert there(server) == before
    assert host.notes == []


def test_a_stopped_server_leaves_a_note(tmp_path: Path) -> None:
    with Server(any_installation()) as server:
        with ExistingHost(dsn(server)) as host:
            host.create_database("d")
            server.stop()
        [note] = host.notes
    assert "this run could not remove what it has created" in note
    assert "DROP DATABASE IF EXISTS migsafe_" in note


def test_an_unreachable_server(tmp_path: Path) -> None:
    with pytest.raises(MigsafeError, match="cannot connect"), ExistingHost(f"host={tmp_path} port=1 dbname=x"):
        pass


def test_contradictory_options_are_errors() -> None:
    for options in (
        ServerOptions(server="host=x", copy_of="host=y"),
        ServerOptions(template="restored"),
        ServerOptions(server="host=x", template="a", in_place="b"),
        ServerOptions(server="dblab:https://lab.example.com", in_place="b"),
    ):
        with pytest.raises(ConfigError):
            choose_host(options)


def test_a_private_server_has_the_version_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = Installation(major=15, version="15.1", bindir=Path("/15"))
    embedded = [Installation(major=major, version=f"{major}.1", bindir=Path(f"/{major}"), embedded=True) for major in (16, 17)]
    monkeypatch.setattr(selection, "find_installations", lambda: (packaged, *embedded))
    expected = {
        (16, None): ("16.1", []),
        (16, "15"): ("15.1", []),
        # The default is not worth a server without the contrib extensions.
        (17, None): ("15.1", []),
        (18, None): ("15.1", ["pg-version is 18, which is not installed on this machine: the private server is PostgreSQL 15.1 (/15)."]),
    }
    for (usual, named), (version, notes) in expected.items():
        host = choose_host(ServerOptions(pg_version=named), usual)
        assert (host.title, host.notes) == (f"PostgreSQL {version}, a private server", notes)


@pytest.fixture(scope="module")
def source() -> Iterator[Server]:
    """A server that can be copied: its installation has pg_basebackup."""
    able = [installation for installation in FOUND if (installation.bindir / "pg_basebackup").exists()]
    if not able:
        pytest.skip("no pg_basebackup on this machine")
    with Server(able[-1], {"max_wal_senders": "4", "full_page_writes": "on"}) as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN")
            connection.execute("CREATE DATABASE shop OWNER app")
        with server.connect("shop") as connection:
            connection.execute(TABLE)
        yield server


def test_a_physical_copy(source: Server, tmp_path: Path) -> None:
    before = there(source)
    with PhysicalCopyHost(dsn(source, "shop"), [inspect_installation(source.installation.bindir)]) as host:
        done = replay_files(host, tmp_path, INDEX, "rerun", "agreement", rows=None)
        assert replay_files(host, tmp_path, PROGRAM, rows=None).recording.failure is not None
        with host.connect("shop") as connection:
            settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    [touch] = done.statements[0].measured_effects
    assert (touch.rows, touch.effect.scan) == (300, True)
    assert (settings["listen_addresses"], settings["ssl"], settings["archive_mode"]) == ("", "off", "off")
    assert there(source) == before
    with source.connect("shop") as connection:
        assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'").fetchone() == (1,)


def test_a_copy_for_which_there_is_no_room(source: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(physical_copy, "_SIZE", "SELECT 1::bigint << 60")
    monkeypatch.setattr(work_folders, "_folders_by_process", [])
    copy = PhysicalCopyHost(dsn(source, "shop"), [inspect_installation(source.installation.bindir)])
    with pytest.raises(MigsafeError, match="no folder has room for the server's data") as raised, copy:
        pass
    assert "TMPDIR" in raised.value.hint


def test_a_password_is_no_argument_of_a_program() -> None:
    words, environment = physical_copy._without_password("postgresql://app:secret@host/shop?sslmode=require")
    assert "secret" not in words
    assert "sslmode=require" in words
    assert environment["PGPASSWORD"] == "secret"


def test_a_standby_is_copied_but_not_changed(source: Server, tmp_path: Path) -> None:
    with standby_of(source) as standby:
        with pytest.raises(MigsafeError, match="in recovery"), ExistingHost(dsn(standby, "shop")):
            pass
        with PhysicalCopyHost(dsn(standby, "shop"), [inspect_installation(source.installation.bindir)]) as host:
            done = replay_files(host, tmp_path, INDEX, rows=None)
        assert done.recording.failure is None


@contextmanager
def standby_of(source: Server) -> Iterator[Server]:
    import subprocess  # noqa: PLC0415

    from migsafe.replaying.servers.work_folders import work_folders  # noqa: PLC0415

    def copy(folder: Path) -> None:
        program = source.installation.bindir / "pg_basebackup"
        work_folders().account.run([program, "-d", dsn(source), "-D", folder, "-R", "-X", "stream", "-c", "fast"], folder.parent)
        (folder / "migsafe_hba.conf").write_text("local all all trust\nlocal replication all trust\n")
        subprocess.run(["chmod", "0644", folder / "migsafe_hba.conf"], check=True)

    with Server(source.installation, {"hot_standby": "on", "max_wal_senders": "4"}, data=copy) as standby:
        yield standby


class Engine(BaseHTTPRequestHandler):
    """The part of a Database Lab Engine's API that is used: a clone is creating at first, then there; its token must be right."""

    server_and_database: ClassVar[Any] = None
    clones: ClassVar[dict[str, dict[str, Any]]] = {}
    asked: ClassVar[list[str]] = []
    fatal: ClassVar[bool] = False

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append("POST")
        if self.path != "/clone":
            self._answer(404, {})
            return
        if self._refused():
            return
        server: Server = self.server_and_database
        user = wanted["db"]
        with server.connect("restored") as connection:
            connection.execute(f"CREATE ROLE {user['username']} LOGIN PASSWORD '{user['password']}' IN ROLE app".encode())
        clone = {
            "id": wanted["id"],
            "protected": False,
            "status": {"code": "CREATING", "message": "Clone is being created."},
            "db": {"host": str(server.folder), "port": "5432", "username": user["username"], "dbName": user["db_name"], "connStr": ""},
        }
        self.clones[wanted["id"]] = clone
        self._answer(201, clone)

    def do_GET(self) -> None:
        self.asked.append("GET")
        clone = self.clones[self.path.rpartition("/")[2]]
        clone["status"] = {"code": "FATAL", "message": "no space"} if self.fatal else {"code": "OK", "message": "Clone is ready."}
        self._answer(200, clone)

    def do_DELETE(self) -> None:
        self.asked.append("DELETE")
        if self.clones.pop(self.path.rpartition("/")[2], None) is None:
            self._answer(404, {"code": "NOT_FOUND"})
            return
        with self.server_and_database.connect("restored") as connection:
            connection.execute("DROP OWNED BY migsafe; DROP ROLE migsafe")
        self._answer(200, {})

    def _refused(self) -> bool:
        if self.headers["Verification-Token"] == "right":
            return False
        self._answer(401, {"code": "UNAUTHORIZED", "message": "Check your verification token."})
        return True

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine(server: Server) -> Iterator[str]:
    Engine.server_and_database, Engine.fatal = server, False
    Engine.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Engine) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_thin_clone_is_requested_used_and_deleted(engine: str, server: Server, tmp_path: Path) -> None:
    with DatabaseLabHost(engine, "right", database="restored", pause=0.01) as host:
        done = replay_files(host, tmp_path, {"0001.sql": "ALTER TABLE orders ADD a int;"}, "rerun", "agreement", rows=None)
        assert len(Engine.clones) == 1
    assert done.problems == []
    assert done.recording.failure is None
    assert done.outcome("agreement").passed
    assert Engine.asked == ["POST", "GET", "DELETE"]
    assert Engine.clones == {}
    with server.connect("restored") as connection:
        connection.execute("ALTER TABLE orders DROP IF EXISTS a")


def test_a_clone_that_the_engine_has_deleted_does_not_remain(engine: str, server: Server) -> None:
    with DatabaseLabHost(engine, "right", database="restored", pause=0.01) as host:
        Engine.clones.clear()
    assert host.notes == []
    with server.connect("restored") as connection:
        connection.execute("DROP OWNED BY migsafe; DROP ROLE migsafe")


def test_an_engine_that_refuses_or_fails(engine: str) -> None:
    refused = DatabaseLabHost(engine, "wrong", database="restored", pause=0.01)
    with pytest.raises(MigsafeError, match="401"), refused:
        pass
    assert (refused.notes, Engine.asked) == ([], ["POST"])
    with pytest.raises(MigsafeError, match="404") as caught, DatabaseLabHost(f"{engine}/ui", "right", database="restored", pause=0.01):
        pass
    assert caught.value.hint == f"If this is the address of the engine's UI, its API is at {engine}/ui/api."
    Engine.fatal = True
    with pytest.raises(MigsafeError, match="no space"), DatabaseLabHost(engine, "right", database="restored", pause=0.01):
        pass
    assert Engine.asked[-1] == "DELETE"
    with pytest.raises(ConfigError, match="token"):
        DatabaseLabHost(engine, None)
    with pytest.raises(ConfigError, match="not an http or https URL"):
        DatabaseLabHost("lab", "right")
    with pytest.raises(MigsafeError, match="cannot be reached"), DatabaseLabHost("http://127.0.0.1:9", "right"):
        pass


@pytest.mark.parametrize("kind", ["template", "copy", "clone"])
def test_queries_are_tried_on_the_rows_that_are_there(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    here: Server = request.getfixturevalue("source" if kind == "copy" else "server")
    database = "shop" if kind == "copy" else "restored"
    host: Host
    if kind == "copy":
        host = PhysicalCopyHost(dsn(here, database), [inspect_installation(here.installation.bindir)])
    elif kind == "clone":
        host = DatabaseLabHost(request.getfixturevalue("engine"), "right", database=database, pause=0.01)
    else:
        host = ExistingHost(dsn(here, user="app"), template=database)
    queries = ProjectQueries(split_queries(QUERIES).workload)
    with here.connect(database, user="app") as connection:
        connection.execute(LINES)
    with host:
        done = replay_files(host, tmp_path, {"0001.sql": "ALTER TABLE lines DROP COLUMN a;"}, rows=None, queries=queries)
    with here.connect(database, user="app") as connection:
        connection.execute("DROP TABLE lines")
    assert done.problems == []
    results = done.replayed[0].queries
    assert results is not None
    assert [(broken.query.name, broken.failure.sqlstate) for broken in results.broken] == [("old", "42703")]
    assert [broken.query.name for broken in results.broken_writes] == []
    [indexes] = done.run.indexes
    assert [[query.query.name for query in missing.queries] for missing in indexes.missing] == [["by_sku"]]
