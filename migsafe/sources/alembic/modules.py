"""The modules of a project, found as Python would import them and read from their syntax trees; nothing is run or imported."""

import ast
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from migsafe.errors import UnreadableError
from migsafe.newer_syntax import parse_python
from migsafe.patterns import lazy_pattern
from migsafe.text import read_text

_ABOVE = 8
_SOURCE_FOLDERS = ("", "src", "lib")
_PROJECT_FILES = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile")
_REQUIREMENTS = ("pyproject.toml", "requirements.txt", "setup.cfg", "setup.py", "Pipfile", "uv.lock", "poetry.lock", "Pipfile.lock")
_NAME = r"""^[\s"'\[]*sqlalchemy(?:\[[^\]\n]*\])?["']?\s*"""
_SQLALCHEMY_1 = lazy_pattern(
    rf"""{_NAME}(?:=\s*["'])?[~^=<]*\s*["']?1\.\d|{_NAME}[^#\n]*<\s*2(?:\.0)*\b|^name = "sqlalchemy"\s*version = "1\.""",
    re.IGNORECASE | re.MULTILINE,
)
"""A requirement or a locked version of SQLAlchemy 1."""
_SQLALCHEMY_2 = lazy_pattern(
    rf"""{_NAME}(?:=\s*["'])?(?:==|~=|>=|\^|=)?\s*["']?[\^~]?2\.|^name = "sqlalchemy"\s*version = "2\."""
    r"""|"sqlalchemy": \{[^{}]*"version": "==2\.""",
    re.IGNORECASE | re.MULTILINE,
)
"""A requirement of SQLAlchemy 2 or later, or its locked version."""
_PSYCOPG_3 = lazy_pattern(r"\bpsycopg(?![\w])", re.IGNORECASE)
_LARGEST = 2_000_000
"""The size of the largest module that is read, in characters."""
_WITHOUT_MODULES = frozenset(("node_modules", "venv", "env", "site-packages", "tests", "test", "versions", "docs", "build", "dist"))
"""Folders in which no module of the application is looked for."""


class Module:
    """A module of the project: its name, its file and its syntax tree."""

    def __init__(self, name: str, path: str, tree: ast.Module, text: str) -> None:
        self.name = name
        self.path = path
        self.tree = tree
        self.text = text
        self.is_package = path.endswith("__init__.py")

    def absolute(self, name: str | None, level: int) -> str:
        """Returns the absolute name of a module that this one imports, relative with `level` dots."""
        if not level:
            return name or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - level + (1 if self.is_package else 0)]
        return ".".join((*parts, *([name] if name else [])))

    def bindings(self, name: str) -> list[ast.stmt]:
        """Returns the statements at the top level that bind a name, in order."""
        return [statement for statement in top_level(self.tree.body) if name in bound_names(statement)]


