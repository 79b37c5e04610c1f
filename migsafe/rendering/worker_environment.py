"""The environment in which programs run."""

import os

from migsafe.terminal.output import DEBUG

_KEPT = frozenset(
    ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "USERPROFILE", "APPDATA", DEBUG)
)
_KEPT_LIKE = ("LC_", "COVERAGE_")


def worker_environment() -> dict[str, str]:
    """The variables of the process: none that may lead to a database."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT or name.upper().startswith(_KEPT_LIKE)}
    return {**kept, "PYTHONHASHSEED": "0"}  # a script that goes through a set comes to the same each time
