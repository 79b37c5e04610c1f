"""The effective settings and their origins, for people and for programs: `migsafe config`."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from migsafe.configuration.origins import Setting
from migsafe.reports.formats import check_format
from migsafe.reports.paths import unicode
from migsafe.terminal.colours import BOLD, DIM
from migsafe.terminal.display import Display
from migsafe.terminal.width import columns, padded, visible

VERSION = 1
FORMATS = ("text", "json")
_UNSET = "–"
_DEFAULT = "default"


class Surroundings(Struct, frozen=True, kw_only=True):
    """What is decided by environment variables: its name, its value, the variable, and whether the variable is set."""

    name: str
    value: str
    variable: str
    is_set: bool


class EffectiveSettings(Struct, frozen=True, kw_only=True):
    """The settings, the file of the configuration (None if there is none), and what is decided by environment variables."""

    file: str | None
    settings: Sequence[Setting]
    surroundings: Sequence[Surroundings]


def settings_reporter(format: str) -> Callable[[EffectiveSettings, Display], str]:
    """Returns the function that writes the settings in a format. Raises ConfigError for an unknown format."""
    check_format(format, FORMATS)
    return _text if format == "text" else _json


def _text(effective: EffectiveSettings, display: Display) -> str:
    """Returns a line for each setting: the key, the origin, and the value; then what the environment decides."""
    settings = [(setting.key, _origin(setting), _shown(setting.value), setting.is_default) for setting in effective.settings]
    others = [
        (each.name, each.variable if each.is_set else f"{_DEFAULT} ({each.variable} is not set)", each.value, not each.is_set)
        for each in effective.surroundings
    ]
    file = "none: all settings are defaults" if effective.file is None else effective.file
    head, environment = display.paint("Configuration:", BOLD), display.paint("The environment:", BOLD)
    return "\n".join((f"{head} {visible(file)}", "", *_lines(settings, display), "", environment, *_lines(others, display), ""))


def _lines(rows: Sequence[tuple[str, str, str, bool]], display: Display) -> Iterator[str]:
    keys, origins = max(columns(key) for key, *_ in rows), max(columns(origin) for _, origin, *_ in rows)
    for key, origin, value, is_default in rows:
        line = f"{padded(visible(key), keys)}  {padded(visible(origin), origins)}  {visible(value)}"
        yield display.paint(line, DIM) if is_default else line


def _shown(value: Any) -> str:
    """Returns a value as TOML writes it, which is as in JSON for all values of the configuration."""
    return _UNSET if value is None else json.dumps(value, ensure_ascii=False)


def _origin(setting: Setting) -> str:
    if setting.option is not None:
        return setting.option
    return _DEFAULT if setting.path is None else setting.path if setting.line is None else f"{setting.path}:{setting.line}"


def _json(effective: EffectiveSettings, display: Display) -> str:
    """Returns the settings as one object."""
    document = {
        "version": VERSION,
        "file": unicode(effective.file) if effective.file is not None else None,
        "settings": [
            {"key": setting.key, "value": setting.value, "origin": _origin_object(setting), "description": setting.description}
            for setting in effective.settings
        ],
        "environment": [
            {"name": each.name, "value": each.value, "variable": each.variable, "set": each.is_set} for each in effective.surroundings
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _origin_object(setting: Setting) -> dict[str, Any]:
    if setting.option is not None:
        return {"kind": "option", "option": setting.option}
    if setting.path is not None:
        return {"kind": "file", "path": unicode(setting.path), "line": setting.line}
    return {"kind": _DEFAULT}
