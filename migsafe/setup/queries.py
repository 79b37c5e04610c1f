"""The application's queries in a repository, for `queries` of the configuration."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern
from migsafe.text import Script
from migsafe.workload.document import header
from migsafe.workload.query import Query
from migsafe.workload.query_names import names_queries
from migsafe.workload.reading import read_workload
from migsafe.workload.sources.files import ProjectFiles
from migsafe.workload.sources.python import is_read, python_queries
from migsafe.workload.sources.sqlc import is_configuration, sqlc_files
from migsafe.workload.sources.sqlx import FOLDER, OLD_FILE

_NOT_OF_THE_APPLICATION = frozenset("test tests testdata testing spec specs fixtures example examples sample samples demo e2e".split())
_SCRIPTS = frozenset("script scripts bin tool tools doc docs notebook notebooks".split())
"""Folders of Python that no request of the application runs."""
_HEAD = 1 << 16
_LARGEST_MODULE = 1 << 20
_CALLS_SQL = lazy_pattern(r"\b(?:text|execute\w*|fetch\w*|raw|read_sql\w*|prepare|scalars?|iterate|cursor)\s*\(")


class QuerySource(Struct, frozen=True):
    """A file or folder of queries: its path from the repository's root, what it is, and how many queries it has."""

    path: str
    title: str
    count: int

    @property
    def counted(self) -> str:
        """The number of queries, in words."""
        return "1 query" if self.count == 1 else f"{self.count:,} queries"


def query_sources(root: Path, files: Sequence[str], migrations: Sequence[str]) -> list[QuerySource]:
    """Returns the files and folders of queries. `files` are those of the repository, `migrations` the folders of its histories."""
    wanted = [
        file
        for file in files
        if _NOT_OF_THE_APPLICATION.isdisjoint(PurePosixPath(file).parts[:-1])
        and not any(PurePosixPath(file).is_relative_to(folder) for folder in migrations)
    ]
    found: list[QuerySource] = []
    for path, title in _candidates(root, wanted):
        try:
            count = len(read_workload([str(root / path)], str(root)).queries)
        except MigsafeError:
            continue
        if count:
            found.append(QuerySource(path, title, count))
    python = [file for file in wanted if is_read(file) and _SCRIPTS.isdisjoint(PurePosixPath(file).parts[:-1])]
    packaged = [file for file in python if "/" in file]
    modules = {file: count for file in packaged if (count := _queries_in_module(root / file))}
    # Beside packages with queries, the modules in the root are scripts.
    modules = modules or {file: count for file in python if (count := _queries_in_module(root / file))}
    paths = _covering("", tuple(modules), [source.path for source in found])
    return [*found, *(QuerySource(path, "SQL in Python", sum(modules[file] for file in modules if _is_below(file, path))) for path in paths)]


def _queries_in_module(path: Path) -> int:
    """Returns the number of queries in a Python module."""
    if not path.is_file():
        return 0  # opening a named pipe would wait for a writer
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST_MODULE else ""
        queries = python_queries(Script(str(path), text)) if _CALLS_SQL.search(text) else ()
        return sum(isinstance(each, Query) for each in queries)
    except (OSError, ValueError, MigsafeError):
        return 0


def _covering(folder: str, files: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Yields the highest folders below one that contain some files, and no other source of queries; the files themselves where there is no
    such folder. The root of the repository is not one of them."""
    if not files:
        return
    if folder and not any(_is_below(other, folder) for other in others):
        yield str(PurePosixPath(os.path.commonpath([str(PurePosixPath(file).parent) for file in files])))
        return
    children: dict[str, list[str]] = {}
    for file in files:
        depth = len(PurePosixPath(folder).parts) + 1
        children.setdefault(str(PurePosixPath(*PurePosixPath(file).parts[:depth])), []).append(file)
    for child, own in children.items():
        if own == [child]:
            yield child
        else:
            yield from _covering(child, own, others)


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)


def _candidates(root: Path, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the paths that may contain queries, and what they are."""
    project = ProjectFiles(str(root))
    of_sqlc: set[str] = set()
    for file in files:
        if is_configuration(file):
            try:
                configured = sqlc_files(project, file)
            except MigsafeError:
                continue
            of_sqlc.update((*configured.queries, *configured.others))
            yield file, "sqlc"
        name = PurePosixPath(file)
        if name.name == "Cargo.toml" and (root / name.parent / FOLDER).is_dir():
            yield (name.parent / FOLDER).as_posix(), "sqlx"
        elif name.name == OLD_FILE:
            yield file, "sqlx"
        elif name.suffix == ".jsonl" and _head(root / file).startswith(header()[:10].decode()):
            yield file, "recorded"
    named = {
        PurePosixPath(file).parent for file in files if file.endswith(".sql") and file not in of_sqlc and names_queries(_head(root / file))
    }
    for folder in sorted(named):
        if named.isdisjoint(folder.parents) and folder.parts:
            yield folder.as_posix(), "named queries"


def _head(path: Path) -> str:
    if not path.is_file():
        return ""  # opening a named pipe would wait for a writer
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).decode(errors="replace")
    except OSError:
        return ""
