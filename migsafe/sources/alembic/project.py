"""The Alembic projects that a folder contains or belongs to."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern
from migsafe.sources.alembic.settings import Settings, read_settings
from migsafe.sources.runner import Folder, folder_identity

_DOWN_REVISION = lazy_pattern(r"^(?:revision\b[^\n#]*[;,][ \t]*)?down_revision\b.*=", re.MULTILINE)
"""An assignment of `down_revision`, which may follow that of `revision` on its line."""
_REVISION_FILE = lazy_pattern(r"(?!\.\#|__init__).*\.py$")
"""The scripts that Alembic loads (alembic/script/base.py, _only_source_rev_file)."""
_ABOVE = 8


class Project(Struct, frozen=True):
    """The files of a history: the folders of its versions, whether their subfolders count, and its env.py, if there is one."""

    versions: tuple[str, ...]
    recursive: bool = False
    env: str | None = None
    settings: Settings | None = None

    def scripts(self) -> Iterator[tuple[str, str]]:
        """Yields the paths of possible revision scripts, in Alembic's order, each with its folder of versions. A folder that is
        listed twice counts once."""
        seen = set()
        for folder in self.versions:
            for root, folders, files in os.walk(folder):
                folders[:] = sorted(name for name in folders if not name.endswith("__pycache__")) if self.recursive else []
                if os.path.realpath(root) in seen:
                    continue
                seen.add(os.path.realpath(root))
                before = f"{root.replace(os.sep, '/').removeprefix('./').rstrip('/')}/" if root not in ("", ".") else ""
                yield from ((before + name, folder) for name in sorted(files) if _REVISION_FILE.match(name))


def history_folders(folder: Folder) -> list[Folder]:
    """Returns the first folder of versions of each history that a folder contains or leads to. Raises UnreadableError for invalid settings."""
    paths = [folders.versions[0] for folders in read_settings(folder)]
    if not paths and "env.py" in folder.files:
        identity = folder_identity(folder.path)
        paths = [folders.versions[0] for folders in _settings_above(folder.path) if folder_identity(folders.script_location) == identity]
        if not paths and "versions" in folder.folders:
            paths = [folder.join("versions")]
    if not paths and folder.mentions_in_python(_DOWN_REVISION):
        paths = [find_project(folder).versions[0]]
    folders = []
    for path in dict.fromkeys(paths):
        try:
            folders.append(folder if folder_identity(path) == folder_identity(folder.path) else Folder(path))
        except MigsafeError:
            continue
    return folders


def find_project(versions: Folder) -> Project:
    """Returns the project that a folder of versions belongs to. Raises UnreadableError for invalid settings."""
    for settings in _settings_above(versions.path):
        if _has_versions_in(settings, versions.path):
            # Messages show the path that the user typed.
            paths = tuple(
                versions.path or "." if folder_identity(path) == folder_identity(versions.path) else path for path in settings.versions
            )
            return Project(paths, settings.recursive, _env(settings.script_location), settings)
    return Project((versions.path or ".",), env=next((env for above in _above(versions.path)[:4] if (env := _env(above))), None))


def _settings_above(path: str) -> Iterator[Settings]:
    """Yields the settings in a folder and in its parents."""
    for above in _above(path):
        try:
            folder = Folder(above)
        except MigsafeError:
            continue
        yield from read_settings(folder)


def _has_versions_in(settings: Settings, path: str) -> bool:
    """Whether the settings name a folder among their versions."""
    version_folders = {folder_identity(folder) for folder in settings.versions if os.path.isdir(folder)}
    start = Path(path or ".").absolute()
    return any(folder_identity(str(folder)) in version_folders for folder in (start, *(start.parents if settings.recursive else ())))


def _above(path: str) -> list[str]:
    """Returns a folder and its parents, up to the root of the repository, as the user would type them."""
    folders = [path or "."]
    for _ in range(_ABOVE):
        if os.path.exists(Path(folders[-1], ".git")) or Path(folders[-1]).absolute().parent == Path(folders[-1]).absolute():
            break
        folders.append(os.path.normpath(Path(folders[-1], "..")).replace("\\", "/"))
    return folders


def _env(folder: str) -> str | None:
    path = os.path.normpath(Path(folder, "env.py")).replace("\\", "/")
    return path if os.path.isfile(path) else None
