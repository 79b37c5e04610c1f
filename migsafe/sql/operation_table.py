"""Tables of handlers by operation class, each of which must know every operation."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from migsafe.sql import operations
from migsafe.sql.operations import Operation

Handler = TypeVar("Handler", bound=Callable[..., Any])


class UnregisteredOperationError(TypeError):
    """An operation class has no entry in a table."""


class OperationTable(Generic[Handler]):
    """The handlers of one aspect of the engine (effects, schema changes, …) for each operation class.

        EFFECTS = OperationTable[EffectHandler]("effects")

        @EFFECTS.register(CreateIndex)          # on the handler
        def create_index(…): …

        EFFECTS.register_none("only reads the catalogue", Comment)
        EFFECTS.check()                         # after all modules with handlers are imported

    An operation class without a handler must be listed with the reason why it needs none. A class may be named by its base
    (`SessionControl`); a handler for the class itself takes precedence.
    """

    def __init__(self, aspect: str) -> None:
        self.aspect = aspect
        self._handlers: dict[type[Operation], Handler] = {}
        self._reasons: dict[type[Operation], str] = {}

    def register(self, *kinds: type[Operation]) -> Callable[[Handler], Handler]:
        """Returns a decorator that registers a function as the handler of these operation classes."""

        def registered(handler: Handler) -> Handler:
            for kind in kinds:
                if kind in self._handlers:
                    raise UnregisteredOperationError(f"{kind.__name__} is registered twice in the table of {self.aspect}")
                self._handlers[kind] = handler
            return handler

        return registered

    def register_none(self, reason: str, *kinds: type[Operation]) -> None:
        """Registers operation classes that need no handler, and why."""
        for kind in kinds:
            self._reasons[kind] = reason

    def check(self) -> None:
        """Raises UnregisteredOperationError for an operation class that has neither a handler nor a reason, or both."""
        missing = [kind.__name__ for kind in operation_classes() if kind not in self._handlers and self.reason(kind) is None]
        if missing:
            raise UnregisteredOperationError(f"no entry in the table of {self.aspect} for {', '.join(missing)}")
        both = [kind.__name__ for kind in self._handlers if kind in self._reasons]
        if both:
            raise UnregisteredOperationError(f"{', '.join(both)} has a handler and a reason for none in the table of {self.aspect}")

    def handler(self, operation: Operation) -> Handler | None:
        """Returns the handler of an operation, None if it needs none. Raises UnregisteredOperationError."""
        kind = type(operation)
        handler = self._handlers.get(kind)
        if handler is None and kind not in self._reasons:
            reason = self.reason(kind)
            if reason is None:
                raise UnregisteredOperationError(f"no entry in the table of {self.aspect} for {kind.__name__}")
            self._reasons[kind] = reason
        return handler

    def reason(self, kind: type[Operation]) -> str | None:
        """Returns why an operation class needs no handler, None if it is not listed with a reason."""
        return next((self._reasons[base] for base in kind.__mro__ if base in self._reasons), None)


def operation_classes() -> Iterator[type[Operation]]:
    """Yields the operation classes that the grammar can produce: those of `migsafe.sql.operations` that no other class is derived from."""
    waiting: list[type[Operation]] = [Operation]
    while waiting:
        kind = waiting.pop()
        derived = [subclass for subclass in kind.__subclasses__() if subclass.__module__.startswith(operations.__name__)]
        waiting += derived
        if not derived:
            yield kind