class ModuleFinder:
    """Finds modules in the folders from which env.py imports: those that `prepend_sys_path` names, and the parents of env.py."""

    def __init__(self, env: str, folders: Sequence[str] = ()) -> None:
        self._env = env
        self._modules: dict[str, Module | None] = {}
        self._containing: dict[str, list[Path]] = {}
        above = _parents(str(Path(env).parent))
        self.folders = list(dict.fromkeys(Path(folder, source) for folder in (*folders, *above) for source in _SOURCE_FOLDERS))
        self.root = project_root(env)

    @cached_property
    def sqlalchemy_release(self) -> int:
        """The major release of SQLAlchemy that the project requires; 2 if its files do not say 1."""
        return 1 if any(_SQLALCHEMY_1.search(text) for text in self._requirements()) else 2

    @cached_property
    def requires_sqlalchemy_2(self) -> bool:
        """Whether the files of the project leave no doubt that it runs with SQLAlchemy 2."""
        return self.sqlalchemy_release == 2 and any(_SQLALCHEMY_2.search(text) for text in self._requirements())

    @cached_property
    def has_asyncpg_only(self) -> bool:
        """Whether asyncpg is the only asynchronous driver of PostgreSQL that the project requires."""
        texts = list(self._requirements())
        return any("asyncpg" in text for text in texts) and not any(_PSYCOPG_3.search(text) for text in texts)

    def _requirements(self) -> Iterator[str]:
        for name in _REQUIREMENTS:
            with suppress(UnreadableError):
                if os.path.isfile(Path(self.root, name)):
                    yield read_text(str(Path(self.root, name)))

    def env(self) -> Module:
        """Returns env.py itself. Raises UnreadableError if it cannot be read or parsed."""
        return _parsed("env", self._env)

    def find(self, name: str) -> Module | None:
        """Returns a module by its absolute name; None if it is not a module of the project."""
        if name not in self._modules:
            self._modules[name] = None
            path = self._path(name)
            self._modules[name] = _read(name, path) if path else None
        return self._modules[name]

    def text(self, name: str) -> str | None:
        """Returns the text of a module, which need not be parsed; None if it is not a module of the project."""
        path = self._path(name)
        try:
            return read_text(path) if path else None
        except UnreadableError:
            return None

    def absolute(self, name: str, imported: str) -> str:
        """Returns the absolute name of a module that another one imports, with a dot for each level."""
        bare = imported.lstrip(".")
        level = len(imported) - len(bare)
        if not level:
            return bare
        parts = name.split(".")
        is_package = (self._path(name) or "").endswith("__init__.py")
        return ".".join((*parts[: len(parts) - level + (1 if is_package else 0)], *([bare] if bare else [])))

    def is_package(self, name: str) -> bool:
        """Whether a name is a folder of modules, with or without `__init__.py`."""
        return any(os.path.isdir(folder.joinpath(*name.split("."))) for folder in self.folders)

    def _path(self, name: str) -> str | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        if parts[0] not in self._containing:
            self._containing[parts[0]] = [
                folder for folder in self.folders if os.path.isdir(folder / parts[0]) or os.path.isfile(folder / f"{parts[0]}.py")
            ]
        for folder in self._containing[parts[0]]:
            for path in (folder.joinpath(*parts[:-1], f"{parts[-1]}.py"), folder.joinpath(*parts, "__init__.py")):
                if os.path.isfile(path):
                    return os.path.normpath(path).replace("\\", "/")
        return None


def _parents(folder: str) -> list[str]:
    """Returns a folder and its parents up to the root of the repository; without a repository up to the root of the project."""
    above = [folder]
    for _ in range(_ABOVE):
        if os.path.exists(Path(above[-1], ".git")):
            return above
        above.append(os.path.normpath(Path(above[-1], "..")))
    project = next((number for number, parent in enumerate(above) if _is_project(parent)), 3)
    return above[: project + 1]


def project_root(env: str) -> str:
    """Returns the folder of the project that an env.py belongs to."""
    above = _parents(str(Path(env).parent))
    return next((folder for folder in above if _is_project(folder)), above[min(len(above), 2) - 1])


def modules_below(root: str, most: int) -> Iterator[str]:
    """Yields the paths of the Python modules of a project, those near its root first, until about `most` were found. Raises OSError."""
    waiting = [root]
    count = 0
    while waiting and count < most:
        with os.scandir(waiting.pop(0)) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        waiting += [
            entry.path
            for entry in found
            if entry.is_dir(follow_symlinks=False) and entry.name not in _WITHOUT_MODULES and not entry.name.startswith(".")
        ]
        for entry in found:
            if entry.name.endswith(".py") and entry.is_file():
                count += 1
                yield os.path.normpath(entry.path)


def _is_project(folder: str) -> bool:
    return any(os.path.exists(Path(folder, name)) for name in _PROJECT_FILES)


def _read(name: str, path: str) -> Module | None:
    try:
        return _parsed(name, path)
    except UnreadableError:
        return None


def _parsed(name: str, path: str) -> Module:
    """Returns the module of a file. Raises UnreadableError."""
    text = read_text(path)
    if len(text) > _LARGEST:
        raise UnreadableError(f"{path}: is larger than {_LARGEST:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Module(name, path, parse_python(text)[1], text)
    except SyntaxError as error:
        raise UnreadableError(f"{path}:{error.lineno or 1}: is not Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"{path}: is not Python: {error}") from error


def top_level(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements of a module, with those in its branches. Branches for type checkers do not count."""
    for statement in statements:
        yield statement
        match statement:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=others):
                yield from top_level(others)
            case ast.If(body=body, orelse=others):
                yield from top_level([*body, *others])
            case ast.Try(body=body, handlers=handlers, orelse=others, finalbody=last):
                yield from top_level([*(inner for handler in handlers for inner in handler.body), *body, *others, *last])
            case ast.With(body=body):
                yield from top_level(body)


def bound_names(statement: ast.stmt) -> set[str]:
    """Returns the names that a statement binds; `*` for a star import."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
        case ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
        case ast.Assign(targets=targets):
            return {
                node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return {name}
    return set()
