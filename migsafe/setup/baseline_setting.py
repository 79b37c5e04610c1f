"""The line of the configuration that names the baseline."""

import re
from pathlib import Path

from migsafe.errors import MigsafeError, unwritable
from migsafe.patterns import lazy_pattern
from migsafe.setup.repository import OWN, PYPROJECT
from migsafe.terminal.output import write_whole
from migsafe.text import newline_of

_TABLE = lazy_pattern(r"^\[tool\.migsafe\][ \t]*(?:#.*)?$\n?", re.MULTILINE)

_SCHEMA = lazy_pattern(r"#:schema .*\n")


def name_baseline(folder: str, baseline: str, file: str | None = None) -> str | None:
    """Adds `baseline` to the configuration, and returns the path of its file.

    `file` is the configuration that the user named; without one it is that of the folder, or a new migsafe.toml. Returns None, and changes
    nothing, if the table of migsafe in a pyproject.toml is not written as `[tool.migsafe]`. Raises MigsafeError if the file cannot be
    written.
    """
    line = f'baseline = "{baseline}"\n'
    own, project = Path(folder, OWN), Path(folder, PYPROJECT)
    path = Path(file) if file is not None else project if not own.exists() and _text_with_table(project) else own
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if path.name == PYPROJECT:
            table = _TABLE.search(text)
            if table is None:
                return None
            before = text[: table.end()] if table[0].endswith("\n") else f"{text[: table.end()]}\n"
            text = before + line + text[table.end() :]
        else:
            directive = _SCHEMA.match(text)  # must be the first line
            start = directive.end() if directive else 0
            text = text[:start] + line + text[start:]  # before any table
        write_whole(text, path, newline_of(path))
    except MigsafeError as error:
        raise MigsafeError(error.message, f"Add this line to the configuration: {line.strip()}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise unwritable(path, error, f"Add this line to the configuration: {line.strip()}") from error
    return str(path)


def _text_with_table(project: Path) -> bool:
    return project.is_file() and "migsafe" in project.read_text(encoding="utf-8", errors="replace")
