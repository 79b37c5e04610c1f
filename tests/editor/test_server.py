"""The language server, as an editor talks to it: one process for all tests, each with documents of its own."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.language_client import LanguageClient, Message

pytestmark = pytest.mark.process

CAPABILITIES = {
    "workspace": {"workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]}},
    "window": {"workDoneProgress": True},
}
ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nINSERT INTO orders VALUES (1);\n"
INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n"
STATISTICS = '{"version": 1, "relations": {"public.orders": 1200000}}\n'
SCRIPT = """from alembic import op

revision = "b"
down_revision = "a"


def upgrade():
    op.execute("SET lock_timeout = '2s'")
    if True:
        op.create_index("orders_note_idx", "orders", ["note"])


def downgrade():
    op.drop_index("orders_note_idx")
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageClient]:
    root = tmp_path_factory.mktemp("a project ü")
    (root / "sql").mkdir()
    (root / "sql" / "1_orders.sql").write_text(ORDERS)
    (root / "sql" / "2_index.sql").write_text("")
    (root / "sql" / "migsafe.toml").write_text('stats = "stats.json"\nignore = ["not-rerunnable", "drop-column"]\n')
    (root / "sql" / "stats.json").write_text(STATISTICS)
    (root / "versions").mkdir()
    first = SCRIPT.partition("def ")[0].replace('"a"', "None").replace('"b"', '"a"')
    (root / "versions" / "a.py").write_text(f"{first}def upgrade():\n    op.execute({ORDERS!r})\n")
    (root / "versions" / "b.py").write_text(SCRIPT)
    with LanguageClient([sys.executable, "-m", "migsafe", "server", "--stdio"], root, CAPABILITIES) as client:
        yield client
        assert client.exit() == 0


def rules(diagnostics: list[Message]) -> list[str]:
    return [each.get("code", "") for each in diagnostics]


def hover(client: LanguageClient, path: str, line: int, character: int) -> str:
    result = client.request("textDocument/hover", client.at(path, line, character))
    return "" if result is None else str(result["contents"]["value"])


def actions(client: LanguageClient, path: str, line: int, title: str, diagnostics: list[Message]) -> list[Message]:
    found = client.request("textDocument/codeAction", {**client.range(path, line, line), "context": {"diagnostics": diagnostics}})
    return [each for each in found if each["title"].startswith(title)]


def applied(text: str, edit: Any) -> str:
    """Returns a text after the edit of one document."""
    [change] = edit["documentChanges"]
    lines = text.splitlines(keepends=True)
    for each in change["edits"]:
        start = each["range"]["start"]
        assert each["range"] == {"start": start, "end": start}
        lines.insert(start["line"], each["newText"])
    return "".join(lines)


def test_findings_appear_while_a_migration_is_typed(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    assert client.open(path, "") == []
    assert client.wait_for("$/progress")["value"] == {"kind": "begin", "title": "migsafe", "message": "reads the history"}
    assert client.wait_for("$/progress")["value"]["kind"] == "end"
    [finding] = client.change(path, f"/* 😀 */ {INDEX}")
    assert finding["code"] == "index-not-concurrent"
    assert finding["severity"] == 1
    assert finding["source"] == "migsafe"
    assert finding["codeDescription"]["href"].startswith("https://www.postgresql.org/docs/")
    assert finding["data"]["help"].startswith("CREATE INDEX CONCURRENTLY")
    assert finding["range"] == {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 45}}
    [finding] = client.change(path, "SET lock_timeout = '2s'; /* 😀 */ CREATE INDEX i\nON orders (note);\n")
    assert finding["range"] == {"start": {"line": 0, "character": 34}, "end": {"line": 0, "character": 48}}, "UTF-16, and the first line"
    assert client.change(path, "SELECT 1;\n") == []


