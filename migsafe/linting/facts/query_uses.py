"""What the application's queries say about an object that a migration takes away."""

from collections.abc import Iterable

from msgspec import Struct

from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import NamedQuery, Severity
from migsafe.linting.rule import Context
from migsafe.sql.operations import Name


class KnownUse(Struct, frozen=True):
    """The queries that use an object: the end of a message about it, the severity if that is certain to be less, and the queries."""

    words: str = ""
    severity: Severity | None = None
    queries: tuple[NamedQuery, ...] = ()


def use_of_relations(at: Context, relations: Iterable[Name], column: str | None = None) -> KnownUse:
    """Returns which queries use one of the relations, or a column of the only one, on the database before the current operation."""
    if at.queries is None:
        return KnownUse()
    uses = [at.queries.uses(at.catalog, relation, column) for relation in relations]
    named = tuple(dict.fromkeys(query for use in uses for query in use.named))
    if named:
        return _named(named)
    with_star = tuple(dict.fromkeys(query for use in uses for query in use.with_star))
    if with_star:
        return KnownUse(f"; {_select(with_star)} it with * ({join_queries(with_star)})", None, with_star)
    return _unused(at) if all(use.is_unused for use in uses) else KnownUse()


def use_of_names(at: Context, names: Iterable[Name]) -> KnownUse:
    """Returns which queries mention one of the names, of functions, types or sequences."""
    if at.queries is None:
        return KnownUse()
    named = tuple(dict.fromkeys(query for name in names for query in at.queries.named_mentioning(name)))
    return _named(named) if named else _unused(at)


def _named(queries: tuple[NamedQuery, ...]) -> KnownUse:
    noun, verb = ("queries", "use") if len(queries) > 1 else ("query", "uses")
    return KnownUse(f"; the {noun} {join_queries(queries)} {verb} it", None, queries)


def _select(queries: tuple[NamedQuery, ...]) -> str:
    return "one query selects" if len(queries) == 1 else f"{len(queries)} queries select"


def _unused(at: Context) -> KnownUse:
    assert at.queries is not None
    if not at.queries.complete:
        return KnownUse()
    number = len(at.queries.all)
    unread = len(at.queries.workload.unread)
    unread_words = f"; {unread} could not be read" if unread else ""
    subject = f"none of the application's {number:,} queries uses it" if number != 1 else "the application's only query does not use it"
    return KnownUse(f"; {subject}{unread_words}", Severity.INFO)
