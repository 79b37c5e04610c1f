r"""Windows, as far as it can be tried elsewhere: without what its Python lacks, with its code page, its line ends and its paths."""

import ntpath
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from migsafe import Configuration, lint, paths
from migsafe.cli import main

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "--help": 0,
    "lint fixtures/shop --no-cache --jobs 4": 1,
    "lint fixtures/shop_alembic --no-cache --format json": 1,
    "lint fixtures/shop --changed": 0,
    "lint fixtures/shop/0004_find_items_by_sku.sql --diff": 1,
    "locks fixtures/shop/0007_order_coupons.sql": 0,
    "premortem fixtures/shop/0004_find_items_by_sku.sql": 0,
    "init --dry-run": 0,
    "replay fixtures/shop/0004_find_items_by_sku.sql": 2,
}
"""The commands that are tried, with their exit codes."""
WITHOUT_UNIX = f"""
import os, select, signal, subprocess, sys
import asyncio, mcp.server.stdio  # they ask for the system
for module, names in (
    (os, "fork forkpty geteuid getuid getegid getgid killpg setsid register_at_fork sched_getaffinity posix_spawn chown mkfifo O_NOFOLLOW"),
    (signal, "SIGKILL SIGHUP SIGALRM SIGQUIT SIGPIPE SIGUSR1 SIGCHLD setitimer ITIMER_REAL alarm pthread_kill pthread_sigmask"),
    (select, "poll epoll"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
subprocess.Popen.kill = subprocess.Popen.terminate  # on Windows, they are the same
from migsafe.cli import main
from migsafe.rendering.worker.guards import Guards
import migsafe.agent.server, migsafe.editor.server, migsafe.pytest_plugin, migsafe.rendering.worker.service
for command in {list(COMMANDS)!r}:
    print("exit code", main(command.split()), "of", command, flush=True)
guards = Guards()
guards.install()
with guards(1):
    print("the worker's limits apply")
"""


@pytest.mark.process
def test_the_commands_need_nothing_that_only_unix_has() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-c", WITHOUT_UNIX], capture_output=True, cwd=ROOT, env=environment, check=False)
    output, errors = done.stdout.decode("cp1252"), done.stderr.decode("cp1252")
    codes = {line.partition(" of ")[2]: int(line.split()[2]) for line in output.splitlines() if line.startswith("exit code")}
    assert codes == COMMANDS, errors
    assert "migsafe: migrations cannot be run on a server from Windows\n" in errors
    assert "bug in migsafe" not in errors
    assert output.endswith("the worker's limits apply\n")


@pytest.mark.parametrize("history", ["shop", "shop_alembic"])
def test_line_ends_of_windows_change_no_finding(history: str, tmp_path: Path) -> None:
    for file in (path for path in (ROOT / "fixtures" / history).rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        for end in ("\n", "\r\n"):
            copy = tmp_path / repr(end)[1:-1] / file.relative_to(ROOT / "fixtures")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(file.read_text(), newline=end)
    unix, windows = (
        [
            (Path(finding.script.path).name, finding.rule, finding.script.position(finding.span.start), finding.message, finding.help)
            for finding in lint([str(tmp_path / end / history)], settings=Configuration()).findings
        ]
        for end in (r"\n", r"\r\n")
    )
    assert len(unix) > 5
    assert windows == unix


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("db\\migrations\\0001.sql", "db/migrations/0001.sql"),
        ("C:\\shop\\0001.sql", "C:/shop/0001.sql"),
        ("\\\\?\\C:\\shop\\0001.sql", "C:/shop/0001.sql"),
        ("\\\\?\\UNC\\server\\shop\\0001.sql", "//server/shop/0001.sql"),
        ("\\\\server\\shop", "//server/shop"),
        ("\\\\?\\Volume{7c3}\\shop", "\\\\?\\Volume{7c3}\\shop"),
        ("-", "-"),
    ],
)
def test_paths_of_windows_get_slashes(path: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.with_slashes(path) == path
    monkeypatch.setattr(paths, "_IS_WINDOWS", True)
    assert paths.with_slashes(path) == expected


def test_a_path_on_another_drive_stays_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_IS_WINDOWS", True)
    monkeypatch.setattr(paths, "os", SimpleNamespace(path=ntpath))
    assert paths.relative_path("C:\\shop\\db\\1.sql", "C:\\shop") == "db/1.sql"
    assert paths.relative_path("D:\\dump.sql", "C:\\shop") == "D:/dump.sql"


def test_a_migration_is_found_by_a_path_with_backslashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    (tmp_path / "db" / "migrations" / "1_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    (tmp_path / "db" / "migrations" / "2_gone.sql").write_text("DROP TABLE orders;\n")
    (tmp_path / "migsafe.toml").write_text("migrations = ['db\\migrations']\nselect = ['drop-table']\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "_IS_WINDOWS", True)
    for arguments in (["lint"], ["lint", "db\\migrations\\2_gone.sql"], ["lint", ".\\db"]):
        assert main(arguments) == 1
        assert "db/migrations/2_gone.sql:1:1 error drop-table\n" in capsys.readouterr().out


def test_a_fix_keeps_the_line_ends_of_the_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1.sql").write_bytes(b"DROP TABLE a;\r\nDROP TABLE b;\r\n")
    monkeypatch.chdir(tmp_path)
    assert main(["lint", "1.sql", "--fix"]) == 1
    fixed = (tmp_path / "1.sql").read_bytes()
    assert fixed.startswith(b"SET lock_timeout = '2s';\r\n")
    assert fixed.count(b"\n") == fixed.count(b"\r\n")


def test_a_changed_file_keeps_its_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1.sql").write_bytes(b"DROP TABLE a;\r\n")
    (tmp_path / "migsafe.toml").write_bytes(b"pg-version = 16\r\n")
    monkeypatch.chdir(tmp_path)
    assert main(["lint", "1.sql", "--write-baseline"]) == 0
    assert (tmp_path / "migsafe.toml").read_bytes() == b'baseline = "migsafe-baseline.json"\r\npg-version = 16\r\n'
    assert b"\r" not in (tmp_path / "migsafe-baseline.json").read_bytes()
