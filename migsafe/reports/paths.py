"""Paths in reports for programs: relative to the root of the repository, with forward slashes."""

import os
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import quote

from migsafe.paths import relative_path

STDIN = "-"
"""The path of a script from standard input."""


@cache
def root(folder: Path) -> Path:
    """Returns the root of the repository that contains a folder; the folder itself if there is none."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def from_root(path: str) -> str:
    """Returns a path, as the user typed it, relative to the root of the repository; for standard input, `stdin`."""
    if path == STDIN:
        return "stdin"
    return unicode(_from(Path(os.path.abspath(path)), root(Path.cwd())))  # noqa: PTH100  # keep the name of a symbolic link


def address(path: str) -> str:
    """Returns a path as a URI: relative to the root of the repository, or absolute if the file is not in it."""
    if path == STDIN:
        return "stdin"
    return uri(Path(os.path.abspath(path)), root(Path.cwd()))  # noqa: PTH100


def uri(path: PurePath, base: PurePath) -> str:
    """Returns a file's URI, relative to a folder that contains it. Bytes that are not valid UTF-8 keep their values."""
    if not path.is_relative_to(base):
        return path.as_uri()
    return quote(os.fsencode(path.relative_to(base).as_posix()))


def unicode(name: str) -> str:
    """Returns a file's name with the bytes that are not valid UTF-8 replaced, so that it can be written."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _from(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else relative_path(path, base)
