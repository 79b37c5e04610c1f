"""Which timeout is in effect where an operation runs."""

from typing import Literal

from migsafe.linting.rule import Context


def timeout_in_effect(at: Context, name: Literal["lock_timeout", "statement_timeout"]) -> int | None:
    """The timeout in milliseconds, 0 for none; None where it is set to something that is filled in later."""
    settings = at.session.settings
    if settings.value(name) is None:
        return (at.limits.lock_timeout or 0) if name == "lock_timeout" else 0
    return settings.time(name)


def format_timeout(ms: int) -> str:
    """A time as SET takes it."""
    for size, unit in ((60_000, "min"), (1000, "s")):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
