"""A project whose runs are processes of their own, with a cache of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.fork_server import ForkServer

ROOT = Path(__file__).parents[2]

# Says in the end what was loaded. A file that was written just now is believed to be as it was when a later run finds it so.
COMMAND = """
import sys
from migsafe.cache import trace
trace.TICK = 0
from migsafe.__main__ import main
code = main()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


class Run(NamedTuple):
    """What a run wrote, its exit code, whether the engine ran, and the modules that it loaded."""

    code: int
    out: str
    err: str
    worked: bool
    modules: set[str]

    @property
    def said(self) -> tuple[int, str, str]:
        return self[:3]


class Project:
    """A folder with migrations, and `migsafe` in it: each run a fork of the server, or where there is none a process of its own."""

    def __init__(self, folder: Path, compiled: Path, checkout: Path = ROOT, server: ForkServer | None = None) -> None:
        self.server = server
        self.folder = folder
        self.compiled = compiled
        self.checkout = checkout
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")},
            "PYTHONPATH": str(checkout),
            "PYTHONPYCACHEPREFIX": str(compiled),
            "PYTHONDONTWRITEBYTECODE": "",
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
        }

    @property
    def cache(self) -> Path:
        return Path(self.environment["XDG_CACHE_HOME"], "migsafe")

    @property
    def entries(self) -> list[Path]:
        return sorted(self.cache.iterdir()) if self.cache.is_dir() else []

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", COMMAND, *arguments]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder, env=self.environment
        )

    def run(self, *arguments: str, stdin: str = "") -> Run:
        """Runs the command in a fork of the server."""
        if self.server is None:
            return self.run_process(*arguments, stdin=stdin)
        return Run(*self.server.run(arguments, self.folder, self.environment, stdin))

    def run_process(self, *arguments: str, stdin: str = "") -> Run:
        """Runs the command as a process of its own."""
        process = self.start(*arguments)
        out, err = process.communicate(stdin)
        said, _, modules = err.rstrip("\n").rpartition("\n")
        loaded = set(modules.split())
        return Run(process.returncode, out, said, "migsafe.linting.judge" in loaded, loaded)

    def lint(self, *arguments: str) -> Run:
        return self.run("lint", *arguments)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Python keeps what it has compiled."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="session")
def server(compiled: Path) -> Iterator[ForkServer]:
    """A process with the engine loaded, which forks for each run."""
    with ForkServer({**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}) as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, compiled: Path, server: ForkServer) -> Project:
    """Three migrations in a repository of their own, so that no configuration above it is read."""
    made = Project(tmp_path / "shop", compiled, server=server)
    (made.folder / ".git").mkdir(parents=True)
    made.write("m/0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    made.write("m/0002_note.sql", "ALTER TABLE orders ADD note text;\n")
    made.write("m/0003_index.sql", "CREATE INDEX orders_note_idx ON orders (note);\n")
    return made


Change = Callable[[Project], object]
