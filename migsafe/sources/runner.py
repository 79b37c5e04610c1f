"""What every runner is described by, and the folders that they look at."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Migration, Transaction
from migsafe.text import Script

_SAMPLE_FILES = 3
_ABOVE = 6
_OTHER_DATABASES = re.compile(
    r"[._-](?:mysql|mariadb|sqlite3?|cockroach(?:db)?|crdb|mssql|sqlserver|oracle|h2|clickhouse|duckdb|spanner)\.", re.IGNORECASE
)


class MigrationFile(Struct, frozen=True):
    """Where a migration stands, before anything of it is read.

    `id` is its version, `up` the script that applies it, `down` the one that takes it back where that is a file of its own, `beside` a
    file that the runner reads for its settings. `after` are the versions that it comes right after; None where that is all before it in the
    runner's order. `standing` is what is odd about that, as far as it can be told without knowing what is to be judged.
    """

    id: str
    up: Script
    down: Script | None = None
    settings_file: str | None = None
    parents: tuple[str, ...] | None = None
    lineage: Lineage = Lineage()

    def is_among(self, files: Collection[str]) -> bool:
        """Whether one of its files that say what happens on the way up is among absolute paths. Standard input always is."""
        named = (self.up.path, self.settings_file)
        return self.up.path == "-" or any(os.path.realpath(path) in files for path in named if path is not None)


class Folder:
    """A folder of migrations: what stands in it, read once.

    `path` is what the user would type; `named` the file in it that was asked for, if one was. Raises MigsafeError where it cannot be read.
    """

    def __init__(self, path: str, named: str | None = None) -> None:
        self.path = path
        self.requested_file = named
        self._scripts: dict[str, Script] = {}
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(path or ".") as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else files).append(entry.name)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise MigsafeError(f"{path or '.'}: cannot be read: {reason}", "Name a folder that you may list.") from error
        self.files = sorted(files)
        self.folders = sorted(folders)

    @classmethod
    def of_script(cls, path: str, script: Script) -> "Folder":
        """A folder as if it held that one script and nothing else: for standard input, and for a file that is not one of its folder's
        migrations."""
        folder = cls.__new__(cls)
        folder.path, _, folder.requested_file = path.rpartition("/")
        folder.files, folder.folders = [folder.requested_file], []
        folder.sql_files = [folder.requested_file]
        folder._scripts = {folder.requested_file: script}
        return folder

    def join(self, *names: str) -> str:
        """The path of something in this folder, as the user would type it."""
        return "/".join(names if self.path in ("", ".") else (self.path.rstrip("/"), *names))

    def script(self, *names: str) -> Script:
        """A file in this folder; the same Script each time, so that its text is read once."""
        name = "/".join(names)
        return self._scripts.setdefault(name, Script(self.join(name)))

    def has_file(self, *names: str) -> bool:
        """Whether there is such a file in this folder."""
        return os.path.isfile(self.join(*names))

    def self_and_parents(self) -> Iterator[Path]:
        """This folder and those above it, up to the root of the repository."""
        path = Path(self.path or ".").absolute()
        for folder in (path, *path.parents[:_ABOVE]):
            yield folder
            if (folder / ".git").exists():
                return

    @cached_property
    def sql_files(self) -> list[str]:
        """The names of its .sql files, those for another database left out, in the order of their names."""
        return [name for name in self.files if name.endswith(".sql") and name[0] != "." and not _OTHER_DATABASES.search(name)]

    @cached_property
    def python_files(self) -> list[str]:
        """The names of its Python scripts, in their order."""
        return [name for name in self.files if name.endswith(".py") and not name.startswith((".#", "__init__"))]

    @cached_property
    def sample(self) -> list[str]:
        """The texts of the .sql file that was asked for and of a few others: enough to tell whose directives they hold."""
        return self._some_of(self.sql_files)

    def _some_of(self, names: list[str]) -> list[str]:
        chosen = dict.fromkeys(name for name in (self.requested_file, *names[:1], *names[len(names) // 2 :][:1], *names[-1:]) if name in names)
        texts = []
        for name in list(chosen)[:_SAMPLE_FILES]:
            try:
                texts.append(self.script(str(name)).head())
            except UnreadableError:
                continue
        return texts

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Whether one of the sampled .sql files holds the pattern."""
        return any(pattern.search(text) for text in self.sample)

    def mentions_in_python(self, pattern: re.Pattern[str]) -> bool:
        """Whether one of a few of its Python scripts holds the pattern."""
        return any(pattern.search(text) for text in self._some_of(self.python_files))


def subfolders(folder: Folder) -> Iterator[Folder]:
    """The folders in a folder, and those in them, each once; what cannot be listed and what is hidden is left out."""
    seen = {folder_identity(folder.path)}
    waiting = [folder]
    while waiting:
        outer = waiting.pop()
        inner: list[Folder] = []
        for name in outer.folders:
            path = outer.join(name)
            if name[0] == "." or folder_identity(path) in seen:
                continue
            seen.add(folder_identity(path))
            try:
                inner.append(Folder(path))
            except MigsafeError:
                continue
        yield from inner
        waiting += reversed(inner)


def folder_identity(path: str) -> tuple[int, int]:
    """What makes a folder the same one however it is reached. Zeros where it cannot be seen."""
    try:
        found = Path(path or ".").stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads round in a circle
        return False


def folder_itself(folder: Folder) -> list[Folder]:
    """The folder alone."""
    return [folder]


class Runner(Struct, frozen=True):
    """What is known of a program that applies migrations.

    `recognises` tells from a folder whether its migrations are this runner's; `homes` gives the folders by which the histories are known that
    a recognised folder holds or leads to, one each whichever way they are reached: mostly it is the folder itself. `files` lists the
    migrations of a home in the runner's order;
    `read` gives a file's migrations (one, but for formats with several in a file), and raises UnreadableError. `habit` is how it sends
    a migration that says nothing about it. `outside` says in a sentence how a migration is made to run outside a transaction. `deep`
    runners look into the folders below for themselves. A `unique` one records what has run by versions, so that of two migrations with the
    same it refuses both, or never runs one. The names of its files end in `suffix`.
    """

    name: str
    title: str
    default_transaction: Transaction
    recognises: Callable[[Folder], bool]
    files: Callable[[Folder], list[MigrationFile]]
    read: Callable[[MigrationFile], list[Migration]]
    outside_transaction_advice: str
    searches_subfolders: bool = False
    unique_versions: bool = False
    history_folders: Callable[[Folder], list[Folder]] = folder_itself
    suffix: str = ".sql"


def number_key(name: str) -> tuple[int, str]:
    """A key that orders file names by the number they begin with, then by name; those without a number come last."""
    digits = re.match(r"[vV]?(\d+)", name)
    return (int(digits[1]), name) if digits else (10**30, name)


def natural_key(name: str) -> list[tuple[int, str]]:
    """A key that orders names as people do: v1.9 before v1.10."""
    return [(int(digits), "") if digits else (-1, other) for digits, other in re.findall(r"(\d+)|(\D+)", name)]


def version_of(name: str) -> str:
    """The version that a file's name begins with; its whole stem where it begins with no digit."""
    digits = re.match(r"[vV]?(\d+(?:\.\d+)*)(?=[_.\-]|$)", name)
    return digits[1] if digits else name.removesuffix(".sql")


def single_file_migrations(folder: Folder, names: Iterable[str]) -> list[MigrationFile]:
    """One migration a file, in the order given."""
    return [MigrationFile(version_of(name), folder.script(name)) for name in names]
