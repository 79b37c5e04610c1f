"""Durations in the configuration and in options.

A budget or a time limit needs a unit: 5 could be seconds or milliseconds. `lock-timeout` and `longest-lock-timeout` are values of PostgreSQL's
setting, where a number without a unit means milliseconds.
"""

from migsafe.errors import ConfigError
from migsafe.patterns import lazy_pattern
from migsafe.session import milliseconds

_EXAMPLES = "Examples: 500ms, 2s, 1min."
_UNIT = lazy_pattern(r"(?:us|ms|s|min|h|d)\s*$")


def read_duration(where: str, value: str) -> int:
    """Returns a duration in milliseconds; 0 needs no unit. Raises ConfigError, which names the option or key `where`."""
    duration = read_setting(where, value)
    if duration and not _UNIT.search(value):
        number = value.strip()
        raise ConfigError(f"{where}: a duration needs a unit: {number}", f"Write {number}s for seconds, or {number}ms for milliseconds.")
    return duration


def read_setting(where: str, value: str) -> int:
    """Returns the milliseconds of a value of PostgreSQL's lock_timeout. Raises ConfigError."""
    duration = milliseconds(value)
    if duration is None:
        raise ConfigError(f"{where}: invalid duration: {value}", _EXAMPLES)
    return duration
