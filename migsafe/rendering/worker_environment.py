"""The environment variables of the worker process."""

import os

from migsafe.terminal.output import DEBUG

_KEPT = frozenset(
    ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "USERPROFILE", "APPDATA", DEBUG)
)
_KEPT_LIKE = ("LC_", "COVERAGE_")


def worker_environment() -> dict[str, str]:
    """Returns the variables of the process, without any that could give access to a database."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT or name.upper().startswith(_KEPT_LIKE)}
    return {**kept, "PYTHONHASHSEED": "0"}  # iteration over sets is the same each time
