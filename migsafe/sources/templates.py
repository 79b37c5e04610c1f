"""What is put into SQL files before they are read: values for templates (`{{ name }}`, `{{ .name }}`, `${name}`, `$evolutions{{{name}}}` of
Play, and `:NAME` in capitals, of graphile-migrate and psql), from the configuration and from the runner's settings, and the values of psql's
variables."""

import re
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.psql_variables import fill_variables
from migsafe.sources.runner import MigrationFile
from migsafe.text import Script

_TEMPLATE = lazy_pattern(r"\$evolutions\{\{\{(?P<play>[\w.:-]+)\}\}\}|\{\{-?\s*\.?(?P<braces>[\w.:-]+?)\s*-?\}\}|\$\{(?P<dollar>[\w.:-]+)\}")
_CAPITALS = lazy_pattern(r"(?<![\w:]):(?P<name>[A-Z][A-Z0-9_]*)\b")


def filled_in(file: MigrationFile, values: Mapping[str, str]) -> MigrationFile:
    """Returns a migration whose SQL has values in place of its templates and of psql's variables: `values`, or else those of the runner's own
    settings. Templates without a value stay as they are; so do Python scripts."""
    if not file.up.path.endswith(".sql"):
        return file

    def value(match: re.Match[str]) -> str:
        name = match["play"] or match["braces"] or match["dollar"]
        return values[name] if name in values else file.template_values.get(name.lower(), match[0])

    return replace(file, up=_filled(file.up, value, values), down=_filled(file.down, value, values) if file.down is not None else None)


def _filled(script: Script, value: Callable[[re.Match[str]], str], values: Mapping[str, str]) -> Script:
    try:
        text = script.text
    except UnreadableError:
        return script  # its runner reports it
    filled = _TEMPLATE.sub(value, text) if "{{" in text or "${" in text else text
    filled = _CAPITALS.sub(lambda match: values.get(match["name"], match[0]), filled) if any(map(str.isupper, values)) else filled
    filled = fill_variables(filled)
    return Script(script.path, filled) if filled != text else script
