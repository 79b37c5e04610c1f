"""The command `migsafe mcp` as a client starts it, and its page."""

import re
import sys
from pathlib import Path

import pytest
from msgspec.structs import fields

from migsafe.agent.tools import TOOLS
from migsafe.cli import main
from migsafe.setup.texts import agents

ROOT = Path(__file__).parents[2]


@pytest.mark.process
def test_a_client_starts_the_command(tmp_path: Path) -> None:
    import anyio  # noqa: PLC0415  # as in test_tools
    from mcp import Client, StdioServerParameters  # noqa: PLC0415

    (tmp_path / "1_orders.sql").write_text("DROP TABLE orders;\n")
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "migsafe", "mcp", "--folder", str(tmp_path)], env={"PYTHONPATH": str(ROOT)}
    )

    async def session() -> tuple[str, bool]:
        async with Client(command, mode="legacy") as client:
            result = await client.call_tool("lint", {"paths": ["1_orders.sql"]})
            return client.server_info.name, result.structured_content["passed"]

    assert anyio.run(session) == ("migsafe", False)


def test_without_the_package_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp"]) == 2
    assert "pip install 'migsafe-cli[agent]'" in capsys.readouterr().err


def test_a_missing_folder_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--folder", "nowhere"]) == 2
    assert "--folder: nowhere: no such file or directory" in capsys.readouterr().err


def test_the_page_names_each_tool_and_the_section() -> None:
    page = (ROOT / "docs" / "agents.md").read_text()
    for tool in TOOLS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{tool.name}` |"))
        assert set(re.findall(r"`(\w+)`", row.split("|")[3])) == {field.name for field in fields(tool.arguments)}
    assert agents() in page
