"""Where the own code of a project is: the folders in which Python searches for the modules that scripts import.

Alembic puts `prepend_sys_path` in front of `sys.path`, relative to the current folder, which is usually that of the settings
(alembic/script/base.py, ScriptDirectory.from_config). env.py may add more. An installed project is found through its packages, so the folders
that the build settings of the project name are searched, too, after all others.
"""

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from migsafe.errors import UnreadableError
from migsafe.sources.alembic.path_expressions import added_folders
from migsafe.sources.alembic.settings import Settings
from migsafe.sources.migration import ImportPath
from migsafe.text import read_text

_BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_USUAL = ("src", "lib", "python")
"""The folders in which projects usually keep their packages."""
_ENVIRONMENTS = (".venv", "venv", "env", ".env")
_ABOVE = 8


def import_path(versions: str, settings: Settings | None, env: str | None) -> ImportPath:
    """Returns where the scripts in a folder of versions find the project's code. `env` is the path of env.py, if there is one."""
    prepended = settings.sys_path if settings is not None else ()
    ini_folder = str(Path(settings.config_file or settings.project_file).parent) if settings is not None else None
    start = Path(versions).absolute()
    above = _folders_above(start)
    home = Path(ini_folder).absolute() if ini_folder is not None else None
    first = [folder for name in prepended for folder in _placed(name, [home] if home is not None else above)]
    if env is not None:
        bases = [*([home] if home is not None else []), Path(env).absolute().parent, *above]
        first += [folder for name in added_folders(env) for folder in _placed(name, bases)[:1]]
    projects = [folder for folder in above if any((folder / name).is_file() for name in _BUILD_FILES)]
    nearest = home or next(iter(projects), start.parent)
    first.append(nearest)
    last: list[Path] = [folder for name in prepended for folder in _placed(name, above)]
    packages: dict[str, str] = {}
    for project in projects:
        _add_build_settings(project, last, packages)
    last += [folder for above_folder in above for folder in _editable(above_folder, packages)]
    ordered = list(dict.fromkeys(map(os.path.normpath, first)))
    more = [folder for folder in dict.fromkeys(map(os.path.normpath, last)) if folder not in ordered]
    return ImportPath(tuple(ordered), tuple(more), tuple(packages.items()), str(above[-1]))


def _folders_above(start: Path) -> list[Path]:
    """Returns a folder and its parents, up to the root of the repository; without a repository, up to the last one with build settings."""
    folders = [start, *start.parents][: _ABOVE + 1]
    for number, folder in enumerate(folders):
        if (folder / ".git").exists():
            return folders[: number + 1]
    marked = [number for number, folder in enumerate(folders) if any((folder / name).is_file() for name in ("alembic.ini", *_BUILD_FILES))]
    return folders[: max(marked, default=min(1, len(folders) - 1)) + 1]


def _placed(name: str, bases: Iterable[Path]) -> list[Path]:
    """Returns the existing folders that a path, which may be relative to one of the bases, can mean."""
    return [folder for base in bases if (folder := base / name).is_dir()]


def _add_build_settings(project: Path, folders: list[Path], packages: dict[str, str]) -> None:
    """Adds the folders, and the packages with a folder of another name, that the build settings of a project declare."""
    settings = _toml(project / "pyproject.toml")
    sources = [*_declared_folders(settings), *_declared_in_setup(project)]
    for member in _workspace_members(project, settings):
        folders += [member, *(member / name for name in _USUAL if (member / name).is_dir())]
        member_settings = _toml(member / "pyproject.toml")
        folders += [folder for name in _declared_folders(member_settings) for folder in _placed(name, [member])]
    folders += [project, *(folder for name in dict.fromkeys((*sources, *_USUAL)) for folder in _placed(name, [project]))]
    mapped = _at(settings, "tool", "setuptools", "package-dir")
    for package, folder in mapped.items() if isinstance(mapped, dict) else ():
        if package and isinstance(folder, str) and (project / folder).is_dir():
            packages.setdefault(package, str(project / folder))


