"""The folders of one history of Flyway: `flyway.locations` may name several.

Locations are below a root of the classpath (`classpath:`, the default), or paths of the file system (`filesystem:`), in which Spring replaces
`{vendor}` by the database; folders below them belong to them (Flyway's documentation, Locations; Spring Boot's, Database Initialization).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.paths import relative_path
from migsafe.patterns import lazy_pattern
from migsafe.sources.edited_folder import EditedFolder
from migsafe.sources.flyway_settings import FlywaySettings, parents_of
from migsafe.sources.past_folder import PastFolder
from migsafe.sources.runner import Folder

_PREFIX = lazy_pattern(r"(?:classpath\*?|filesystem):/*")
_WILDCARD = lazy_pattern(r"/[^/]*\*.*")
_VENDORS = ("postgresql", "postgres")
_RESOURCES = "src/main/resources"
_DEFAULT = "classpath:db/migration"


def folders_of_history(folder: Folder, settings: FlywaySettings) -> list[Folder]:
    """Returns the folders that Flyway's settings name as locations, if the folder is in one of them or contains them; otherwise the folder
    alone."""
    if isinstance(folder, PastFolder):  # it contains all files of its history
        return [folder]
    here = Path(folder.path or ".").resolve()
    found = _outermost([path for name in settings.locations if (path := _existing(folder, name)) is not None])
    if not settings.locations:
        others = (_beside(here, names) for names in settings.locations_of_other_modules)
        found = next((paths for paths in others if any(here.is_relative_to(path) for path in paths)), found)
    is_in_one = any(here.is_relative_to(path) for path in found)
    if found == [here] or not (is_in_one or any(path.is_relative_to(here) for path in found)):
        return [folder]
    opened = (folder if path == here else _opened(folder, path) for path in found)
    return [each for each in opened if each is not None]


def why_not_location(folder: Folder) -> str:
    """Returns why Flyway does not use a folder in production, as the end of a sentence: only the settings of a profile for development or tests
    name it, or the settings name others beside it. Empty if it may be used."""
    settings, here = FlywaySettings(folder), Path(folder.path or ".").resolve()

    def existing(locations: Sequence[str]) -> list[Path]:
        return [path for path in (_existing(folder, name) for name in locations) if path is not None]

    used = existing(settings.locations or [_DEFAULT])
    if any(here.is_relative_to(path) for path in used):
        return ""
    for profile, locations in settings.locations_of_profiles.items():
        if any(here.is_relative_to(path) for path in existing(locations)):
            return f"Flyway's settings name it only for the profile {profile}"
    is_beside = bool(settings.locations) and any(here.parent == path.parent for path in used)
    return "Flyway's settings name the folder beside it, but not this one" if is_beside else ""


def _beside(here: Path, locations: Sequence[str]) -> list[Path]:
    """Returns the folders of locations that another module names, if all are in the module of a folder of migrations."""
    root = next((above for above in here.parents if above.as_posix().endswith(_RESOURCES)), None)
    paths = [next((root / each for each in _names(name) if (root / each).is_dir()), None) for name in locations] if root is not None else []
    return _outermost([path for path in paths if path is not None]) if all(paths) else []


def _outermost(paths: Sequence[Path]) -> list[Path]:
    """Returns each folder once, without those that are in another one."""
    distinct = list(dict.fromkeys(paths))
    return [path for path in distinct if not any(path != other and path.is_relative_to(other) for other in distinct)]


def _existing(folder: Folder, location: str) -> Path | None:
    """Returns the folder of a location: in the root of the classpath that is nearest to a folder of migrations, or in another module."""
    candidates = (root / each for root in _roots(folder) for each in _names(location))
    return next((path.resolve() for path in candidates if path.is_dir()), None)


def _names(location: str) -> list[str]:
    """Returns the paths that a location can mean, from a root of the classpath."""
    name = _WILDCARD.sub("", _PREFIX.sub("", location)).strip("/")
    names = [name.replace("{vendor}", vendor) for vendor in _VENDORS] if "{vendor}" in name else [name]
    return [each for each in names if each]


def _roots(folder: Folder) -> Iterator[Path]:
    """Yields the folders in which locations may be: the nearest first."""
    parents = list(parents_of(Path(folder.path or ".").absolute()))
    for above in parents:
        yield above
        yield above / _RESOURCES
    for above in parents:
        yield from sorted(above.glob(f"*/{_RESOURCES}"))


def _opened(folder: Folder, path: Path) -> Folder | None:
    shown = path.as_posix() if Path(folder.path or ".").is_absolute() else relative_path(path)
    try:
        return EditedFolder(shown, folder.edited) if folder.edited else Folder(shown)
    except MigsafeError:
        return None
