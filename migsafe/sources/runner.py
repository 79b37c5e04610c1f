"""The description of a runner, and the folders of migrations."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError, reason_of
from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling, Lineage
from migsafe.sources.migration import Migration, Transaction
from migsafe.text import Script

OTHER_DATABASES = frozenset(
    "mysql mariadb sqlite sqlite3 h2 hsqldb derby mssql sqlserver oracle db2 cockroach cockroachdb crdb clickhouse cassandra spanner "
    "snowflake bigquery duckdb".split()
)
"""Names of folders with scripts for another database, in lower case."""
_SAMPLE_FILES = 3
_ABOVE = 6
_OTHER_DATABASES = lazy_pattern(
    r"[._-](?:mysql|mariadb|sqlite3?|cockroach(?:db)?|crdb|mssql|sqlserver|oracle|h2|clickhouse|duckdb|spanner)\.", re.IGNORECASE
)


class EditHandling(Enum):
    """What a runner does if a migration that a database has applied is edited."""

    REFUSES = "refuses"
    """It compares checksums, and stops."""
    IGNORES = "ignores"


class PsqlSyntax(Enum):
    """What a runner does with psql's own syntax: meta-commands, and the rows after COPY … FROM stdin. Only psql reads these; a server refuses
    them, and so does a driver (tried with dbmate, node-pg-migrate and Alembic with psycopg2, psycopg and asyncpg)."""

    READ = "read"
    """psql runs the scripts, or it is not known what does."""
    SENT = "sent"
    """It sends the script to the server."""
    SENT_UNLESS_USED = "sent unless used"
    """It sends the script to the server. It is recognised by the names of the files: a script that uses psql on purpose is not its own."""


class MigrationFile(Struct, frozen=True):
    """The files of a migration, before any of them is read.

    `id` is its version, `up` the script that applies it, `down` the script that undoes it, if that is a separate file, `settings_file` a
    file from which the runner reads settings for it. `parents` are the versions that it depends on directly; None if it depends on all that
    precede it in the runner's order. `lineage` is what is wrong with its place in the history, whichever migrations are selected. A
    `repeatable` one runs again when it changes. `ordinal` is what the runner compares with the last applied migration, if that is not the place
    in the order; `late` how it handles a late migration, if settings decide that. A draft is not deployed anywhere.
    """

    id: str
    up: Script
    down: Script | None = None
    settings_file: Script | None = None
    parents: tuple[str, ...] | None = None
    lineage: Lineage = Lineage()
    repeatable: bool = False
    ordinal: int | None = None
    late: LateHandling | None = None
    is_draft: bool = False

    @property
    def template_values(self) -> Mapping[str, str]:
        """The values that the project's settings of the runner give to templates, by their names in lower case."""
        return {}

    def with_text(self, script: Script) -> "MigrationFile":
        """Returns the same migration with another text of its upgrade, and without a downgrade."""
        return replace(self, up=script, down=None)

    def edited(self, scripts: Mapping[str, Script]) -> "MigrationFile":
        """Returns the same migration with the texts of edited scripts, which are given by their absolute paths."""

        def now(script: Script | None) -> Script | None:
            other = scripts.get(os.path.abspath(script.path)) if script is not None else None  # noqa: PTH100  # resolve() asks the file system
            return Script(script.path, other.text) if script is not None and other is not None else script

        return replace(self, up=now(self.up) or self.up, down=now(self.down), settings_file=now(self.settings_file))

    def is_among(self, files: Collection[str]) -> bool:
        """Whether one of the files that define the upgrade is among absolute paths. Standard input always is."""
        scripts = (self.up, self.settings_file)
        return self.up.path == "-" or any(os.path.realpath(script.path) in files for script in scripts if script is not None)


