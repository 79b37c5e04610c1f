"""Flask-Migrate: the extension that env.py reads from the running application, found in the project's modules."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migsafe.paths import relative_path
from migsafe.script_environment import UNKNOWN
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import Base, Engine, ModuleValue
from migsafe.sources.alembic.modules import modules_below

_MOST_FILES = 3000
_USES = re.compile(rb"\bflask_migrate\b|\bmigrate\w*\.init_app\(")


def engine(reader: Reading) -> Engine:
    """Returns the engine of the application, whose URL is in its configuration."""
    return Engine(UNKNOWN, reader.place)


def find_database(reader: Reading) -> tuple[Any, dict[str, Any]]:
    """Returns the `db` of `Migrate(app, db, …)` or `migrate.init_app(app, db)`, with the options for Alembic."""
    if reader.flask_database is None:
        reader.flask_database = _find_database(reader)
    return reader.flask_database


def _find_database(reader: Reading) -> tuple[Any, dict[str, Any]]:
    for name in _modules(reader.finder.root, reader.finder.folders):
        module = reader.finder.find(name)
        if module is None:
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name(id="Migrate") | ast.Attribute(attr="Migrate" | "init_app"), args=arguments, keywords=keywords):
                    database = next(
                        (keyword.value for keyword in keywords if keyword.arg == "db"), arguments[1] if len(arguments) > 1 else None
                    )
                    value = _database(reader, name, module.tree, database) if database is not None else UNKNOWN
                    if isinstance(value, Base):
                        return value, {keyword.arg: _literal(keyword.value) for keyword in keywords if keyword.arg not in (None, "db")}
    return UNKNOWN, {}


def _database(reader: Reading, module: str, tree: ast.Module, node: ast.expr) -> Any:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = reader.member(module, node.value.id)
        return reader.member(owner.name, node.attr) if isinstance(owner, ModuleValue) else UNKNOWN
    if not isinstance(node, ast.Name):
        return UNKNOWN
    value = reader.member(module, node.id)
    if isinstance(value, Base):
        return value
    for statement in ast.walk(tree):  # it may be imported in the function that makes the application
        match statement:
            case ast.ImportFrom(module=source, names=names, level=level) if any((alias.asname or alias.name) == node.id for alias in names):
                found = reader.finder.find(module)
                original = next(alias.name for alias in names if (alias.asname or alias.name) == node.id)
                return reader.member(found.absolute(source, level), original) if found is not None else UNKNOWN
    return UNKNOWN


def _literal(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else UNKNOWN


def _modules(root: str, folders: list[Path]) -> Iterator[str]:
    """Yields the names of the modules that use Flask-Migrate, those near the root first."""
    bases = sorted({os.path.normpath(folder) for folder in folders if os.path.isdir(folder)}, key=len, reverse=True)
    for path in modules_below(root, _MOST_FILES):
        if _USES.search(Path(path).read_bytes()):
            yield from _names(path, bases)


def _names(path: str, bases: list[str]) -> Iterator[str]:
    for base in bases:
        relative = relative_path(path, base)
        if not relative.startswith(".."):
            yield ".".join(Path(relative).with_suffix("").parts).removesuffix(".__init__")
