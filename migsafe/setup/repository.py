"""A repository: its migrations and their runners, its configuration, hooks and CI."""

import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError, reason_of
from migsafe.setup.classification import TESTS, UNORDERED, left_out
from migsafe.setup.queries import QuerySource, query_sources
from migsafe.setup.unread import UnreadHistory, dumped_schemas, files_of, summarised, unordered_folders, unread_histories
from migsafe.sources import NoMigrationsError, Unused, find_migrations
from migsafe.sources.plain import PLAIN
from migsafe.sources.source import Source

_GIT_SECONDS = 10


class History(Struct, frozen=True):
    """A folder of migrations: its path from the repository's root, its runner's title, how many there are, the newest one's name, and why it is
    left out; empty if it is not. `remedy` is what to do then, as a sentence."""

    path: str
    runner: str
    count: int
    newest: str
    left_out: str = ""
    remedy: str = ""

    @property
    def counted(self) -> str:
        """The number of migrations, in words."""
        return "1 migration" if self.count == 1 else f"{self.count:,} migrations"

    @property
    def is_production(self) -> bool:
        """Whether it looks like the history of a PostgreSQL database in production."""
        return not self.left_out


class Repository(Struct, frozen=True):
    """A repository: its root, its histories, and the texts of the files that migsafe would change, by their paths from the root. `unread` are
    the migrations that migsafe does not read, `schemas` the dumps of the schema, `queries` the files and folders of the application's queries.
    """

    root: Path
    histories: tuple[History, ...]
    texts: dict[str, str]
    on_gitlab: bool
    on_github: bool
    unread: tuple[UnreadHistory, ...] = ()
    schemas: tuple[str, ...] = ()
    queries: tuple[QuerySource, ...] = ()

    @property
    def offered(self) -> list[History]:
        """The histories that the configuration gets: those of production; those of tests if the repository has no other migrations."""
        production = [history for history in self.histories if history.is_production]
        return production or [history for history in self.histories if history.left_out == TESTS and not self.unread]

    @property
    def configured(self) -> str | None:
        """The file that already has a configuration of migsafe."""
        if "migsafe.toml" in self.texts:
            return "migsafe.toml"
        if "migsafe" in _table(self.texts.get("pyproject.toml", "")):
            return "pyproject.toml"
        return None


PYPROJECT, OWN, HOOKS = "pyproject.toml", "migsafe.toml", ".pre-commit-config.yaml"
AGENTS = "AGENTS.md"
GITHUB, GITLAB, GITLAB_JOB = ".github/workflows/migsafe.yml", ".gitlab-ci.yml", ".gitlab/migsafe.yml"


def survey(paths: Sequence[str]) -> Repository:
    """Returns the repository of the current folder; without a git repository, the folder itself. `paths` are its migrations; without any, they
    are searched. Raises MigsafeError if there are none."""
    root = _root()
    texts = {name: _text(root / name) for name in (PYPROJECT, OWN, HOOKS, AGENTS, GITHUB, GITLAB, GITLAB_JOB) if (root / name).is_file()}
    remotes = git_output(root, "remote", "--verbose")
    all_files = files_of(root)
    files = [] if paths else all_files
    schemas = tuple(dumped_schemas(root, files))
    sources, others = _found(root, paths)
    unread = unread_histories(root, files, [(path, source.runner.suffix) for path, source in sources])
    histories = [*_histories(sources, unread, named=bool(paths)), *others]
    for path, count in unordered_folders(root, files, [path for path, _ in sources]).items():
        histories.append(History(path, PLAIN.title, count, "", UNORDERED))
    repository = Repository(
        root,
        tuple(histories),
        texts,
        on_gitlab=GITLAB in texts or "gitlab" in remotes,
        on_github=(root / ".github").is_dir() or "github" in remotes,
        unread=tuple(unread),
        schemas=schemas,
        queries=tuple(query_sources(root, all_files, [history.path for history in histories])),
    )
    if not repository.offered:
        raise _without_migrations(repository)
    return repository


