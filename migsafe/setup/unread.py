"""What a repository has beside the migrations that migsafe reads: migrations in other languages, and dumps of the schema."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.setup.classification import CHANGES, DUMP, other_database
from migsafe.sources.plain import NUMBERED

_SKIPPED = frozenset("node_modules site-packages vendor venv __pycache__ target dist build out third_party".split())
_SCRIPTED = "a runner in JavaScript or TypeScript"
_TOOLS = (
    (re.compile(r"(?P<folder>(?:.*/)?db/(?:\w+_)?migrate)/(?:[^/]+/)*\d{8,}_\w+\.rb"), "Rails, in Ruby"),
    (re.compile(r"(?P<folder>(?:.*/)?migrat(?:e|ions?))/\d{3,}_\w+\.rb"), "Sequel, in Ruby"),
    (re.compile(r"(?P<folder>(?:.*/)?[mM]igrations(?:/\w+)?)/Version\d{14}\.php"), "Doctrine, in PHP"),
    (re.compile(r"(?P<folder>(?:.*/)?[mM]igrations)/\d{14}_\w+\.php"), "Phinx, in PHP"),
    (re.compile(r"(?P<folder>(?:.*/)?migrations)/\d{4}_\w+\.py"), "Django, in Python"),
    (re.compile(r"(?P<folder>(?:.*/)?(?:\w+_)?migrations)/\d{14}_\w+\.exs"), "Ecto, in Elixir"),
    (re.compile(r"(?P<folder>(?:.*/)?database/migrations)/\d{4}_\d\d_\d\d_\w+\.php"), "Laravel, in PHP"),
    (re.compile(r"(?P<folder>(?:.*/)?Migrations)/\d{8,}_\w+(?<!Designer)\.cs"), "Entity Framework, in C#"),
    (
        re.compile(r"(?P<folder>(?:.*/)?(?:migrations?|alterations?)(?:/\w+)?)/(?:[\w.]+-)?\d{4,}[-_.][\w.-]+(?<!\.d)\.[cm]?[jt]s", re.I),
        _SCRIPTED,
    ),
    (re.compile(r"(?P<folder>(?:.*/)?migrations?)/\d+_\w+\.go"), "a runner in Go"),
    (re.compile(r"(?P<folder>(?:.*/)?(?:db/)?changelogs?)/(?:[^/]+/)*[^/]+\.(?:xml|ya?ml|json)"), "Liquibase in XML, YAML or JSON"),
)
_TESTS = lazy_pattern(r"(?:^|/)(?:__)?(?:tests?|specs?|fixtures|snapshots?)(?:__)?/|\.(?:test|spec)\.", re.I)
_LIBRARIES = (
    (re.compile(r"\bMigrationInterface\b"), "TypeORM, in TypeScript"),
    (re.compile(r"\bqueryInterface\b"), "Sequelize, in JavaScript"),
    (re.compile(r"\bpgm\b|node-pg-migrate"), "node-pg-migrate, in JavaScript"),
    (re.compile(r"\bKysely\b"), "Kysely, in TypeScript"),
    (re.compile(r"@mikro-orm/"), "MikroORM, in TypeScript"),
    (re.compile(r"\bknex\b", re.I), "Knex, in JavaScript"),
)
"""What the scripts of a library contain, and the library."""
_STRUCTURE = lazy_pattern(r"(?:.*/)?(?:structure|schema)\.sql")
_MIGRATIONS = lazy_pattern(r"(?:^|/)[^/]*migrations?(?:/[^/]+)?$", re.I)
"""A folder of migrations, or one in it."""
_HEAD = 4000
_MOST_OF_A_TOOL = 5


_PRINTED_BY = {
    "Django, in Python": "python manage.py sqlmigrate APP MIGRATION",
    "Entity Framework, in C#": "dotnet ef migrations script FROM TO",
}
"""The commands that print the SQL of a migration, and nothing else, by what writes or runs it."""


class UnreadHistory(Struct, frozen=True):
    """A folder of migrations that migsafe does not read: its path from the root, how many files it has, and what writes or runs them."""

    path: str
    count: int
    tool: str

    @property
    def prints(self) -> str | None:
        """The command that prints the SQL of its migrations; None if its runner has none."""
        return _PRINTED_BY.get(self.tool)

    @property
    def counted(self) -> str:
        """The number of files, in words."""
        return "1 file" if self.count == 1 else f"{self.count:,} files"


def files_of(root: Path) -> list[str]:
    """Returns the files of a repository, as paths from its root, without those of dependencies and builds."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and (name[0] != "." or name == ".github"))
        relative = Path(folder).relative_to(root).as_posix()
        found += [name if relative == "." else f"{relative}/{name}" for name in sorted(files)]
    return found