def test_a_hover_shows_locks_rows_and_the_rule(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    client.change(path, INDEX + "ALTER TABLE orders ALTER note SET NOT NULL,\n  DROP COLUMN IF EXISTS old;\n")
    shown = hover(client, path, 1, 3)
    assert "- **SHARE** on `public.orders`: blocks writes; reads all of it: the index is built from every row; about 1,200,000 rows" in shown
    assert "**error** [`index-not-concurrent`](https://" in shown
    assert "```sql\nCREATE INDEX CONCURRENTLY" in shown
    assert "The build holds SHARE on the table" in shown
    part = hover(client, path, 3, 4)
    assert part.startswith(
        "This part of the statement:\n\n- **ACCESS EXCLUSIVE** on `public.orders`: blocks reads and writes; about 1,200,000 rows\n"
    )
    assert "The whole statement:" in part
    assert hover(client, path, 4, 0) == ""


def test_a_suppression_is_written_with_a_reason(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    diagnostics = client.change(path, INDEX)
    [action] = actions(client, path, 1, "Suppress", diagnostics)
    assert action["diagnostics"] == diagnostics
    text = applied(INDEX, action["edit"])
    assert "\n-- migsafe: ignore[index-not-concurrent] write here why this is safe\nCREATE INDEX" in text
    assert client.change(path, text) == []
    assert actions(client, path, 0, "Suppress", []) == []


def fixed(client: LanguageClient, action: Message) -> list[Message]:
    """Returns the changes of documents that the command of an action asks for."""
    client.request("workspace/executeCommand", action["command"])
    changes: list[Message] = client.wait_for("workspace/applyEdit")["edit"]["documentChanges"]
    return changes


def test_an_action_fixes_a_finding(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    diagnostics = client.change(path, f"{INDEX}SELECT 1;\n")
    [action] = actions(client, path, 1, "Fix index-not-concurrent (unsafe: a failed build leaves an INVALID index)", diagnostics)
    assert action["diagnostics"] == diagnostics
    [change] = fixed(client, action)
    assert change["textDocument"]["uri"] == client.uri(path)
    assert [each["range"]["start"] for each in change["edits"]] == [{"line": 1, "character": 0}]
    assert "CREATE INDEX CONCURRENTLY" in change["edits"][0]["newText"]


def test_a_fix_creates_the_next_migration(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    text = "SET lock_timeout = '2s';\nALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0);\n"
    [action] = actions(client, path, 1, "Fix check-validates", client.change(path, text))
    created, filled, edited = fixed(client, action)
    assert (created["kind"], created["uri"]) == ("create", filled["textDocument"]["uri"])
    assert created["uri"].rpartition("/")[2].startswith("3_")
    assert "VALIDATE CONSTRAINT positive" in filled["edits"][0]["newText"]
    assert "NOT VALID" in edited["edits"][0]["newText"]


def test_hints_show_the_strongest_lock_of_each_statement(client: LanguageClient) -> None:
    path = "sql/2_index.sql"
    client.change(path, INDEX)
    [hint] = client.request("textDocument/inlayHint", client.range(path, 0, 9))
    assert (hint["label"], hint["position"]) == ("SHARE orders", {"line": 1, "character": 46})
    client.notify("workspace/didChangeConfiguration", {"settings": {"migsafe": {"inlayHints": False}}})
    assert client.request("textDocument/inlayHint", client.range(path, 0, 9)) is None
    client.notify("workspace/didChangeConfiguration", {"settings": {"migsafe": {"inlayHints": True}}})


def test_a_script_is_judged_as_its_sql(client: LanguageClient) -> None:
    path = "versions/b.py"
    diagnostics = client.open(path, SCRIPT)
    assert rules(diagnostics) == ["index-not-concurrent"]
    assert diagnostics[0]["range"]["start"] == {"line": 9, "character": 8}
    shown = hover(client, path, 9, 20)
    assert "**SHARE** on `public.orders`" in shown
    assert "```python\nwith op.get_context().autocommit_block():" in shown
    [hint] = client.request("textDocument/inlayHint", client.range(path, 0, 99))
    assert hint["label"] == "SHARE orders"
    [action] = actions(client, path, 9, "Suppress", diagnostics)
    text = applied(SCRIPT, action["edit"])
    assert "\n        # migsafe: ignore[index-not-concurrent] write" in text
    assert client.change(path, text) == []
    query = SCRIPT.replace("if True:", "op.execute('''\n        DROP TABLE IF EXISTS orders\n        ''')\n    if True:")
    [dropped] = [each for each in client.change(path, query) if each["code"] == "drop-table"]
    assert dropped["range"]["start"]["line"] == 9
    [action] = actions(client, path, 9, "Suppress drop-table", [])
    assert "    # migsafe: ignore[drop-table] write here why this is safe\n    op.execute('''" in applied(query, action["edit"])
    assert "drop-table" not in rules(client.change(path, applied(query, action["edit"])))
    [problem] = client.change(path, SCRIPT.replace("if True:", "if True"))
    assert problem["range"]["start"]["line"] == 8
    assert problem["message"].startswith("This migration was not checked: is not Python")
    [finding] = client.change(path, SCRIPT.replace("revision =", "revi`sion =", 1).replace("down_revi`sion", "down_revision"))
    assert (finding["code"], finding["range"]["start"]["line"]) == ("opaque-code", 2), "its place in the history is still known"
    assert "Python does not compile the script" in hover(client, path, 2, 3)


def test_errors_are_told_once(client: LanguageClient) -> None:
    configuration = client.root / "sql" / "migsafe.toml"
    path = "sql/2_index.sql"
    before = configuration.read_text()
    configuration.write_text('stat = "stats.json"\n')
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": configuration.as_uri(), "type": 2}]})
    message = client.wait_for("window/showMessage")
    assert message["type"] == 1
    assert message["message"].endswith("migsafe.toml: stat: unknown key\n  Did you mean stats?")
    assert client.change(path, INDEX) == []
    assert hover(client, path, 1, 3) == ""
    configuration.write_text(before)
    client.notify("textDocument/didSave", {"textDocument": {"uri": client.uri(path)}})
    client.wait(
        lambda message: "diagnostics" in (params := message.get("params", {})) and rules(params["diagnostics"]) == ["index-not-concurrent"]
    )
    assert not [each for each in client.received if each.get("method") == "window/showMessage"]


def test_a_new_file_is_judged_before_it_is_saved(client: LanguageClient) -> None:
    assert "index-not-concurrent" in rules(client.open("sql/3_new.sql", "CREATE INDEX ON orders (id);\n"))
    # The migrations before it are known: 1_orders.sql creates the table.
    assert "statement-fails" in rules(client.change("sql/3_new.sql", "ALTER TABLE orders ADD COLUMN sku text NOT NULL;\n"))
    assert "ACCESS EXCLUSIVE" in hover(client, "sql/3_new.sql", 0, 3)
    (client.root / "sql" / "3_new.sql").write_text("CREATE INDEX ON orders (id);\n")
    assert "index-not-concurrent" in rules(client.change("sql/3_new.sql", "CREATE INDEX ON orders (id);\n"))
    (client.root / "sql" / "3_new.sql").unlink()


def test_files_that_are_no_migrations_get_nothing(client: LanguageClient) -> None:
    (client.root / "report.sql").write_text("")
    (client.root / "tool.py").write_text("")
    for path in ("report.sql", "tool.py", "nowhere/3_not_saved.sql"):
        assert client.open(path, "DROP TABLE orders;" if path.endswith("sql") else "revision = 1") == []
        assert hover(client, path, 0, 3) == ""
    client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("report.sql")}})
    # Editors show the committed version of a file beside its changes, with the path of the file and another scheme.
    for uri in ("untitled:Untitled-1", client.uri("sql/2_index.sql").replace("file:", "git:")):
        document = {"uri": uri, "languageId": "sql", "version": 1, "text": "DROP TABLE orders;"}
        client.notify("textDocument/didOpen", {"textDocument": document})
        asked = {"textDocument": {"uri": document["uri"]}, "range": client.range("x", 0, 0)["range"], "context": {"diagnostics": []}}
        assert client.request("textDocument/codeAction", asked) is None
