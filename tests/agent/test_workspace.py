"""What a tool may read and run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from migsafe.agent.tools import TOOLS
from migsafe.agent.tools.lint import LintResult
from migsafe.agent.workspace import Workspace
from migsafe.errors import MigsafeError

ORDERS = "CREATE TABLE orders (id bigint);\n"
SCRIPT = """\
from pathlib import Path
from alembic import op
revision = "1"
down_revision = None
Path("{path}").write_text("")
def upgrade():
    op.execute("CREATE TABLE orders (id serial PRIMARY KEY)")
"""
RULE = """\
from pathlib import Path
from migsafe.linting.rule import Severity, rule
from migsafe.sql.operations import CreateTable
Path("{path}").write_text("")
@rule(category="ours", severity=Severity.ERROR)
def our_rule(op: CreateTable, at):
    return at.finding(op, "no")
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (tmp_path / "secret.sql").write_text(ORDERS)
    return Workspace(folder=folder)


def lint(workspace: Workspace, *paths: str) -> LintResult:
    tool = TOOLS["lint"]
    result = tool.run(tool.read_arguments({"paths": list(paths)} if paths else {}), workspace, lambda text: None).result
    assert isinstance(result, LintResult)
    return result


def rules_of(workspace: Workspace) -> set[str]:
    return {finding.rule for finding in lint(workspace).findings}


@pytest.mark.parametrize(
    ("prepare", "paths"),
    [
        (lambda folder: None, ["../secret.sql"]),
        (lambda folder: (folder / "1_link.sql").symlink_to("../secret.sql"), ["1_link.sql"]),
        (lambda folder: (folder / "1_link.sql").symlink_to("../secret.sql"), ["."]),
        (lambda folder: (folder / "migsafe.toml").write_text('migrations = ["../secret.sql"]\n'), []),
    ],
    ids=["a path", "a link", "a link in a folder", "the configuration"],
)
def test_files_outside_the_folder_are_refused(workspace: Workspace, prepare: Callable[[Path], object], paths: list[str]) -> None:
    prepare(workspace.folder)
    with pytest.raises(MigsafeError, match="is outside the working folder"):
        lint(workspace, *paths)
    assert lint(replace(workspace, allow_outside=True), *paths)


def test_code_of_the_project_is_not_executed_if_the_user_says_so(workspace: Workspace) -> None:
    folder, executed = workspace.folder, workspace.folder / "executed"
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (folder / "env.py").write_text("")
    (folder / "versions").mkdir()
    (folder / "versions" / "1_one.py").write_text(SCRIPT.format(path=executed))
    (folder / "ours").mkdir()
    (folder / "ours" / "our_rule.py").write_text(RULE.format(path=executed))
    (folder / "migsafe.toml").write_text('migrations = ["versions"]\nrules = "ours"\nseverity = {our-rule = "warning"}\n')
    assert rules_of(replace(workspace, no_exec=True)) >= {"serial-column"}
    assert not executed.exists()
    assert rules_of(workspace) >= {"serial-column", "our-rule"}
    assert executed.exists()
