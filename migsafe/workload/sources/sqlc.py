"""The configuration of sqlc, which names the files of queries: sqlc.yaml, sqlc.yml and sqlc.json, versions 1 and 2."""

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from migsafe.errors import UnreadableError
from migsafe.sources.custom import glob_pattern
from migsafe.workload.sources.files import ProjectFiles
from migsafe.workload.sources.yaml import parse_yaml

NAMES = ("sqlc.yaml", "sqlc.yml", "sqlc.json")
_POSTGRESQL = "postgresql"


def is_configuration(name: str) -> bool:
    """Whether a file is a configuration of sqlc, by its name."""
    return posixpath.basename(name).removeprefix(".") in NAMES


class SqlcFiles(Struct, frozen=True):
    """The files that a configuration names: those of `queries` for PostgreSQL, and all `others`, of schemas and of other databases."""

    queries: tuple[str, ...]
    others: tuple[str, ...]


def sqlc_files(files: ProjectFiles, configuration: str) -> SqlcFiles:
    """Returns the files that a configuration names. Raises UnreadableError."""
    text = files.read(configuration)
    try:
        document: Any = json.loads(text) if configuration.endswith(".json") else parse_yaml(text)
    except ValueError as error:
        raise UnreadableError(f"{files.path(configuration)}: is not valid JSON: {error}") from error
    folder = posixpath.dirname(configuration)
    queries: dict[str, None] = {}
    others: dict[str, None] = {}
    for part, is_postgresql in _parts(document):
        for key in ("queries", "schema"):
            target = queries if key == "queries" and is_postgresql else others
            for path in _paths(part.get(key)):
                target |= dict.fromkeys(_expanded(files, posixpath.normpath(posixpath.join(folder, path))))
    return SqlcFiles(tuple(queries), tuple(name for name in others if name not in queries))


def _parts(document: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yields the parts of a configuration, and whether they are for PostgreSQL, which version 1 need not name."""
    for key, default in (("sql", ""), ("packages", _POSTGRESQL)):
        parts = document.get(key) if isinstance(document, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                yield part, (part.get("engine") or default) == _POSTGRESQL


def _paths(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _expanded(files: ProjectFiles, path: str) -> list[str]:
    """Returns the files of a path: a file, the .sql files in a folder, or a glob."""
    if any(character in path for character in "*?["):
        head = path[: min(path.find(character) for character in "*?[" if character in path)]
        pattern = re.compile(glob_pattern(path))
        return [name for name in files.below(posixpath.dirname(head) or ".") if pattern.fullmatch(name)]
    if files.is_folder(path):
        inner = "" if path == "." else f"{path}/"
        return [name for name in files.below(path) if name.endswith(".sql") and "/" not in name[len(inner) :]]
    return [path] if files.is_file(path) else []
