"""The folders of revisions in alembic.ini and pyproject.toml (alembic/config.py, Config)."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.sources.runner import Folder
from migsafe.text import read_text

_SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_ABOVE = 6
_SLUG_LENGTH = 40
"""Alembic's default of truncate_slug_length."""

Get = Callable[[str], str | None]


class Settings(Struct, frozen=True):
    """One section of an alembic.ini, with the settings of pyproject.toml: the folder of the scripts, and those of their versions, as a user
    would type them in the current folder."""

    script_location: str
    versions: tuple[str, ...]
    recursive: bool = False
    config_file: str = ""
    section: str = "alembic"
    project_file: str = ""
    import_folders: tuple[str, ...] = ()
    sys_path: tuple[str, ...] = ()
    """The folders of `prepend_sys_path`, as they are written."""


def read_settings(folder: Folder) -> list[Settings]:
    """Returns the settings in the files of a folder. Raises UnreadableError for invalid files."""
    project = _project(folder)
    settings = []
    for name in folder.files:
        if name.endswith(".ini"):
            path = folder.join(name)
            text = read_text(path) if folder.has_file(name) else ""
            if "script_location" in text or (name == "alembic.ini" and "[alembic]" in text):
                for title, get in _sections(path, text, folder.path or "."):
                    section = _settings(folder, path, get, project)
                    if section is not None:
                        settings.append(replace(section, config_file=path, section=title))
    if not settings and project:
        alone = _settings(folder, folder.join("pyproject.toml"), lambda _: None, project)
        settings = [alone] if alone else []
    project_file = folder.join("pyproject.toml") if project else ""
    return [replace(section, project_file=project_file) for section in settings]


def _project(folder: Folder) -> dict[str, object]:
    """Returns [tool.alembic] of pyproject.toml, with `%(here)s` replaced."""
    if "pyproject.toml" not in folder.files:
        return {}
    path = folder.join("pyproject.toml")
    text = read_text(path)
    if "tool.alembic" not in text:
        return {}
    import tomllib  # noqa: PLC0415  # few folders have one

    try:
        table = tomllib.loads(text).get("tool", {}).get("alembic", {})
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(f"{path}: is not valid TOML: {error}") from error
    here = {"here": folder.path or "."}
    try:
        return {key: _filled(value, here) for key, value in table.items()} if isinstance(table, dict) else {}
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableError(f"{path}: [tool.alembic]: a % must be written %%: {error}") from error


