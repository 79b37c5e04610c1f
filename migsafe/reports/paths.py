"""Where a finding's file is, as the programs that read reports want it: from the root of the repository, with forward slashes."""

import os
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import quote

STDIN = "-"
"""What a script is called that came from standard input."""


@cache
def root(folder: Path) -> Path:
    """The root of the repository that a folder is in; the folder itself where it is in none."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def from_root(path: str) -> str:
    """A path as the user typed it, from the root of the repository; of standard input, `stdin`."""
    if path == STDIN:
        return "stdin"
    return unicode(_from(Path(os.path.abspath(path)), root(Path.cwd())))  # noqa: PTH100  # a link stays what it is called


def address(path: str) -> str:
    """The same as a URI: relative to the root of the repository, or absolute where the file is not in it."""
    if path == STDIN:
        return "stdin"
    return uri(Path(os.path.abspath(path)), root(Path.cwd()))  # noqa: PTH100


def uri(path: PurePath, base: PurePath) -> str:
    """A file's URI, relative to a folder that it is in. Bytes that are no character keep their values."""
    if not path.is_relative_to(base):
        return path.as_uri()
    return quote(os.fsencode(path.relative_to(base).as_posix()))


def unicode(name: str) -> str:
    """A file's name may hold bytes that are no character; what is written as UTF-8 may not."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _from(path: Path, base: Path) -> str:
    if path.is_relative_to(base):
        return path.relative_to(base).as_posix()
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