def unread_histories(root: Path, files: Sequence[str], read: Sequence[tuple[str, str]]) -> list[UnreadHistory]:
    """Returns the folders of migrations among the files of a repository that migsafe does not read. `read` are the folders that it does, each
    with the suffix of its migrations."""
    folders: dict[tuple[str, str], list[str]] = {}
    for file in files:
        if _TESTS.search(file) or any(file.endswith(suffix) and PurePosixPath(file).is_relative_to(folder) for folder, suffix in read):
            continue
        for pattern, tool in _TOOLS:
            if match := pattern.fullmatch(file):
                if not other_database(match["folder"].rpartition("/")[2]):
                    folders.setdefault((match["folder"], tool), []).append(file)
                break
    found = [UnreadHistory(path, len(inside), _library(root / inside[0], tool)) for (path, tool), inside in sorted(folders.items())]
    # A single migration of a tool, beside others, is more often a test or a template.
    return [history for history in found if history.count > 1] or (found if not read else [])


def unordered_folders(root: Path, files: Sequence[str], read: Sequence[str]) -> dict[str, int]:
    """Returns the folders with migrations in their path, and SQL that changes tables in files without numbers, by path, with how many files
    each has. Those in the folders that are `read`, and those with another database in their name, do not count."""
    folders: dict[str, list[str]] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        if name.endswith(".sql") and _MIGRATIONS.search(folder) and not _TESTS.search(file):
            folders.setdefault(folder, []).append(file)
    return {
        folder: len(inside)
        for folder, inside in folders.items()
        if len(inside) > 1
        and not any(PurePosixPath(folder).is_relative_to(path) for path in read)
        and not any(map(other_database, folder.split("/")))
        and not any(NUMBERED.match(file.rpartition("/")[2]) for file in inside)
        and any(CHANGES.search(_head(root / file)) for file in inside)
    }


def summarised(histories: Sequence[UnreadHistory]) -> list[UnreadHistory]:
    """Returns the histories, those of a tool as one if they are many, as the apps of Django are."""
    shown = []
    for tool in dict.fromkeys(history.tool for history in histories):
        own = [history for history in histories if history.tool == tool]
        if len(own) > _MOST_OF_A_TOOL:
            more = f"{own[0].path} and {len(own) - 1} more folders"
            own = [UnreadHistory(more, sum(history.count for history in own), tool)]
        shown += own
    return shown


def _library(script: Path, tool: str) -> str:
    """Returns the library that runs a script, if its text shows it."""
    if tool != _SCRIPTED:
        return tool
    text = _head(script)
    return next((library for pattern, library in _LIBRARIES if pattern.search(text)), tool)


def dumped_schemas(root: Path, files: list[str]) -> Iterator[str]:
    """Yields the dumps of a schema, such as Rails' db/structure.sql."""
    for file in files:
        if _STRUCTURE.fullmatch(file) and DUMP.search(_head(root / file)):
            yield file


def _head(path: Path) -> str:
    try:
        if not path.is_file():
            return ""  # opening a named pipe would wait for a writer
        with path.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_HEAD)
    except OSError:
        return ""
