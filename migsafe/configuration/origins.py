"""The effective settings, and where each comes from: the default, a line of the configuration, or an option."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, inspect

from migsafe.configuration import NO_KEYS, TABLE_IN_PROJECT, Configuration, read_table
from migsafe.configuration.lines import KeyPath, key_lines
from migsafe.text import read_text


class Setting(Struct, frozen=True, kw_only=True):
    """A key and its value, None if it is not set. It comes from an `option`, from a `line` of a file, or is the default if it has neither."""

    key: str
    value: Any
    description: str = ""
    path: str | None = None
    line: int | None = None
    option: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether neither a file nor an option sets it."""
        return self.path is None and self.option is None


def effective_settings(settings: Configuration, file: Path | None, options: Collection[str]) -> list[Setting]:
    """Returns every setting, in the order of the documentation. `file` is the configuration that was read, `options` are the keys that options
    of the command line override. Raises MigsafeError if the file cannot be read any more."""
    table = (read_table(file) or {}) if file is not None else {}
    lines = key_lines(read_text(str(file))) if file is not None else {}
    top: KeyPath = TABLE_IN_PROJECT if file is not None and file.name == "pyproject.toml" else ()
    return [
        Setting(key=_name(path), value=value, description=description, option=f"--{path[0]}")
        if path[0] in options
        else Setting(key=_name(path), value=value, description=description, path=str(file), line=_line(lines, top + path))
        if _is_set(table, path)
        else Setting(key=_name(path), value=value, description=description)
        for path, value, description in _values(settings)
    ]


def _values(table: Struct, above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any, str]]:
    """Yields the path, the value and the description of each key of a table and the tables in it."""
    kind = inspect.type_info(type(table))
    assert isinstance(kind, inspect.StructType)
    for field in kind.fields:
        if field.name in NO_KEYS:
            continue
        path, value = (*above, field.name.replace("_", "-")), getattr(table, field.name)
        more = field.type.extra_json_schema if isinstance(field.type, inspect.Metadata) else None
        description = str((more or {}).get("description", ""))
        if isinstance(value, Struct):
            yield from _values(value, path)
        elif isinstance(value, tuple) and value and isinstance(value[0], Struct):
            for number, element in enumerate(value, 1):
                yield from _values(element, (*path, number))
        elif isinstance(value, dict) and value:
            yield from (((*path, name), each, description) for name, each in value.items())
        else:
            yield path, None if value in ((), {}) else msgspec.to_builtins(value), description


def _is_set(table: Any, path: KeyPath) -> bool:
    for key in path:
        if isinstance(key, int):
            table = table[key - 1]
        elif key in table:
            table = table[key]
        else:
            return False
    return True


def _line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Returns the line of a key, or of the nearest table around it that has one."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)


def _name(path: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
