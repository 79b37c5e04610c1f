"""The columns of a query's result."""

from collections.abc import Callable

from msgspec import Struct

from migsafe.sql.operations import Name, Query, TypeName


class QueryColumn(Struct, frozen=True):
    """A column of a relation, or of a query's result. `type` is None if it is unknown."""

    name: str
    type: TypeName | None
    collation: Name | None


TableColumns = Callable[[Name], tuple[QueryColumn, ...] | None]
"""Returns all columns of a relation; None if they are not known."""

FunctionTypes = Callable[[Name], TypeName | None]
"""Returns the type of the result of a function; None if it is not known."""

QueryTyper = Callable[[Query, TableColumns], tuple[QueryColumn, ...] | None]
"""Returns the output columns of a query; None if they are not known."""
