"""Results and errors of a live server, as SQLAlchemy returns and raises them."""

from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from migsafe.rendering.live_results import unpack

_KINDS: dict[str, type[DBAPIError]] = {"23": IntegrityError, "08": OperationalError, "40": OperationalError, "55": OperationalError}
"""SQLAlchemy's exceptions by the class of the SQLSTATE; for all others, ProgrammingError."""


class ServerError(Exception):
    """An error of PostgreSQL, as a driver raises it."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = self.pgcode = sqlstate


class Result(NamedTuple):
    """The result of a statement on a server."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    rowcount: int


def execution_result(answer: Any, sql: str) -> Result:
    """Returns the answer as a result. Raises SQLAlchemy's exception if it is an error."""
    if isinstance(answer, list):
        sqlstate, message = answer
        raise _KINDS.get(sqlstate[:2], ProgrammingError)(sql, {}, ServerError(sqlstate, message))
    return Result(answer["columns"], [tuple(unpack(value) for value in row) for row in answer["rows"]], answer["count"])
