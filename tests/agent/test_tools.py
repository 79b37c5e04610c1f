"""The tools of `migsafe mcp`, called by the client of the mcp package: results, sizes, errors."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from migsafe.agent.sizes import SQL_CHARACTERS
from migsafe.agent.tools import TOOLS
from migsafe.agent.workspace import Workspace
from tests.support.servers import any_installation

if TYPE_CHECKING:
    import mcp_types as types
    from mcp import Client

ORDERS = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n"
INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\nDROP TABLE orders;\n"
QUERIES = "-- name: Find :many\nSELECT id FROM orders WHERE note = $1;\n-- name: Gone :many\nSELECT id FROM carts;\n"
CONFIGURATION = 'migrations = ["migrations"]\nqueries = ["queries.sql"]\n'

Call = Callable[..., "types.CallToolResult"]


def connect(workspace: Workspace, use: Callable[["Client"], Any]) -> Any:
    """Returns what a session with a server returns."""
    # Only a process that runs these tests loads the package.
    import anyio  # noqa: PLC0415
    from mcp import Client  # noqa: PLC0415

    from migsafe.agent.server import make_server  # noqa: PLC0415

    async def session() -> Any:
        async with Client(make_server(workspace)) as client:
            return await use(client)

    return anyio.run(session)


def text_of(result: "types.CallToolResult") -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Returns a project with two migrations and two queries; it is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    for name, text in (
        ("migrations/1_orders.sql", ORDERS),
        ("migrations/2_notes.sql", INDEX),
        ("queries.sql", QUERIES),
        ("migsafe.toml", CONFIGURATION),
    ):
        (tmp_path / name).write_text(text)
    return Workspace(folder=tmp_path)


@pytest.fixture
def call(workspace: Workspace) -> Call:
    """Returns a function that calls a tool with its arguments."""
    return lambda tool, **arguments: connect(workspace, lambda client: client.call_tool(tool, arguments))


def test_each_tool_says_what_it_takes_and_returns(workspace: Workspace) -> None:
    tools = connect(workspace, lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} == {"lint", "locks", "explain", "fix", "replay", "queries", "premortem"}
    for tool in tools:
        assert (tool.input_schema["type"], tool.output_schema["type"]) == ("object", "object")
        # Some clients run tools that only read without asking; a script of Alembic may do anything.
        assert tool.annotations.read_only_hint is False
    careful = connect(replace(workspace, no_exec=True), lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} - {tool.name for tool in careful} == {"replay"}
    assert all(tool.annotations.read_only_hint for tool in careful)


def test_lint_returns_findings_page_by_page(call: Call) -> None:
    result = call("lint", paths=["migrations/2_notes.sql"], limit=1)
    assert result.structured_content["passed"] is False
    [worst] = result.structured_content["findings"]
    assert (worst["severity"], worst["path"]) == ("error", "migrations/2_notes.sql")
    left_out = result.structured_content["left_out"]
    assert left_out > 0
    assert f"{left_out} more findings: call the tool again with offset=1." in text_of(result)
    rest = call("lint", paths="migrations/2_notes.sql", offset=1)  # some clients write a list of one as a string
    assert len(rest.structured_content["findings"]) == left_out
    rules = {finding["rule"] for finding in (worst, *rest.structured_content["findings"])}
    assert rules >= {"index-not-concurrent", "query-breaks"}
    assert "CREATE INDEX CONCURRENTLY orders_note_idx" in text_of(result) + text_of(rest)


def test_sql_can_be_text(call: Call) -> None:
    linted = call("lint", sql="CREATE INDEX ON orders (note)", rules=["index-not-concurrent"])
    assert [(finding["path"], finding["line"]) for finding in linted.structured_content["findings"]] == [("-", 1)]
    [statement] = call("locks", sql="ALTER TABLE orders ADD note text").structured_content["statements"]
    assert [(effect["lock"], effect["blocks"]) for effect in statement["effects"]] == [("ACCESS EXCLUSIVE", ["reads", "writes"])]


def test_explain_returns_a_page(call: Call) -> None:
    [rule] = call("explain", rules=["drop-table"]).structured_content["rules"]
    assert rule["on"]
    assert rule["page"].startswith("# drop-table\n")


def test_queries_can_be_those_with_a_problem(call: Call, workspace: Workspace) -> None:
    (workspace.folder / "migrations/2_notes.sql").unlink()
    assert call("queries").structured_content["total"] == 2
    found = call("queries", only_problems=True).structured_content["queries"]
    failures = {query["name"]: (query["failure"], query["without_index"]) for query in found}
    assert failures == {"Find": ("", ["public.orders"]), "Gone": ('relation "carts" does not exist', [])}


def test_premortem_tells_the_gate_and_the_order(call: Call) -> None:
    result = call("premortem", paths=["migrations/2_notes.sql"])
    assert result.structured_content["gate_open"]
    assert [step["phase"] for step in result.structured_content["rollout"]] == ["expand", "contract"]
    [migration] = result.structured_content["migrations"]
    assert migration["rollback"]["manner"] == "by hand"
    assert "gate: open, because the configuration has no budgets" in text_of(result)


def test_fix_writes_only_with_permission_and_on_request(call: Call, workspace: Workspace) -> None:
    file = workspace.folder / "migrations/2_notes.sql"
    file.write_text("ALTER TABLE orders ADD qty int;\n")
    before = file.read_text()
    arguments = {"paths": ["migrations/2_notes.sql"], "rules": ["lock-timeout-missing"]}
    [finding] = [each for each in call("lint", **arguments).structured_content["findings"] if each["fix"] == "safe"]
    assert finding["rule"] == "lock-timeout-missing"
    shown = call("fix", **arguments)
    assert "+SET lock_timeout" in shown.structured_content["diff"]
    assert "nothing is written" in text_of(shown)
    refused = call("fix", **arguments, write=True)
    assert text_of(refused).startswith("fix: this server writes no files\n")
    permitted = replace(workspace, allow_writes=True)
    assert connect(permitted, lambda client: client.call_tool("fix", arguments)).structured_content["written"] is False
    assert file.read_text() == before
    written = connect(permitted, lambda client: client.call_tool("fix", {**arguments, "write": True})).structured_content
    assert (written["written"], written["files"], written["diff"]) == (True, [{"path": "migrations/2_notes.sql", "new": False}], "")
    assert file.read_text().startswith("SET lock_timeout")
    whole = call("fix")
    assert "it is not known which migrations are new" in text_of(whole)
    file.write_text("ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0);\n")
    divided = call("fix", paths=["migrations/2_notes.sql"], rules=["check-validates"], unsafe=True)
    [note] = divided.structured_content["notes"]
    assert note.startswith("a new migration is for statements that must run in a later transaction")
    assert note in text_of(divided)


@pytest.mark.server
def test_fix_tells_what_a_server_did_not_prove(workspace: Workspace) -> None:
    (workspace.folder / "migrations/2_notes.sql").write_text("ALTER TABLE orders ADD CONSTRAINT none CHECK (id < 0);\n")
    arguments = {"paths": ["migrations/2_notes.sql"], "rules": ["check-validates"], "unsafe": True, "prove": True}
    result = connect(workspace, lambda client: client.call_tool("fix", arguments))
    assert result.structured_content["proved_on"].startswith("PostgreSQL "), text_of(result)
    rows, locks, *_ = result.structured_content["not_proved"]
    assert rows == "the rows at the end are not compared, because generated rows are rejected"
    assert locks.startswith("how long public.orders would be locked is not proved")
    assert rows in text_of(result)


@pytest.mark.server
def test_replay_measures_and_shows_its_progress(workspace: Workspace) -> None:
    assert any_installation()
    (workspace.folder / "migsafe.toml").unlink()
    steps: list[str] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append(message or "")

    arguments = {"paths": ["migrations/2_notes.sql"], "rows": 10, "experiments": False}
    result = connect(workspace, lambda client: client.call_tool("replay", arguments, progress_callback=on_progress))
    assert result.structured_content["passed"], text_of(result)
    [migration] = result.structured_content["migrations"]
    locks = {lock["lock"] for statement in migration["statements"] for lock in statement["locks"]}
    assert locks == {"SHARE", "ACCESS EXCLUSIVE"}
    assert "replaying migrations/2_notes.sql" in steps


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("lint", {"path": ["migrations"]}, "lint: unknown argument path\n  Did you mean paths?"),
        ("lint", {"limit": 0}, "lint: Expected `int` >= 1 - at `$.limit`\n"),
        ("lint", {"paths": ["-"]}, "-: a tool has no standard input\n  Pass SQL as text"),
        ("lint", {"paths": ["nowhere.sql"]}, "nowhere.sql: there is no such file or folder\n"),
        ("locks", {"sql": "x" * (SQL_CHARACTERS + 1)}, "sql: 100,001 characters are more than the 100,000 that a call may contain\n"),
        ("explain", {"rules": ["drop-tabel"]}, "there is no rule drop-tabel\n  Did you mean drop-table?"),
        ("lnit", {}, "there is no tool lnit\n  Did you mean lint?"),
    ],
)
def test_errors_say_what_to_do(call: Call, tool: str, arguments: dict[str, Any], message: str) -> None:
    result = call(tool, **arguments)
    assert result.is_error
    assert text_of(result).startswith(message)


def test_an_internal_error_is_reported_without_a_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(TOOLS, "lint", replace(TOOLS["lint"], run=fail))
    result = call("lint")
    assert result.is_error
    assert text_of(result).startswith("internal error: ZeroDivisionError: division by zero\n  This is a bug in migsafe.")
