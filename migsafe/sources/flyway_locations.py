"""The folders of one history of Flyway: `flyway.locations` may name several.

Locations are below a root of the classpath (`classpath:`, the default), or paths of the file system (`filesystem:`), in which Spring replaces
`{vendor}` by the database; folders below them belong to them (Flyway's documentation, Locations; Spring Boot's, Database Initialization).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.paths import relative_path
from migsafe.sources.edited_folder import EditedFolder
from migsafe.sources.flyway_settings import FlywaySettings
from migsafe.sources.past_folder import PastFolder
from migsafe.sources.runner import Folder

_PREFIX = re.compile(r"(?:classpath\*?|filesystem):/*")
_WILDCARD = re.compile(r"/[^/]*\*.*")
_VENDORS = ("postgresql", "postgres")
_LEVELS = 9
_RESOURCES = "src/main/resources"


def folders_of_history(folder: Folder, settings: FlywaySettings) -> list[Folder]:
    """Returns the folders that Flyway's settings name as locations, if the folder is in one of them; otherwise the folder alone."""
    if isinstance(folder, PastFolder):  # it contains all files of its history
        return [folder]
    here = Path(folder.path or ".").resolve()
    found = _outermost([path for name in settings.locations if (path := _existing(folder, name)) is not None])
    if found == [here] or not any(here.is_relative_to(path) for path in found):
        return [folder]
    opened = (folder if path == here else _opened(folder, path) for path in found)
    return [each for each in opened if each is not None]


def _outermost(paths: Sequence[Path]) -> list[Path]:
    """Returns each folder once, without those that are in another one."""
    distinct = list(dict.fromkeys(paths))
    return [path for path in distinct if not any(path != other and path.is_relative_to(other) for other in distinct)]


def _existing(folder: Folder, location: str) -> Path | None:
    """Returns the folder of a location: in the root of the classpath that is nearest to a folder of migrations, or in another module."""
    name = _WILDCARD.sub("", _PREFIX.sub("", location)).strip("/")
    names = [name.replace("{vendor}", vendor) for vendor in _VENDORS] if "{vendor}" in name else [name]
    candidates = (root / each for root in _roots(folder) for each in names if each)
    return next((path.resolve() for path in candidates if path.is_dir()), None)


def _roots(folder: Folder) -> Iterator[Path]:
    """Yields the folders in which locations may be: the nearest first."""
    parents = list(_parents(Path(folder.path or ".").absolute()))
    for above in parents:
        yield above
        yield above / _RESOURCES
    for above in parents:
        yield from sorted(above.glob(f"*/{_RESOURCES}"))


def _parents(path: Path) -> Iterator[Path]:
    """Yields a folder and its parents, up to the root of the repository, or far enough for a module in a project."""
    for above in (path, *path.parents[:_LEVELS]):
        yield above
        if (above / ".git").exists():
            return


def _opened(folder: Folder, path: Path) -> Folder | None:
    shown = path.as_posix() if Path(folder.path or ".").is_absolute() else relative_path(path)
    try:
        return EditedFolder(shown, folder.edited) if folder.edited else Folder(shown)
    except MigsafeError:
        return None
