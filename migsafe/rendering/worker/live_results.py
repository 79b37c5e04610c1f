"""What a live server says to a script."""

from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from migsafe.rendering.live_results import unpack

_KINDS: dict[str, type[DBAPIError]] = {"23": IntegrityError, "08": OperationalError, "40": OperationalError, "55": OperationalError}
"""SQLAlchemy's names for errors, by the class of their SQLSTATE; all others are the statement's own fault."""


class ServerError(Exception):
    """What PostgreSQL said, as a driver's own error."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = self.pgcode = sqlstate


class Result(NamedTuple):
    """What a server said to a statement."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    rowcount: int


def execution_result(said: Any, sql: str) -> Result:
    """The answer as a result. Raises the error that SQLAlchemy would raise where it is a refusal."""
    if isinstance(said, list):
        sqlstate, message = said
        raise _KINDS.get(sqlstate[:2], ProgrammingError)(sql, {}, ServerError(sqlstate, message))
    return Result(said["columns"], [tuple(unpack(value) for value in row) for row in said["rows"]], said["count"])
