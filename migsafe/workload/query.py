"""A query that the application sends, and all that are known of two releases of it."""

from msgspec import Struct


class CallSite(Struct, frozen=True):
    """A place in the application that sends a query, or the file that contains it.

    `path` is relative to the project's folder, with `/`; `line` counts from 1. `name` is the name that the project gives the query, or the
    function that sends it; empty without one. `calls` is how often it was seen, and `per_request` the highest count within one request; both
    are 0 if the query was only read from a file.
    """

    path: str
    line: int
    name: str = ""
    calls: int = 0
    per_request: int = 0


class Query(Struct, frozen=True, kw_only=True):
    """A query with parameters instead of values.

    `text` has `$1`, `$2`, … for parameters, and no values: literals of recorded texts are parameters, too; those that stand in the project's
    files stay. `parameters` are their types as
    PostgreSQL spells them, None where a type is not known; fewer than the text has if the last ones are not known. `fingerprint` is equal for
    texts that differ only in white space, comments, letter case of keywords, the numbers of parameters, and the lengths of IN lists and of rows
    in VALUES. `mean_ms` is the mean duration in production, in milliseconds.
    """

    text: str
    fingerprint: str
    parameters: tuple[str | None, ...] = ()
    places: tuple[CallSite, ...] = ()
    calls: int = 0
    mean_ms: float | None = None

    @property
    def per_request(self) -> int:
        """The highest count within one request, of all call sites."""
        return max((place.per_request for place in self.places), default=0)


class UnreadQuery(Struct, frozen=True):
    """A query that could not be read: where it is, and why."""

    place: CallSite
    reason: str


class Workload(Struct, frozen=True, kw_only=True):
    """The queries of two releases of the application.

    `queries` are those of the release that the migrations belong to, `running` those of the release that still runs while they are applied.
    Without a revision to compare with (`compared` is False) the two are the same. `complete` if the project says that the application sends no
    other queries (`queries-complete`). `unread` are the queries that could not be read. `created` are the tables that the application creates
    itself, such as temporary ones.
    """

    queries: tuple[Query, ...] = ()
    running: tuple[Query, ...] = ()
    compared: bool = False
    complete: bool = False
    unread: tuple[UnreadQuery, ...] = ()
    created: tuple[str, ...] = ()

    def new_queries(self) -> list[Query]:
        """Returns the queries that the running release does not send. Without a revision to compare with, there are none."""
        running = {query.fingerprint for query in self.running}
        return [query for query in self.queries if query.fingerprint not in running]
