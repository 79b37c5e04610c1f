"""The queries of a project, as the rules use them."""

from collections.abc import Collection, Iterator
from hashlib import blake2b

from msgspec import Struct, msgpack

from migsafe.linting.facts.sql_words import words_of
from migsafe.linting.finding import NamedQuery
from migsafe.linting.queries.places import QueryFiles
from migsafe.linting.queries.refused_types import refused_types
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import Name
from migsafe.workload import CallSite, Query, Workload
from migsafe.workload.assessment import Assessor, Failure, QueryAssessment, UsedRelation, assess_for_application
from migsafe.workload.shapes import Shapes


class ProjectQueries:
    """The queries of both releases, by their fingerprints, and what a database means for them.

    A query of the current release belongs to the release of the migrations; a running one is sent by the release that runs while they are
    applied. Nothing is read from a query before a migration changes something that it mentions.
    """

    def __init__(self, workload: Workload, folder: str = ".", unplaced: str = "") -> None:
        self.workload = workload
        self.files = QueryFiles(folder, unplaced)
        self.current = {query.fingerprint: query for query in workload.queries}
        self.running = {query.fingerprint: query for query in workload.running}
        self.all = {**self.running, **self.current}
        self.assessor = Assessor(created=workload.created)
        self._mentions: dict[str, set[str]] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        # A checkpoint contains contexts; the run that continues from it has read the queries itself.
        return ProjectQueries, (Workload(),)

    def use_shapes(self, shapes: Shapes) -> None:
        """Begins with shapes of queries that an earlier run has read."""
        self.assessor = Assessor(shapes, self.workload.created)

    @property
    def complete(self) -> bool:
        """Whether the application sends no other queries, according to its configuration."""
        return self.workload.complete

    @property
    def digest(self) -> str:
        """Returns what the findings depend on, for the cache."""
        return blake2b(msgpack.encode((self.workload, self.files.folder)), digest_size=16).hexdigest()

    def is_new(self, query: Query) -> bool:
        """Whether the running release does not send the query. Without a revision to compare with, it is not known to be new."""
        return self.workload.compared and query.fingerprint not in self.running

    def is_in_both(self, query: Query) -> bool:
        """Whether the running release is known, and both it and the new release send the query."""
        return self.workload.compared and query.fingerprint in self.running and query.fingerprint in self.current

    def is_running(self, query: Query) -> bool:
        """Whether the release that is known to run while the migrations are applied sends the query."""
        return self.workload.compared and query.fingerprint in self.running

    def named(self, query: Query) -> NamedQuery:
        """Returns a query as findings name it."""
        place = main_place(query)
        if place is None:
            return NamedQuery(query.fingerprint)
        return NamedQuery(query.fingerprint, place.name, self.files.path(place), place.line, query.per_request)

    def mentioning(self, words: Collection[str]) -> list[Query]:
        """Returns the queries whose texts, with the types of their parameters, contain all of these words, in any letter case."""
        mentions = self._by_word()
        found = set.intersection(*(mentions.get(word, set()) for word in words)) if words else set(self.all)
        return [query for fingerprint, query in self.all.items() if fingerprint in found]

    def _by_word(self) -> dict[str, set[str]]:
        if self._mentions is None:
            self._mentions = {}
            for fingerprint, query in self.all.items():
                for word in words_of(" ".join((query.text, *filter(None, query.parameters)))):
                    self._mentions.setdefault(word, set()).add(fingerprint)
        return self._mentions

    def assess(self, query: Query, catalog: Catalog) -> QueryAssessment:
        """Returns what a query needs of a database, with the search_path of the application's sessions."""
        return assess_for_application(query, catalog, self.assessor.assess)

    def refused_types(self, query: Query, catalog: Catalog) -> Failure | None:
        """Returns the operator or function in a query that PostgreSQL does not have for the types of its operands; None if none is known."""
        return refused_types(query, catalog, self.assess(query, catalog))

    def uses(self, catalog: Catalog, relation: Name, column: str | None = None) -> "QueryUses":
        """Returns the queries that use a relation of the database, or one of its columns."""
        words = words_of(relation.name)
        resolved = catalog.resolve(relation)
        named: list[Query] = []
        with_star: list[Query] = []
        not_understood: list[Query] = []
        for query in self.mentioning(words):
            assessment = self.assess(query, catalog)
            if not assessment.is_resolved and not assessment.relations:
                not_understood.append(query)
                continue
            used = [each for each in assessment.relations if each.name == resolved]
            if any(column is None or column in each.columns for each in used):
                named.append(query)
            elif any(each.all_columns for each in used):
                with_star.append(query)
        return QueryUses(*(tuple(map(self.named, each)) for each in (named, with_star, not_understood)))

    def named_mentioning(self, name: Name) -> list[NamedQuery]:
        """Returns the queries that mention a name."""
        return [self.named(query) for query in self.mentioning(words_of(name.name))]

    def accesses(self, catalog: Catalog, relation: Name) -> Iterator[tuple[Query, UsedRelation]]:
        """Yields the queries that use a relation, with what they use of it."""
        for query in self.mentioning(words_of(relation.name)):
            for used in self.assess(query, catalog).relations:
                if used.name == relation:
                    yield query, used


class QueryUses(Struct, frozen=True):
    """The queries that use an object: those that name it, those that select all columns of a table with `*`, and those that mention it and are
    not understood."""

    named: tuple[NamedQuery, ...] = ()
    with_star: tuple[NamedQuery, ...] = ()
    not_understood: tuple[NamedQuery, ...] = ()

    @property
    def is_unused(self) -> bool:
        """Whether certainly no query uses the object."""
        return not (self.named or self.with_star or self.not_understood)


def main_place(query: Query) -> CallSite | None:
    """Returns the place of a query at which it is reported: the call site that sends it most often in one request."""
    return max(query.places, key=lambda place: place.per_request, default=None)
