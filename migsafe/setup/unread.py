"""What a repository has beside the migrations that migsafe reads: migrations in other languages, and dumps of the schema."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

_SKIPPED = frozenset("node_modules site-packages vendor venv __pycache__ target dist build out third_party".split())
_TOOLS = (
    (re.compile(r"(?P<folder>(?:.*/)?db/(?:\w+_)?migrate)/(?:[^/]+/)*\d{8,}_\w+\.rb"), "Rails, in Ruby"),
    (re.compile(r"(?P<folder>(?:.*/)?migrations)/\d{4}_\w+\.py"), "Django, in Python"),
    (re.compile(r"(?P<folder>(?:.*/)?(?:repo/)?migrations)/\d{14}_\w+\.exs"), "Ecto, in Elixir"),
    (re.compile(r"(?P<folder>(?:.*/)?database/migrations)/\d{4}_\d\d_\d\d_\w+\.php"), "Laravel, in PHP"),
    (re.compile(r"(?P<folder>(?:.*/)?Migrations)/\d{8,}_\w+(?<!Designer)\.cs"), "Entity Framework, in C#"),
    (re.compile(r"(?P<folder>(?:.*/)?migrations?)/\d{8,}[-_][\w-]+(?<!\.d)\.[jt]s"), "a runner in JavaScript or TypeScript"),
    (re.compile(r"(?P<folder>(?:.*/)?migrations?)/\d+_\w+\.go"), "a runner in Go"),
    (re.compile(r"(?P<folder>(?:.*/)?(?:db/)?changelogs?)/(?:[^/]+/)*[^/]+\.(?:xml|ya?ml|json)"), "Liquibase in XML, YAML or JSON"),
)
_STRUCTURE = re.compile(r"(?:.*/)?(?:structure|schema)\.sql")
_DUMP = re.compile(r"^-- PostgreSQL database dump|^SELECT pg_catalog\.set_config\('search_path'", re.MULTILINE)
_HEAD = 4000


_PRINTED_BY = {"Django, in Python": "python manage.py sqlmigrate APP MIGRATION"}
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
        return f"{self.count:,} files"


def files_of(root: Path) -> list[str]:
    """Returns the files of a repository, as paths from its root, without those of dependencies and builds."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and (name[0] != "." or name == ".github"))
        relative = Path(folder).relative_to(root).as_posix()
        found += [name if relative == "." else f"{relative}/{name}" for name in sorted(files)]
    return found


def unread_histories(files: list[str], read: list[str]) -> list[UnreadHistory]:
    """Returns the folders of migrations among the files that migsafe does not read. `read` are the folders that it does."""
    counts: Counter[tuple[str, str]] = Counter()
    for file in files:
        if any(PurePosixPath(file).is_relative_to(folder) for folder in read):
            continue
        for pattern, tool in _TOOLS:
            if match := pattern.fullmatch(file):
                counts[match["folder"], tool] += 1
                break
    # A single migration of a tool is more often a test or a template.
    return [UnreadHistory(path, count, tool) for (path, tool), count in sorted(counts.items()) if count > 1]


def dumped_schemas(root: Path, files: list[str]) -> Iterator[str]:
    """Yields the dumps of a schema, such as Rails' db/structure.sql."""
    for file in files:
        if _STRUCTURE.fullmatch(file):
            try:
                with (root / file).open(encoding="utf-8", errors="replace") as opened:
                    head = opened.read(_HEAD)
            except OSError:
                continue
            if _DUMP.search(head):
                yield file
