"""What the application's queries say about an object that a migration takes away."""

from collections.abc import Iterable

from msgspec import Struct

from migsafe.linting.facts.sql_words import words_of
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
    relations = tuple(relations)
    uses = [at.queries.uses(at.catalog, relation, column) for relation in relations]
    named = tuple(dict.fromkeys(query for use in uses for query in use.named))
    if named:
        return _named(named)
    with_star = tuple(dict.fromkeys(query for use in uses for query in use.with_star))
    if with_star:
        return KnownUse(f"; {_select(with_star)} it with * ({join_queries(with_star)})", None, with_star)
    mentions = [words_of(f"{relation.name} {column or ''}") for relation in relations]
    return _unused(at, mentions) if all(use.is_unused for use in uses) else KnownUse()


def use_of_names(at: Context, names: Iterable[Name]) -> KnownUse:
    """Returns which queries mention one of the names, of functions, types or sequences."""
    if at.queries is None:
        return KnownUse()
    names = tuple(names)
    named = tuple(dict.fromkeys(query for name in names for query in at.queries.named_mentioning(name)))
    return _named(named) if named else _unused(at, [words_of(name.name) for name in names])


def _named(queries: tuple[NamedQuery, ...]) -> KnownUse:
    noun, verb = ("queries", "use") if len(queries) > 1 else ("query", "uses")
    return KnownUse(f"; the {noun} {join_queries(queries)} {verb} it", None, queries)


def _select(queries: tuple[NamedQuery, ...]) -> str:
    return "one query selects" if len(queries) == 1 else f"{len(queries)} queries select"


def _unused(at: Context, mentions: Iterable[set[str]]) -> KnownUse:
    """Returns that no query uses an object. A query that could not be read may use it, if its file has all words of one of the `mentions`."""
    assert at.queries is not None
    if not at.queries.complete:
        return KnownUse()
    files = at.queries.files
    unread = at.queries.workload.unread
    suspect = [each.place for each in unread if (file := files.script(each.place)) is None or any(m <= words_of(file.text) for m in mentions)]
    if suspect:
        first = f"{files.path(suspect[0])}:{suspect[0].line}"
        others = f" and {len(suspect) - 1} more" if len(suspect) > 1 else ""
        return KnownUse(f"; a query that could not be read may use it ({first}{others})")
    number = len(at.queries.all)
    subject = f"none of the application's {number:,} queries uses it" if number != 1 else "the application's only query does not use it"
    return KnownUse(f"; {subject}", Severity.INFO)
