"""What commands share apart from their options: the exit codes, values of options, and messages. It loads no Typer."""

from collections.abc import Sequence

from migsafe.configuration import Configuration
from migsafe.linting.finding import Severity

FOUND, FAILED = 1, 2
"""The exit codes: something was found; the command, or a part of it, failed."""

_SKIPPED_SHOWN = 3


def split_names(values: list[str] | None) -> tuple[str, ...] | None:
    """Returns the names in an option that can be repeated, and whose values can be separated by commas; None if it was not given."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip()) if values else None


def skipped_files(skipped: Sequence[str]) -> str:
    """Returns a message about files that are not migrations: the first few by name."""
    number, shown = len(skipped), ", ".join(skipped[:_SKIPPED_SHOWN])
    files = f"{number} file{'' if number == 1 else 's'} that the runner would not run"
    return f"skipped {files}: {shown}{', …' if number > _SKIPPED_SHOWN else ''}"


def exit_code(worst: Severity | None, settings: Configuration) -> int:
    """Returns the exit code for the worst finding: 1 if it is at or above `fail_on`."""
    return FOUND if settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()] else 0
