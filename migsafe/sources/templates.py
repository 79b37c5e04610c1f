"""What is put into SQL files before they are read: values for templates (`{{ name }}`, `{{ .name }}` and `${name}`), from the configuration and
from the runner's settings, and the values of psql's variables."""

import re
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.sources.psql_variables import fill_variables
from migsafe.sources.runner import MigrationFile
from migsafe.text import Script

_TEMPLATE = re.compile(r"\{\{-?\s*\.?(?P<braces>[\w.:-]+?)\s*-?\}\}|\$\{(?P<dollar>[\w.:-]+)\}")


def filled_in(file: MigrationFile, values: Mapping[str, str]) -> MigrationFile:
    """Returns a migration whose SQL has values in place of its templates and of psql's variables: `values`, or else those of the runner's own
    settings. Templates without a value stay as they are; so do Python scripts."""
    if not file.up.path.endswith(".sql"):
        return file

    def value(match: re.Match[str]) -> str:
        name = match["braces"] or match["dollar"]
        return values[name] if name in values else file.template_values.get(name.lower(), match[0])

    return replace(file, up=_filled(file.up, value), down=_filled(file.down, value) if file.down is not None else None)


def _filled(script: Script, value: Callable[[re.Match[str]], str]) -> Script:
    try:
        text = script.text
    except UnreadableError:
        return script  # its runner reports it
    filled = _TEMPLATE.sub(value, text) if "{{" in text or "${" in text else text
    filled = fill_variables(filled)
    return Script(script.path, filled) if filled != text else script