def _declared_folders(settings: dict[str, Any]) -> Iterator[str]:
    """Yields the folders with packages that pyproject.toml names for setuptools, Poetry, hatch, PDM, uv and maturin."""
    yield from _strings(_at(settings, "tool", "setuptools", "packages", "find", "where"))
    package_dir = _at(settings, "tool", "setuptools", "package-dir")
    yield from _strings(package_dir.get("") if isinstance(package_dir, dict) else None)
    for package in _tables(_at(settings, "tool", "poetry", "packages")):
        yield from _strings(package.get("from"))
    wheel = _at(settings, "tool", "hatch", "build", "targets", "wheel")
    if isinstance(wheel, dict):
        yield from (str(Path(name).parent) for name in _strings(wheel.get("packages")) if "/" in name)
        yield from _strings(wheel.get("sources"))
    yield from _strings(_at(settings, "tool", "hatch", "build", "dev-mode-dirs"))
    yield from _strings(_at(settings, "tool", "pdm", "build", "package-dir"))
    yield from _strings(_at(settings, "tool", "uv", "build-backend", "module-root"))
    yield from _strings(_at(settings, "tool", "maturin", "python-source"))
    yield from _strings(_at(settings, "tool", "pytest", "ini_options", "pythonpath"))


def _workspace_members(project: Path, settings: dict[str, Any]) -> Iterator[Path]:
    """Yields the projects in the workspace of uv, and those that a project depends on by their path."""
    for pattern in _strings(_at(settings, "tool", "uv", "workspace", "members")):
        if not Path(pattern).is_absolute():
            yield from sorted(folder for folder in project.glob(pattern) if folder.is_dir())
    tables = [_at(settings, "tool", "uv", "sources"), _at(settings, "tool", "poetry", "dependencies")]
    groups = _at(settings, "tool", "poetry", "group")
    tables += [_at(group, "dependencies") for group in (groups.values() if isinstance(groups, dict) else ())]
    for table in tables:
        for source in table.values() if isinstance(table, dict) else ():
            path = source.get("path") if isinstance(source, dict) else None
            if isinstance(path, str) and (project / path).is_dir():
                yield project / path


def _declared_in_setup(project: Path) -> Iterator[str]:
    """Yields the folders with packages that setup.cfg and setup.py name."""
    text = _text(project / "setup.cfg")
    if text:
        from configparser import ConfigParser, Error  # noqa: PLC0415  # few folders have one

        parser = ConfigParser()
        try:
            parser.read_string(text)
            yield from parser.get("options.packages.find", "where", fallback="").split()
            for line in parser.get("options", "package_dir", fallback="").splitlines():
                yield line.rpartition("=")[2].strip()
        except Error:
            return
    for node in _walk(_text(project / "setup.py")):
        match node:
            case ast.keyword(arg="package_dir", value=ast.Dict(values=values)):
                yield from (value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str))
            case ast.Call(func=ast.Name(id="find_packages" | "find_namespace_packages"), args=[ast.Constant(value=str(where)), *_]):
                yield where
            case ast.keyword(arg="where", value=ast.Constant(value=str(where))):
                yield where


def _editable(folder: Path, packages: dict[str, str]) -> Iterator[Path]:
    """Yields the folders that the virtual environment in a folder imports editable projects from, and adds the packages that it maps."""
    for name in _ENVIRONMENTS:
        if not (folder / name).is_dir():
            continue
        libraries = (*sorted((folder / name).glob("lib/python*/site-packages")), folder / name / "Lib" / "site-packages")
        for library in libraries:
            for file in sorted(library.glob("*.pth")):
                lines = (line.strip() for line in _text(file).splitlines())
                yield from (library / line for line in lines if line and not line.startswith(("#", "import ")) and (library / line).is_dir())
            for file in sorted(library.glob("__editable__*_finder.py")):
                packages.update(_mapping(_text(file)))


def _mapping(text: str) -> dict[str, str]:
    """Returns the packages and folders in the finder of an editable installation (setuptools/command/editable_wheel.py)."""
    for node in _walk(text):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="MAPPING")], value=ast.Dict() as value)
                | ast.AnnAssign(target=ast.Name(id="MAPPING"), value=ast.Dict() as value)
            ):
                mapping = ast.literal_eval(value)
                return {package: folder for package, folder in mapping.items() if isinstance(folder, str) and os.path.isdir(folder)}
    return {}


def _walk(text: str) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):
        return


def _text(path: Path) -> str:
    try:
        return read_text(str(path)) if path.is_file() else ""
    except UnreadableError:
        return ""


def _toml(path: Path) -> dict[str, Any]:
    text = _text(path)
    if not text:
        return {}
    import tomllib  # noqa: PLC0415  # few folders have one

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _at(table: object, *keys: str) -> Any:
    """Returns what is at a path of keys in nested tables; None if there is nothing."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _strings(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
