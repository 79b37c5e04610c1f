"""The request that a statement belongs to, and whether a migration is running."""

from collections.abc import Callable
from contextvars import ContextVar
from types import CodeType
from typing import Any


class Scope:
    """A request, a task or a test, within which equal statements are counted.

    `counts` are the numbers of statements so far, by what is counted. A scope that is not `counted` lasts as long as the connection of a client
    (a web socket), so its statements are not repeats. `endpoint` returns the code of the function that handles the request, None if that is not
    known.
    """

    __slots__ = ("counted", "counts", "endpoint")

    def __init__(self, *, counted: bool = True, endpoint: Callable[[], CodeType | None] | None = None) -> None:
        self.counts: dict[Any, int] = {}
        self.counted = counted
        self.endpoint = endpoint


REQUEST: ContextVar[Scope | None] = ContextVar("migsafe_request", default=None)
"""The running request or task. Threads that a framework starts for a request, and asyncio's tasks, have a copy of its context."""

MIGRATING: ContextVar[bool] = ContextVar("migsafe_migrating", default=False)
"""Whether migrations are applied, or a test database is created."""
