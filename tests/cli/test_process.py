"""The command as a separate process: which modules it loads, and pipes that are closed early."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SHOP = "fixtures/shop"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


def test_a_bare_checkout_runs() -> None:
    result = python("-S", "-c", "import migsafe.rules; print(migsafe.rules.__path__[0])")
    assert result.stdout.strip() == str(ROOT / "rules")


def test_linting_a_file_imports_nothing_heavy() -> None:
    heavy = {"sqlglot", "alembic", "sqlalchemy", "psycopg", "rich", "pydantic", "typer", "migsafe.workload", "migsafe.linting.queries"}
    script = f"import sys; from migsafe.cli import main; main(['lint', '{SHOP}/0004_find_items_by_sku.sql']); print(*sys.modules)"
    assert not heavy & set(python("-c", script).stdout.splitlines()[-1].split())


def test_a_reader_that_leaves_early_is_not_complained_about() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "migsafe", "lint", SHOP], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


@pytest.mark.parametrize("command", [("lint", "--no-cache", SHOP), ("lint", SHOP), ("locks", SHOP), ("rules",)], ids=" ".join)
def test_closed_streams_are_as_the_null_device(command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-m", "migsafe", *command]
    usual = subprocess.run(arguments, capture_output=True, cwd=ROOT, check=False)
    closed = subprocess.run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *arguments], capture_output=True, cwd=ROOT, check=False)
    assert (closed.returncode, closed.stderr) == (usual.returncode, usual.stderr)


def test_an_error_without_standard_error_is_not_in_the_report() -> None:
    arguments = [sys.executable, "-m", "migsafe", "lint", "--format", "json", "absent.sql"]
    closed = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *arguments], capture_output=True, cwd=ROOT, check=False)
    assert (closed.returncode, closed.stdout) == (2, b"")