class Folder:
    """A folder of migrations, listed once.

    `path` is what the user would type; `requested_file` the file in it that the user named, if any. `edited` are scripts, by their absolute
    paths, whose texts are not those on the disk. Raises MigsafeError if it cannot be read.
    """

    def __init__(self, path: str, named: str | None = None) -> None:
        self.path = path
        self.requested_file = named
        self._scripts: dict[str, Script] = {}
        self.edited: Mapping[str, Script] = {}
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(path or ".") as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else files).append(entry.name)
        except OSError as error:
            raise MigsafeError(f"{path or '.'}: cannot be read: {reason_of(error)}", "Check its permissions.") from error
        self.files = sorted(files)
        self.folders = sorted(folders)

    @classmethod
    def of_script(cls, path: str, script: Script) -> "Folder":
        """Returns a folder that contains only one script: for standard input, and for a file that is not one of its folder's migrations."""
        folder = cls.__new__(cls)
        folder.path, _, folder.requested_file = path.rpartition("/")
        folder.files, folder.folders = [folder.requested_file], []
        folder.sql_files = [folder.requested_file]
        folder._scripts = {folder.requested_file: script}
        folder.edited = {}
        return folder

    def join(self, *names: str) -> str:
        """Returns the path of a file or folder in this one, as the user would type it."""
        return "/".join(names if self.path in ("", ".") else (self.path.rstrip("/"), *names))

    def script(self, *names: str) -> Script:
        """Returns a file in this folder; the same Script each time, so that its text is read once."""
        name = "/".join(names)
        return self._scripts.setdefault(name, Script(self.join(name)))

    def has_file(self, *names: str) -> bool:
        """Whether the folder contains the file."""
        return os.path.isfile(self.join(*names))

    def subfolder(self, name: str) -> "Folder":
        """Returns a folder in this one. Raises MigsafeError if it cannot be read."""
        return Folder(self.join(name))

    def identity_of(self, name: str) -> tuple[int, int]:
        """Returns the device and inode of a folder in this one."""
        return folder_identity(self.join(name))

    def self_and_parents(self) -> Iterator[Path]:
        """Yields this folder and its parents, up to the root of the repository."""
        path = Path(self.path or ".").absolute()
        for folder in (path, *path.parents[:_ABOVE]):
            yield folder
            if (folder / ".git").exists():
                return

    @cached_property
    def sql_files(self) -> list[str]:
        """The names of its .sql files, sorted, without those for another database."""
        return [name for name in self.files if name.endswith(".sql") and name[0] != "." and not _OTHER_DATABASES.search(name)]

    def has_for_another_database(self, name: str) -> bool:
        """Whether a script is for another database, like `1_a.mysql.up.sql`, beside those for PostgreSQL. A name like `1_from_mysql.sql` may
        say what a script does instead."""
        match = _OTHER_DATABASES.search(name)
        return match is not None and match[0][0] == "." and bool(self.sql_files)

    @cached_property
    def python_files(self) -> list[str]:
        """The names of its Python scripts, sorted."""
        return [name for name in self.files if name.endswith(".py") and not name.startswith((".#", "__init__"))]

    @cached_property
    def sample(self) -> list[str]:
        """The texts of the requested .sql file and of a few others: enough to recognise the runner by its directives."""
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
        """Whether one of the sampled .sql files matches the pattern."""
        return any(pattern.search(text) for text in self.sample)

    def mentions_in_python(self, pattern: re.Pattern[str]) -> bool:
        """Whether one of a few of its Python scripts matches the pattern."""
        return any(pattern.search(text) for text in self._some_of(self.python_files))


def subfolders(folder: Folder) -> Iterator[Folder]:
    """Yields all folders below a folder, each once, without hidden ones, those for another database, and those that cannot be listed."""
    seen = {folder_identity(folder.path)}
    waiting = [folder]
    while waiting:
        outer = waiting.pop()
        inner: list[Folder] = []
        for name in outer.folders:
            if name[0] == "." or name.lower() in OTHER_DATABASES or outer.identity_of(name) in seen:
                continue
            seen.add(outer.identity_of(name))
            try:
                inner.append(outer.subfolder(name))
            except MigsafeError:
                continue
        yield from inner
        waiting += reversed(inner)


def folder_identity(path: str) -> tuple[int, int]:
    """Returns the device and inode of a folder, the same by whichever path it is reached; zeros if it cannot be read."""
    try:
        state = Path(path or ".").stat()
    except OSError:
        return (0, 0)
    return (state.st_dev, state.st_ino)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link in a cycle
        return False


def folder_itself(folder: Folder) -> list[Folder]:
    """Returns the folder alone."""
    return [folder]


Selection = list[tuple[MigrationFile, bool]]
"""The files of a history, each with whether it is selected."""


def one_database(files: Selection) -> list[Selection]:
    """Returns the files of a runner that has one database."""
    return [files]


def no_problems(folder: Folder) -> list[UnreadableError]:
    """Returns the empty list, for runners without settings that migrations can be judged without."""
    return []


class Unused(Struct, frozen=True):
    """A folder of migrations that its runner does not run on PostgreSQL: the path, the runner's title, how many migrations it has, why, as a
    clause, and what to do about it. `foreign` if they are for another database."""

    path: str
    runner: str
    count: int
    reason: str
    remedy: str
    foreign: bool = False


def none_unused(folder: Folder) -> Unused | None:
    """Returns None, for runners that recognise a folder by migrations that they run."""
    return None


def for_other_database(folder: Folder, runner: str, count: int, database: str) -> Unused:
    """Returns that the migrations of a folder are for another database than PostgreSQL."""
    return Unused(folder.path, runner, count, f"they are for {database}", "migsafe checks migrations of PostgreSQL only.", foreign=True)