def _filled(value: object, here: dict[str, str]) -> object:
    if isinstance(value, str):
        return value % here
    return [item % here if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


def _sections(path: str, text: str, here: str) -> Iterator[tuple[str, Get]]:
    """Yields the name of each section of an .ini file that configures an environment, and a function that reads its settings: `[alembic]`, and
    those with their own script_location, which `alembic --name` selects."""
    from configparser import ConfigParser, Error, RawConfigParser  # noqa: PLC0415  # few folders have one

    parser, own = ConfigParser({"here": here}), RawConfigParser(default_section="")
    try:
        parser.read_string(text, path)
        own.read_string(text, path)
    except Error as error:
        raise UnreadableError(f"{path}: is not valid: {' '.join(str(error).split())}") from error
    for section in parser.sections():
        if section != "alembic" and not own.has_option(section, "script_location"):
            continue

        def get(name: str, section: str = section) -> str | None:
            try:
                return parser.get(section, name, fallback=None)
            except Error as error:
                raise UnreadableError(f"{path}: [{section}] {name}: {' '.join(str(error).split())}") from error

        yield section, get


def _settings(folder: Folder, path: str, get: Get, project: dict[str, object]) -> Settings | None:
    """Returns the settings of a section; None if its folder does not exist."""
    added = get("prepend_sys_path")
    paths = re.split(r", *|(?: +)|\n|:|;", added) if added else _texts(project.get("prepend_sys_path"))
    base_folders = _base_folders(folder, paths)
    named = get("script_location") or project.get("script_location")
    # Flask-Migrate keeps alembic.ini next to env.py, and configures the rest in code.
    same_folder = (folder.path or ".") if "env.py" in folder.files else None
    location = _located(named, folder, base_folders) if isinstance(named, str) else same_folder
    if location is None:
        return None
    locations = get("version_locations")
    versions = _split_locations(locations, get, path) if locations else _texts(project.get("version_locations"))
    folders = [located_folder for name in versions if (located_folder := _located(name, folder, base_folders))] or [
        _joined(location, "versions")
    ]
    recursive = get("recursive_version_locations") or project.get("recursive_version_locations")
    added_folders = tuple(_joined(base, path) for path in paths if path for base in (folder.path or ".",))
    return Settings(
        location,
        tuple(folders),
        recursive in ("true", True),
        import_folders=(*added_folders, folder.path or "."),
        sys_path=tuple(path for path in paths if path),
    )


def read_sections(path: str) -> dict[str, dict[str, str]]:
    """Returns the options of all sections of an .ini file, interpolated as Alembic does; without those that cannot be."""
    from configparser import ConfigParser, Error  # noqa: PLC0415  # few folders have one

    parser = ConfigParser({"here": str(Path(path).absolute().parent)})
    try:
        parser.read_string(read_text(path), path)
    except (Error, UnreadableError):
        return {}
    sections: dict[str, dict[str, str]] = {}
    for section in parser.sections():
        options = sections[section] = {}
        for name in parser.options(section):
            with suppress(Error):
                options[name] = parser.get(section, name)
    return sections


def file_template(config_file: str, section: str, project_file: str) -> tuple[str, int]:
    """Returns the template of the names of revision files, empty if none is configured, and the length of the longest title in them."""
    options = read_sections(config_file).get(section, {}) if config_file else {}
    project: dict[str, object] = {}
    if project_file and not {"file_template", "truncate_slug_length"} <= options.keys():
        try:
            project = _project(Folder(os.path.dirname(project_file)))  # noqa: PTH120
        except MigsafeError:
            project = {}
    template, longest = (options.get(name) or project.get(name) for name in ("file_template", "truncate_slug_length"))
    length = str(longest or "")
    return template if isinstance(template, str) else "", int(length) if length.isdecimal() else _SLUG_LENGTH


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _split_locations(locations: str, get: Get, path: str) -> list[str]:
    """Returns the folders in `version_locations`."""
    separator = get("path_separator") or get("version_path_separator")
    if separator is None:
        return [name for name in re.split(r", *|(?: +)|\n", locations) if name]
    word = separator.split(" ")[0]
    if word not in _SEPARATORS:
        raise UnreadableError(f"{path}: path_separator cannot be {separator}", f"Use one of {', '.join(_SEPARATORS)}.")
    return [name.strip() for name in locations.split(_SEPARATORS[word]) if name.strip()]


def _base_folders(folder: Folder, paths: list[str]) -> list[str]:
    """Returns the folders that a relative location may start from: Alembic's current folder is usually that of its settings, or a parent."""
    settings_folder = folder.path or "."
    folders = [settings_folder]
    for _ in range(_ABOVE):
        if Path(folders[-1], ".git").exists():
            break
        folders.append(_joined(folders[-1], ".."))
    return list(dict.fromkeys((*(_joined(settings_folder, path) for path in paths if path), *folders, ".")))


def _located(name: str, folder: Folder, base_folders: list[str]) -> str | None:
    """Returns the folder that a location names, a path or a `package:resource`; None if it does not exist."""
    if Path(name).is_absolute() or ":" not in name:
        candidates = [_joined(base, name) for base in (folder.path or ".", *base_folders)]
    else:
        package, *rest = name.split(":")
        inner = "/".join((*package.split("."), *rest))
        candidates = [_joined(base, *source, inner) for base in base_folders for source in ((), ("src",))]
    return next((path for path in candidates if Path(path).is_dir()), None)


def _joined(*parts: str) -> str:
    return os.path.normpath(Path(*parts)).replace("\\", "/")
