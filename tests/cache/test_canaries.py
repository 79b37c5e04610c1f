"""The assumptions about Python on which the cache's interception of file access depends (migsafe/cache/interception.py).

A failure here says what a new Python has changed, before a stale answer is given. docs/architecture.md explains each assumption.
"""

import glob
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.cache.interception import Interception, PathState

PYTHON = f"Python {sys.version.partition(' ')[0]}"


def require(holds: object, what: str) -> None:
    """Fails, naming the module that depends on an assumption, if the assumption no longer holds."""
    if not holds:
        pytest.fail(f"{PYTHON} no longer {what}: migsafe/cache/interception.py depends on it; see docs/architecture.md")


class Recorder:
    """An observer that keeps everything that is reported."""

    def __init__(self) -> None:
        self.opened: list[object] = []
        self.listed: list[object] = []
        self.checked: list[tuple[str, bool]] = []
        self.links: list[str] = []
        self.programs = 0
        self.unrepeatable = 0

    def file_opened(self, path: object, flags: int) -> None:
        self.opened.append(path)

    def folder_listed(self, path: object) -> None:
        self.listed.append(path)

    def path_checked(self, path: str, state: PathState, *, followed: bool) -> None:
        self.checked.append((path, followed))

    def link_read(self, path: str, leads_to: str | int) -> None:
        self.links.append(path)

    def program_started(self) -> None:
        self.programs += 1

    def note_unrepeatable(self) -> None:
        self.unrepeatable += 1


def record(action: Callable[[], object]) -> Recorder:
    """Returns what is reported of an action."""
    recorder = Recorder()
    interception = Interception(recorder)
    interception.install()
    try:
        action()
    finally:
        interception.remove()
    return recorder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "module_of_canary.py"
    path.write_text("")
    return path


OPENING: dict[str, Callable[[Path], object]] = {
    "open": lambda path: path.open().close(),
    "os.open": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "Path.read_text": lambda path: path.read_text(),
    "Path.read_bytes": lambda path: path.read_bytes(),
}

LISTING: dict[str, Callable[[Path], object]] = {
    "os.listdir": os.listdir,
    "os.scandir": lambda path: os.scandir(path).close(),
    "os.walk": lambda path: list(os.walk(path)),
    "glob.glob": lambda path: glob.glob(f"{path}/*"),  # noqa: PTH207
    "Path.iterdir": lambda path: list(path.iterdir()),
    "Path.glob": lambda path: list(path.glob("*")),
    "Path.rglob": lambda path: list(path.rglob("*")),
}

CHECKING: dict[str, Callable[[Path], object]] = {
    "os.path.exists": os.path.exists,
    "os.path.isfile": os.path.isfile,
    "os.path.isdir": os.path.isdir,
    "os.path.getsize": os.path.getsize,
    "os.path.getmtime": os.path.getmtime,
    "Path.exists": lambda path: path.exists(),
    "Path.is_file": lambda path: path.is_file(),
    "Path.is_dir": lambda path: path.is_dir(),
    "Path.stat": lambda path: path.stat(),
    "shutil.which": lambda path: shutil.which(path.name, path=str(path.parent)),
}


@pytest.mark.parametrize("name", OPENING)
def test_opening_a_file_raises_an_audit_event(file: Path, name: str) -> None:
    opened = record(lambda: OPENING[name](file)).opened
    require(str(file) in [os.fspath(path) for path in opened if not isinstance(path, int)], f"raises the audit event 'open' for {name}")


def test_importing_a_module_raises_an_audit_event(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(file.parent)
    opened = record(lambda: importlib.import_module(file.stem)).opened
    require(any(file.stem in str(path) for path in opened), "raises the audit event 'open' for an import")


@pytest.mark.parametrize("name", LISTING)
def test_listing_a_folder_raises_an_audit_event(file: Path, name: str) -> None:
    listed = record(lambda: LISTING[name](file.parent)).listed
    require(
        str(file.parent) in [os.fspath(path).rstrip("/") for path in listed], f"raises the audit event 'os.scandir' or 'os.listdir' for {name}"
    )


@pytest.mark.parametrize("name", CHECKING)
def test_checking_a_path_calls_os_stat(file: Path, name: str) -> None:
    checked = record(lambda: CHECKING[name](file)).checked
    require(str(file) in [path for path, _ in checked], f"calls os.stat, as an attribute of the module os, for {name}")


@pytest.mark.parametrize("name", ["os.path.exists", "os.path.isfile", "os.path.isdir", "Path.exists", "Path.is_file", "Path.is_dir"])
def test_checking_a_path_that_does_not_exist_calls_os_stat(tmp_path: Path, name: str) -> None:
    checked = record(lambda: CHECKING[name](tmp_path / "missing")).checked
    require((str(tmp_path / "missing"), True) in checked, f"calls os.stat, as an attribute of the module os, for {name}")


def test_checking_for_a_link_calls_os_lstat(file: Path) -> None:
    for name, check in {"os.path.islink": os.path.islink, "os.path.lexists": os.path.lexists, "Path.is_symlink": Path.is_symlink}.items():
        checked = record(lambda check=check: check(file)).checked  # type: ignore[misc]
        require((str(file), False) in checked, f"calls os.lstat, as an attribute of the module os, for {name}")


def test_resolving_a_link_calls_os_readlink(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    for name, resolve in {"os.path.realpath": os.path.realpath, "Path.resolve": Path.resolve, "Path.readlink": Path.readlink}.items():
        links = record(lambda resolve=resolve: resolve(link)).links  # type: ignore[misc]
        require(str(link) in links, f"calls os.readlink, as an attribute of the module os, for {name}")


@pytest.mark.process
def test_starting_a_program_raises_an_audit_event() -> None:
    programs = record(lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True)).programs
    require(programs, "raises the audit event 'subprocess.Popen'")


def test_a_change_of_folder_raises_an_audit_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(record(lambda: monkeypatch.chdir(tmp_path)).unrepeatable, "raises the audit event 'os.chdir'")


def test_the_check_at_run_time_finds_every_function_intercepted() -> None:
    interception = Interception(Recorder())
    interception.install()
    try:
        unnoticed = interception.unnoticed_checks()
    finally:
        interception.remove()
    require(not unnoticed, f"checks paths with os.stat and os.lstat in {', '.join(unnoticed)} (the cache keeps nothing on this Python)")


def test_the_functions_are_restored() -> None:
    before = os.stat, os.lstat, os.readlink
    record(lambda: None)
    assert (os.stat, os.lstat, os.readlink) == before