def _without_migrations(repository: Repository) -> MigsafeError:
    left_out = [f"{history.path} is left out: {history.left_out}" for history in repository.histories]
    not_read = [f"not read: {history.path}: {history.counted}, {history.tool}" for history in summarised(repository.unread)]
    schema = f" --schema {repository.schemas[0]}" if repository.schemas else ""
    details = "".join(f"\n  {line}" for line in (*not_read, *left_out))
    if not repository.unread:
        remedy = next(
            (history.remedy for history in repository.histories if history.remedy), "Name their folder: `migsafe init db/migrations`."
        )
        return MigsafeError(f"{repository.root}: no migrations found{details}", remedy)
    prints = next((history.prints for history in repository.unread if history.prints), None)
    command = f"{prints} | migsafe lint{schema} -" if prints is not None else f"migsafe lint{schema} changes.sql"
    instead = f"Check the SQL that they send instead: `{command}`. docs/frameworks.md says how to get it."
    return MigsafeError(f"{repository.root}: no migrations that migsafe reads{details}", instead)


def _found(root: Path, paths: Sequence[str]) -> tuple[list[tuple[str, Source]], list[History]]:
    """Returns the histories, with their paths from the root, and the migrations that their runner does not run."""
    try:
        plan = find_migrations(list(paths) or [str(root)])
    except MigsafeError as error:
        if paths:
            raise
        return [], [_unused(root, each) for each in (error.unused if isinstance(error, NoMigrationsError) else ())]
    sources = [(_from(root, source.path), source) for source in plan.sources]
    return sources, [*(_unused(root, each) for each in plan.unused), *_beside(sources, [_from(root, path) for path in plan.skipped])]


def _unused(root: Path, found: Unused) -> History:
    return History(_from(root, found.path), found.runner, found.count, "", found.reason, found.remedy)


def _beside(sources: Sequence[tuple[str, Source]], skipped: Sequence[str]) -> Iterator[History]:
    """Yields the files in folders of migrations that are not migrations of their runner, by folder."""
    for folder, runner in {path: source.runner for path, source in sources}.items():
        inside = [path for path in skipped if path.endswith(".sql") and path.rpartition("/")[0] == folder]
        if inside:
            more = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
            them = "them as migrations" if more else "it as a migration"
            reason = "no number in the name" if runner is PLAIN else f"{runner.title} does not run {them}"
            yield History(f"{inside[0]}{more}", runner.title, len(inside), "", reason)


def _histories(found: Sequence[tuple[str, Source]], unread: Sequence[UnreadHistory], *, named: bool) -> list[History]:
    all_histories = [(path, source.runner.name) for path, source in found]
    counts, histories = {history.path: history.count for history in unread}, []
    for path, source in found:
        migrations = [(migration.id, not (file.is_draft or file.repeatable)) for file, migration in source.selected_with_files()]
        if migrations:
            others = [other for other in all_histories if other[0] != path]
            reason = "" if named else left_out(source, path, others, counts)
            newest = next((version for version, is_final in reversed(migrations) if is_final), migrations[-1][0])
            histories.append(History(path, source.runner.title, len(migrations), newest, reason))
    return histories


def _from(root: Path, path: str) -> str:
    resolved = Path(path).resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.as_posix()


def _root() -> Path:
    top = git_output(Path.cwd(), "rev-parse", "--show-toplevel")
    return Path(top).resolve() if top else Path.cwd()


def git_output(folder: Path, *arguments: str) -> str:
    """Returns the output of git in a folder; an empty text if git is missing or fails."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigsafeError(f"{path}: cannot be read: {reason_of(error)}", "migsafe would add to this file; fix it first.") from error


def _table(text: str) -> dict[str, object]:
    try:
        tools = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise MigsafeError(f"{PYPROJECT}: not valid TOML: {error}", "migsafe would add a configuration to it; fix it first.") from error
    return tools if isinstance(tools, dict) else {}
