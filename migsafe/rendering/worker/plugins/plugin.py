"""What is known about a plugin."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct


class Plugin(Struct, frozen=True):
    """A plugin: its `packages`, as they are imported, the `names` that its modules define, and its `operations`, which get Alembic's first."""

    packages: tuple[str, ...]
    names: Mapping[str, Any] = {}
    operations: Mapping[str, Callable[..., Any]] = {}
