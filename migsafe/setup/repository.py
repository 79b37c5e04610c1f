"""A repository: its migrations and their runners, its configuration, hooks and CI."""

import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.sources import find_migrations

_TEST_FOLDERS = frozenset(("test", "tests", "testdata", "spec", "fixtures", "example", "examples", "samples", "docs", "vendor", "third_party"))
"""Folders whose migrations rarely run in production."""

_GIT_SECONDS = 10


class History(Struct, frozen=True):
    """A folder of migrations: its path from the repository's root, its runner's title, how many there are, and the newest one's name."""

    path: str
    runner: str
    count: int
    newest: str

    @property
    def counted(self) -> str:
        """The number of migrations, in words."""
        return "1 migration" if self.count == 1 else f"{self.count:,} migrations"

    @property
    def is_production(self) -> bool:
        """Whether it looks like the history of a database in production."""
        return _TEST_FOLDERS.isdisjoint(Path(self.path).parts)


class Repository(Struct, frozen=True):
    """A repository: its root, its histories, and the texts of the files that migsafe would change, by their paths from the root."""

    root: Path
    histories: tuple[History, ...]
    texts: dict[str, str]
    on_gitlab: bool
    on_github: bool

    @property
    def configured(self) -> str | None:
        """The file that already has a configuration of migsafe."""
        if "migsafe.toml" in self.texts:
            return "migsafe.toml"
        if "migsafe" in _table(self.texts.get("pyproject.toml", "")):
            return "pyproject.toml"
        return None


PYPROJECT, OWN, HOOKS = "pyproject.toml", "migsafe.toml", ".pre-commit-config.yaml"
GITHUB, GITLAB, GITLAB_JOB = ".github/workflows/migsafe.yml", ".gitlab-ci.yml", ".gitlab/migsafe.yml"


def survey(paths: Sequence[str]) -> Repository:
    """Returns the repository of the current folder; without a git repository, the folder itself. `paths` are its migrations; without any, they
    are searched. Raises MigsafeError if there are none."""
    root = _root()
    texts = {name: _text(root / name) for name in (PYPROJECT, OWN, HOOKS, GITHUB, GITLAB, GITLAB_JOB) if (root / name).is_file()}
    remotes = _git(root, "remote", "--verbose")
    return Repository(
        root,
        tuple(_histories(root, paths)),
        texts,
        on_gitlab=GITLAB in texts or "gitlab" in remotes,
        on_github=(root / ".github").is_dir() or "github" in remotes,
    )


def _histories(root: Path, paths: Sequence[str]) -> list[History]:
    try:
        sources = find_migrations(list(paths) or [str(root)]).sources
    except MigsafeError as error:
        if paths:
            raise
        raise MigsafeError(f"{root}: no migrations found", "Name their folder: `migsafe init db/migrations`.") from error
    histories = []
    for source in sources:
        steps = list(source.steps())
        if steps:
            path = _from(root, source.path)
            histories.append(History(path, source.runner.title, len(steps), steps[-1].migration.id))
    return histories


def _from(root: Path, path: str) -> str:
    resolved = Path(path).resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.as_posix()


def _root() -> Path:
    top = _git(Path.cwd(), "rev-parse", "--show-toplevel").strip()
    return Path(top).resolve() if top else Path.cwd()


def _git(folder: Path, *arguments: str) -> str:
    """Returns git's output; an empty text if git is missing or fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=_GIT_SECONDS)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigsafeError(f"{path}: cannot be read: {error}", "migsafe would add to this file; fix it first.") from error


def _table(text: str) -> dict[str, object]:
    try:
        tools = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise MigsafeError(f"{PYPROJECT}: not valid TOML: {error}", "migsafe would add a configuration to it; fix it first.") from error
    return tools if isinstance(tools, dict) else {}
