"""Naming conventions that env.py does not name itself: in the modules that it imports."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.sources.alembic.env_reading import Reading
from migsafe.sources.alembic.env_values import MetaData
from migsafe.sources.alembic.modules import Module

_MOST_MODULES = 300
_WORD = "naming_convention"
_IMPORT = lazy_pattern(r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)|import[ \t]+([\w., \t]+))", re.MULTILINE)
_NAME = lazy_pattern(r"[\w.]+")


def follow_conventions(reader: Reading) -> None:
    """Follows the modules that env.py imports until one of them gives SQLModel's metadata a convention."""
    for module in _modules_with_conventions(reader):
        reader.run_effects(module)
        if reader.shared_metadata.naming_convention is not None:
            return


def only_convention(reader: Reading) -> Any:
    """Returns the naming convention of all metadata in the modules that env.py imports; None if there are several, or none."""
    conventions = [
        value.naming_convention
        for module in _modules_with_conventions(reader)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and any(keyword.arg == _WORD for keyword in node.keywords)
        if isinstance(value := reader.value_in(module, node), MetaData)
    ]
    return conventions[0] if conventions and all(convention == conventions[0] for convention in conventions) else None


def _modules_with_conventions(reader: Reading) -> Iterator[Module]:
    """Yields the modules that mention naming conventions, among those of the project that env.py imports and those that they import."""
    waiting = list(reader.imported)
    seen: set[str] = set()
    read = 0
    while waiting and read < _MOST_MODULES:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        text = reader.finder.text(name)
        if text is None:
            continue
        read += 1
        module = reader.finder.find(name) if _WORD in text else None
        if module is not None:
            yield module
        waiting += (reader.finder.absolute(name, imported) for imported in _imports(text))


def _imports(text: str) -> Iterator[str]:
    for source, names, plain in _IMPORT.findall(text):
        if plain:
            yield from _NAME.findall(plain)
        else:
            yield source
            yield from (f"{source}{'' if source.endswith('.') else '.'}{name}" for name in _NAME.findall(names))
