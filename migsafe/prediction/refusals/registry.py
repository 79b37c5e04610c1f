"""The functions that find why PostgreSQL refuses an operation, by the type of the operation."""

from collections.abc import Callable
from typing import Any, TypeVar

from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Operation

Check = Callable[[Catalog, Any], Refusal | None]
F = TypeVar("F", bound=Check)

_CHECKS: dict[type[Operation], list[Check]] = {}


def refuses(*operations: type[Operation]) -> Callable[[F], F]:
    """Returns a decorator that registers a function for these operations. It gets the database before the operation, and returns why PostgreSQL
    certainly refuses it, or None."""

    def register(check: F) -> F:
        for operation in operations:
            _CHECKS.setdefault(operation, []).append(check)
        return check

    return register


def checks_for(operation: Operation) -> tuple[Check, ...]:
    """Returns the functions that were registered for an operation, in the order of their registration."""
    return tuple(_CHECKS.get(type(operation), ()))
