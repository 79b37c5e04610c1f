"""`migsafe lint --watch`: what it watches, what it says, how it ends."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest

from migsafe.cli.watching import Snapshot, WatchedFiles, changes, named, wait_for_changes
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "json"), "--watch and --format json cannot be used together"),
        (("--output", "x"), "--watch and --output cannot be used together"),
        (("--write-baseline",), "--watch and --write-baseline cannot be used together"),
        (("--fix",), "--watch and --fix cannot be used together"),
        (("-",), "--watch cannot watch standard input"),
    ],
)
def test_what_cannot_be_watched(migsafe: Callable[..., Run], arguments: tuple[str, ...], message: str) -> None:
    run = migsafe("lint", "--watch", *arguments)
    assert (run.code, message in run.err) == (2, True)


def test_everything_that_a_run_depends_on_is_watched(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("pyproject.toml", '[tool.migsafe]\nmigrations = ["db/migrations"]\nqueries = ["q", "sqlc.yaml"]\nrules = "r"\nstats = "stats.json"\n')
    for name in (
        "db/migrations/1.sql",
        "db/env.py",
        "db/notes.txt",
        "q/a.sql",
        "r/own.py",
        "db/migrations/.2.sql.swp",
        "named/b.sql",
        "before.sql",
    ):
        write(name, "")
    write("sqlc.yaml", "sql:\n  - engine: postgresql\n    queries: named\n")
    files = WatchedFiles(None, None, ["before.sql", None])
    before = files.look()
    assert set(before) == {
        *("db/migrations/1.sql", "db/env.py", "q/a.sql", "r/own.py", "pyproject.toml"),
        *("sqlc.yaml", "named/b.sql", "before.sql"),
    }
    write("stats.json", "{}")
    write("db/migrations/1.sql", "SELECT 1;")
    Path("q/a.sql").unlink()
    assert named(changes(before, files.look())) == "db/migrations/1.sql changed, q/a.sql deleted, stats.json added"
    write("pyproject.toml", "[tool.migsafe]\nmigrations = 1")
    assert "db/migrations/1.sql" in files.look()  # an invalid configuration: watched is what was named last


NONE: Snapshot = {}
EMPTY: Snapshot = {"1.sql": (1, 0, 7)}
WRITTEN: Snapshot = {"1.sql": (2, 9, 7)}


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        pytest.param([NONE, EMPTY, WRITTEN, WRITTEN], "1.sql added", id="looked at between its creation and its first line"),
        pytest.param([WRITTEN, NONE, NONE], "1.sql deleted", id="deleted"),
        pytest.param([WRITTEN, NONE, EMPTY, EMPTY], "1.sql changed", id="replaced in two steps"),
        pytest.param([NONE, EMPTY, NONE, NONE], "1.sql added", id="gone before the run"),
    ],
)
def test_a_change_is_called_after_what_it_came_to(looks: list[Snapshot], reason: str) -> None:
    class Looks(WatchedFiles):
        def look(self) -> Snapshot:
            return looks.pop(0)

    files = Looks(None, None)
    files.pause = 0
    before = files.look()
    after = looks[-1]
    assert wait_for_changes(files, before) == (after, reason)
    assert looks == []


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_it_lints_again_survives_errors_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "1.sql").write_text("SELECT 1;")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "migsafe", "lint", "migrations", "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, env=environment, start_new_session=True
    ) as process:
        assert process.stdout
        watchdog = Timer(60, process.kill)  # a line that does not come must not block the tests
        watchdog.start()

        def read_until(text: str) -> str:
            read = ""
            while text not in read:
                line = process.stdout.readline()  # type: ignore[union-attr]
                assert line, read
                read += line
            return read

        assert "Nothing found in 1 file" in read_until("Watching 1 file. Ctrl-C ends this.")
        (folder / "2.sql").write_text("DROP TABLE orders;")
        again = read_until("Watching 2 files.")
        assert "migrations/2.sql added\n" in again
        assert "error drop-table" in again
        shutil.rmtree(folder)
        assert "migrations: there is no such file or folder" in read_until("Watching 0 files.")
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.wait() == 130
        watchdog.cancel()
