"""How long the application's queries took before, during and after a migration, under load."""

from msgspec import Struct

from migsafe.linting.finding import NamedQuery


class LoadPhase(Struct, frozen=True, kw_only=True):
    """The load before, during or after a migration, for some `seconds`. The other times are in milliseconds. `queries` were answered; `errors`
    are the numbers of those that failed, by SQLSTATE. `slowest_query` took the longest; None if no query was answered."""

    seconds: float = 0.0
    queries: int = 0
    p50: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0
    slowest_query: NamedQuery | None = None
    errors: dict[str, int] = {}


class UnusedQuery(Struct, frozen=True):
    """A SELECT that is not part of the load, and why. `is_refused` if PostgreSQL does not accept it before the migration."""

    query: NamedQuery
    reason: str
    is_refused: bool = False


class LoadTimes(Struct, frozen=True, kw_only=True):
    """The load of `sessions` sessions, each of which sends one of the `queries` every `interval_ms` milliseconds, if it has the last answer.
    `unused` are the SELECTs of the workload that were not sent."""

    sessions: int
    interval_ms: float
    queries: int
    unused: tuple[UnusedQuery, ...] = ()
    before: LoadPhase = LoadPhase()
    during: LoadPhase = LoadPhase()
    after: LoadPhase = LoadPhase()
