"""What every runner is described by, and the folders that they look at."""

import os
import re
from collections.abc import Callable, Iterable
from functools import cached_property

from msgspec import Struct

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.sources.migration import Migration
from migsafe.text import Script

_SAMPLE_FILES = 3
_OTHER_DATABASES = re.compile(
    r"[._-](?:mysql|mariadb|sqlite3?|cockroach(?:db)?|crdb|mssql|sqlserver|oracle|h2|clickhouse|duckdb|spanner)\.", re.IGNORECASE
)


class MigrationFile(Struct, frozen=True):
    """Where a migration stands, before anything of it is read.

    `id` is its version, `up` the script that applies it, `down` the one that takes it back where that is a file of its own, `beside` a
    file that the runner reads for its settings.
    """

    id: str
    up: Script
    down: Script | None = None
    beside: str | None = None


class Folder:
    """A folder of migrations: what stands in it, read once.

    `path` is what the user would type; `named` the file in it that was asked for, if one was.
    """

    def __init__(self, path: str, named: str | None = None) -> None:
        self.path = path
        self.named = named
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(path or ".") as entries:
                for entry in entries:
                    (folders if entry.is_dir() else files).append(entry.name)
        except OSError as error:
            raise MigsafeError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
        self.files = sorted(files)
        self.folders = sorted(folders)

    def join(self, *names: str) -> str:
        """The path of something in this folder, as the user would type it."""
        return os.path.join(self.path, *names) if self.path not in ("", ".") else os.path.join(*names)

    def script(self, *names: str) -> Script:
        """A file in this folder."""
        return Script(self.join(*names))

    def holds(self, *names: str) -> bool:
        """Whether there is such a file in this folder."""
        return os.path.isfile(self.join(*names))

    @cached_property
    def sql_files(self) -> list[str]:
        """The names of its .sql files, those for another database left out, in the order of their names."""
        return [name for name in self.files if name.endswith(".sql") and not _OTHER_DATABASES.search(name)]

    @cached_property
    def sample(self) -> list[str]:
        """The texts of the file that was asked for and of a few others: enough to tell whose directives they hold."""
        names = self.sql_files
        chosen = [self.named] if self.named in names else []
        chosen += [name for name in (*names[:1], *names[len(names) // 2 :][:1], *names[-1:]) if name not in chosen]
        texts = []
        for name in dict.fromkeys(chosen[:_SAMPLE_FILES]):
            try:
                texts.append(self.script(name).text)
            except UnreadableError:
                continue
        return texts

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Whether one of the sampled files holds the pattern."""
        return any(pattern.search(text) for text in self.sample)


class Runner(Struct, frozen=True):
    """What is known of a program that applies migrations.

    `recognises` tells from a folder whether its migrations are this runner's; `files` lists them in the runner's order, reading none;
    `read` gives a file's migrations (one, but for formats with several in a file), and raises UnreadableError. `outside` says in a
    sentence how a migration is made to run outside a transaction.
    """

    name: str
    title: str
    recognises: Callable[[Folder], bool]
    files: Callable[[Folder], list[MigrationFile]]
    read: Callable[[MigrationFile], list[Migration]]
    outside: str


def by_number(name: str) -> tuple[int, str]:
    """A key that orders file names by the number they begin with, then by name."""
    digits = re.match(r"\D*?(\d+)", name)
    return (int(digits[1]) if digits else -1, name)


def version_of(name: str) -> str:
    """The version that a file's name begins with; its whole stem where it begins with no digit."""
    digits = re.match(r"[vV]?(\d+(?:[._]\d+)*)(?=[_.\-]|$)", name)
    return digits[1] if digits else name.removesuffix(".sql")


def listed(folder: Folder, names: Iterable[str]) -> list[MigrationFile]:
    """One migration a file, in the order given."""
    return [MigrationFile(version_of(name), folder.script(name)) for name in names]
