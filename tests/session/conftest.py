"""PostgreSQL servers of the tests' own: one for each version that is installed, each in a folder that goes with it."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

_SETTINGS = ("listen_addresses=", "fsync=off", "max_prepared_transactions=5", "shared_buffers=16MB")


def installed() -> list[Path]:
    """The folders of PostgreSQL's programs on this machine; MIGSAFE_TEST_PG_BINDIRS names more of them."""
    named = [Path(folder) for folder in os.environ.get("MIGSAFE_TEST_PG_BINDIRS", "").split(os.pathsep) if folder]
    on_path = shutil.which("initdb")
    usual = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders = [*named, *([Path(on_path).resolve().parent] if on_path else []), *usual]
    return list(dict.fromkeys(folder for folder in folders if (folder / "initdb").exists()))


def _account() -> dict[str, object]:
    """How to start a program as somebody whom PostgreSQL serves: it refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("there is no account that a server could run as")


@pytest.fixture(scope="session", params=installed() or [None], ids=str)
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """How to reach a running server."""
    if request.param is None:
        pytest.skip("PostgreSQL is not installed")
    account = _account()
    folder = Path(mkdtemp(prefix="migsafe-"))
    if account:
        os.chown(folder, account["user"], account["group"])  # type: ignore[arg-type]

    def run(program: str, *arguments: str) -> None:
        command = [str(request.param / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **account)  # type: ignore[call-overload]

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale", "C")
        options = " ".join(f"-c {setting}" for setting in _SETTINGS)
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"{options} -k {folder}", "start")
        try:
            yield f"host={folder} user=postgres dbname=postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
