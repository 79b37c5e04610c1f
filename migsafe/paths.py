"""Paths as migsafe uses and shows them: relative to the current folder, and with forward slashes on every system."""

import os
import re

from migsafe.patterns import lazy_pattern

_IS_WINDOWS = os.name == "nt"
_VERBATIM = lazy_pattern(r"[\\/]{2}[?.][\\/](?:(UNC)[\\/]|(?=[A-Za-z]:))", re.IGNORECASE)
r"""The prefix of a path that Windows passes on unchanged: `\\?\C:\shop`, `\\?\UNC\server\shop`."""


def with_slashes(path: str) -> str:
    r"""Returns a path of the user with forward slashes, which Windows accepts, too; elsewhere a backslash is part of a name, and the path is
    returned unchanged. The prefix `\\?\` is removed, because Windows accepts no forward slashes after it."""
    if not _IS_WINDOWS:
        return path
    verbatim = _VERBATIM.match(path)
    if verbatim is not None:
        path = ("//" if verbatim[1] else "") + path[verbatim.end() :]
    return path if path.startswith("\\\\?\\") else path.replace("\\", "/")


def relative_path(path: "str | os.PathLike[str]", start: "str | os.PathLike[str]" = ".") -> str:
    """Returns a path relative to a folder, with forward slashes; the absolute path if they are on different drives of Windows."""
    try:
        return with_slashes(os.path.relpath(path, start))
    except ValueError:
        return with_slashes(os.path.abspath(path))  # noqa: PTH100  # keep the name of a symbolic link