def recorded_version(file: MigrationFile) -> str:
    """Returns the version, which is all that most runners record."""
    return file.id


def recorded_name(file: MigrationFile) -> str:
    """Returns the name of the file, for runners that record it, and for those of which nothing is known."""
    return file.up.path.replace("\\", "/").rpartition("/")[2]


class Runner(Struct, frozen=True):
    """A program that applies migrations.

    `recognises` tells whether the migrations of a folder are this runner's. `history_folders` returns one folder for each history that a
    recognised folder contains or leads to, usually the folder itself; `files` lists the migrations of such a folder in the runner's order.
    `read` returns the migrations of a file (most formats have one per file), and raises UnreadableError. `default_transaction` is how the
    runner sends a migration without directives. `outside_transaction_advice` says, as an imperative, how to make a migration run outside a
    transaction; with `one_statement_outside`, only one statement of a file can be; `own_query_advice` how to send a statement by itself where
    directives make several of them one query. `index_outside_advice` says what an index that is built
    CONCURRENTLY needs in addition. `connection_advice` says where to set a `lock_timeout` for every migration; `retry_advice` what to do after
    a migration failed because a lock_timeout expired. A runner that `searches_subfolders` lists the folders below by itself. One with
    `unique_versions` records the versions that have run: of two migrations with the same version it rejects both, or never runs one. The names
    of its files end in `suffix`. `databases` returns the files as each of the databases of one run receives them; most runners have one.

    One that `keeps_session` sends all migrations of a run on one connection, and resets no settings between them. `own_table` is the one in
    which it records a migration on that connection, if it names that without a schema; `record_table` is the statement that creates its table
    of records, which exists before the first migration runs. `psql_syntax` is what it does with psql's syntax.

    `late`, `edited` and `renamed` say what it does with a history that changes after a database has applied it (`renamed`: to another name, or
    removed; like `edited` if it is None, and IGNORES if it is a new migration to it); `record` returns what it stores to recognise a migration
    that has run. `past_files` returns the migrations of scripts at an earlier time, if `files` needs more than these.
    `problems` returns what cannot be read of the settings of a history folder, although its migrations can be judged without them; `unused` why
    a folder that it recognises has no migrations.
    """

    name: str
    title: str
    default_transaction: Transaction
    recognises: Callable[[Folder], bool]
    files: Callable[[Folder], list[MigrationFile]]
    read: Callable[[MigrationFile], list[Migration]]
    outside_transaction_advice: str
    retry_advice: str
    own_query_advice: str = ""
    connection_advice: str = "in the URL of the database, `?options=-c%20lock_timeout%3D2s`"
    searches_subfolders: bool = False
    unique_versions: bool = False
    history_folders: Callable[[Folder], list[Folder]] = folder_itself
    suffix: str = ".sql"
    one_statement_outside: bool = False
    index_outside_advice: str = ""
    databases: Callable[[Selection], list[Selection]] = one_database
    keeps_session: bool = False
    own_table: str = ""
    record_table: str = ""
    platform: str = ""
    """What exists before the first migration in each database that it is for, as SQL: the part of it that projects use."""
    psql_syntax: PsqlSyntax = PsqlSyntax.READ
    late: LateHandling = LateHandling.UNKNOWN
    edited: EditHandling = EditHandling.IGNORES
    renamed: EditHandling | None = None
    record: Callable[[MigrationFile], str] = recorded_version
    past_files: Callable[[Iterable[Script]], list[MigrationFile]] | None = None
    problems: Callable[[Folder], list[UnreadableError]] = no_problems
    unused: Callable[[Folder], Unused | None] = none_unused


def number_key(name: str) -> tuple[int, str]:
    """Returns a key that sorts file names by the number they begin with, then by name; those without a number come last."""
    digits = re.match(r"[vV]?(\d+)", name)
    return (int(digits[1]), name) if digits else (10**30, name)


def natural_key(name: str) -> list[tuple[int, str]]:
    """Returns a key that sorts numbers in names by their value: v1.9 before v1.10."""
    return [(int(digits), "") if digits else (-1, rest) for digits, rest in re.findall(r"(\d+)|(\D+)", name)]


def version_of(name: str) -> str:
    """Returns the version that a file name begins with; the whole stem if it does not begin with a digit."""
    digits = re.match(r"[vV]?(\d+(?:\.\d+)*)(?=[_.\-]|$)", name)
    return digits[1] if digits else name.removesuffix(".sql")


def single_file_migrations(folder: Folder, names: Iterable[str]) -> list[MigrationFile]:
    """Returns one migration for each file, in the order given."""
    return [MigrationFile(version_of(name), folder.script(name)) for name in names]
