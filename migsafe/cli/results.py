"""What commands share apart from their options: the exit codes, values of options, and messages. It loads no Typer."""

from collections.abc import Sequence

from migsafe.configuration import Configuration
from migsafe.linting.finding import Severity
from migsafe.sources import Plan

FOUND, FAILED, INTERRUPTED = 1, 2, 130
"""The exit codes: something was found; the command, or a part of it, failed; a signal ended it."""

_SKIPPED_SHOWN = 3


def split_names(values: list[str] | None) -> tuple[str, ...] | None:
    """Returns the names in an option that can be repeated, and whose values can be separated by commas; None if it was not given."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip()) if values else None


def left_out(plan: Plan) -> list[str]:
    """Returns a message about files of a plan that are not migrations, and one about given paths that are excluded: the first few by name."""
    messages = []
    if plan.skipped:
        files = (
            "file that the runner does not run as a migration" if len(plan.skipped) == 1 else "files that the runner does not run as migrations"
        )
        messages.append(f"skipped {len(plan.skipped)} {files}: {_first(plan.skipped)}")
    if plan.excluded:
        messages.append(f"left out because of `exclude`: {_first(plan.excluded)}")
    return messages


def _first(paths: Sequence[str]) -> str:
    return f"{', '.join(paths[:_SKIPPED_SHOWN])}{', …' if len(paths) > _SKIPPED_SHOWN else ''}"


def exit_code(worst: Severity | None, settings: Configuration) -> int:
    """Returns the exit code for the worst finding: 1 if it is at or above `fail_on`."""
    return FOUND if settings.fail_on != "never" and worst is not None and worst >= Severity[settings.fail_on.upper()] else 0
