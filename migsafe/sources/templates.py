"""What is put into SQL files before they are read: the configuration's values for templates (`{{ name }}`, `{{ .name }}` and `${name}`), and
the values of psql's variables."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.sources.psql_variables import fill_variables
from migsafe.sources.runner import MigrationFile
from migsafe.text import Script

_TEMPLATE = re.compile(r"\{\{-?\s*\.?(?P<braces>[\w.:-]+?)\s*-?\}\}|\$\{(?P<dollar>[\w.:-]+)\}")


def filled_in(file: MigrationFile, values: Mapping[str, str]) -> MigrationFile:
    """Returns a migration whose SQL has values in place of its templates and of psql's variables. Those without a value stay as they are; so do
    Python scripts."""
    if not file.up.path.endswith(".sql"):
        return file
    return replace(file, up=_filled(file.up, values), down=_filled(file.down, values) if file.down is not None else None)


def _filled(script: Script, values: Mapping[str, str]) -> Script:
    try:
        text = script.text
    except UnreadableError:
        return script  # its runner reports it
    filled = _TEMPLATE.sub(lambda match: values.get(match["braces"] or match["dollar"], match[0]), text) if values else text
    filled = fill_variables(filled)
    return Script(script.path, filled) if filled != text else script
