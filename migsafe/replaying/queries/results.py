"""What was measured of the application's queries around one migration."""

from msgspec import Struct

from migsafe.linting.finding import NamedQuery


class QueryFailure(Struct, frozen=True):
    """Why PostgreSQL refuses a query: the SQLSTATE and the primary message."""

    sqlstate: str
    message: str


class BrokenQuery(Struct, frozen=True, kw_only=True):
    """A query of the running release that works before a migration and fails after it. `statement` is the index of the statement that caused
    it; None if that is not known."""

    query: NamedQuery
    text: str
    failure: QueryFailure
    statement: int | None = None


class QueryResults(Struct, frozen=True, kw_only=True):
    """What was measured of the queries of both releases around one migration. `tried` are the queries that were prepared."""

    tried: int = 0
    broken: tuple[BrokenQuery, ...] = ()
