"""The formats of a report, by name."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from migsafe.errors import ConfigError, did_you_mean


def check_format(format: str, formats: Sequence[str]) -> None:
    """Raises ConfigError for a format that is not among `formats`."""
    if format not in formats:
        raise ConfigError(f"there is no format {format}", did_you_mean(format, formats))


def load_writer(package: str, format: str, formats: Sequence[str]) -> Any:
    """Returns the function `report` of the module of that name in a package. Raises ConfigError for an unknown format."""
    check_format(format, formats)
    return import_module(f"{package}.{format}").report
