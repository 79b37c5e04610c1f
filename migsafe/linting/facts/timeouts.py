"""The timeout that is in effect when an operation runs."""

from typing import Literal

from migsafe.linting.rule import Context


def timeout_in_effect(at: Context, name: Literal["lock_timeout", "statement_timeout"]) -> int | None:
    """Returns the timeout in milliseconds, 0 without one; None if it is set to a value that is unknown, such as a placeholder."""
    settings = at.session.settings
    if settings.value(name) is None:
        return (at.limits.lock_timeout or 0) if name == "lock_timeout" else 0
    return settings.duration_ms(name)


def format_timeout(ms: int) -> str:
    """Returns a time in the form that SET accepts."""
    for size, unit in ((60_000, "min"), (1000, "s")):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
