"""The form of the findings about the application's queries."""

from typing import NamedTuple

from migsafe.linting.finding import NamedQuery, Severity
from migsafe.sql.operations import Name


class QueryFinding(NamedTuple):
    """A finding about queries at a statement of the migration, by index. `help` is the safe way, `relations` are the affected ones."""

    rule: str
    severity: Severity
    message: str
    statement: int | None
    queries: tuple[NamedQuery, ...] = ()
    help: str = ""
    relations: tuple[Name, ...] = ()
