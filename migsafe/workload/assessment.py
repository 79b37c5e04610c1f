"""What a query needs of a state of the database."""

from collections.abc import Callable, Collection

from migsafe.expressions.queries.shapes import UnreadShape
from migsafe.schema.catalog import Catalog
from migsafe.workload.binding import Binder, BoundView
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import (
    CandidateIndex,
    Failure,
    Filter,
    InsertProblem,
    QueryAssessment,
    TableAccess,
    UsedRelation,
)
from migsafe.workload.query import Query
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.shapes import Shapes, shared_shapes
from migsafe.workload.writes import check_writes

__all__ = [
    "NOT_FOUND",
    "Assessor",
    "CandidateIndex",
    "Failure",
    "Filter",
    "InsertProblem",
    "QueryAssessment",
    "TableAccess",
    "UsedRelation",
    "assess",
    "assess_for_application",
]

_USUAL_PATH = ("public",)
NOT_FOUND = frozenset(("42P01", "42704", "42883", "3F000"))
"""The errors of a name that is in another schema than those of search_path."""
_STATES = 4
"""How many states of the database are kept for a query: it is assessed before and after a migration, and on the paths through a script."""


class Assessor:
    """Assesses queries, each again only if a relation, index, type or function has changed that its assessment depends on.

    Without `shapes`, they are those of the process: sqlglot reads each query once. `created` are the tables that the application creates
    itself. Without `with_accesses` an assessment says nothing about indexes, which takes less time.
    """

    def __init__(self, shapes: Shapes | None = None, created: Collection[str] = (), *, with_accesses: bool = True) -> None:
        self.shapes = shapes or shared_shapes(spells=with_accesses)
        self._created = frozenset(created)
        self._with_accesses = with_accesses
        self._views: dict[int, BoundView] = {}
        self._done: dict[tuple[str, tuple[str | None, ...]], list[tuple[Lookups, QueryAssessment]]] = {}

    def assess(self, query: Query, catalog: Catalog) -> QueryAssessment:
        """Returns what a query needs of the database."""
        done = self._done.setdefault((query.text, query.parameters), [])
        for position, (lookups, assessment) in enumerate(done):
            if lookups.still_holds(catalog):
                if position:
                    done.insert(0, done.pop(position))
                return assessment
        lookups = Lookups(catalog, self.shapes, self._created, views=self._views, with_accesses=self._with_accesses)
        assessment = _assessed(query, lookups)
        done.insert(0, (lookups, assessment))
        del done[_STATES:]
        return assessment

    def needs_key(self, text: str, catalog: Catalog, table: int) -> bool:
        """Whether PostgreSQL accepts a query only because GROUP BY names the primary key of a table, which determines its other columns."""
        shape = self.shapes.query(text)
        if isinstance(shape, UnreadShape):
            return False
        with_key, without = (Binder(Lookups(catalog, self.shapes, keyless=each, with_accesses=False)) for each in (None, table))
        with_key.query(shape)
        without.query(shape)
        return with_key.failure is None and without.failure is not None and without.failure.code == "42803"


def _repeated(root: Level) -> str | None:
    """Returns the name that two output columns have that are columns of relations."""
    names = [name for name, column in root.outputs if column.relation is not None]
    return next((name for number, name in enumerate(names) if name is not None and name in names[:number]), None)


def assess(query: Query, catalog: Catalog) -> QueryAssessment:
    """Returns what a query needs of the database: its relations, the indexes that serve it, and why it fails.

    A failure is certain: if the catalogue does not know all that decides about it, `failure` is None and `uncertain` says what is not known.
    `Assessor` does the same for many queries and many states of the database.
    """
    return _assessed(query, Lookups(catalog, shared_shapes()))


def assess_for_application(query: Query, catalog: Catalog, assess: Callable[[Query, Catalog], QueryAssessment] = assess) -> QueryAssessment:
    """Returns what a query needs of the database, with the search_path of the application's sessions, which is not that of the migrations."""
    before, was_set = catalog.search_path, catalog.path_is_set
    catalog.search_path, catalog.path_is_set = _USUAL_PATH, True
    try:
        found = assess(query, catalog)
        if before not in ((), _USUAL_PATH) and found.failure is not None and found.failure.code in NOT_FOUND:
            # The migrations say in which schema the project works, if it is not the usual one.
            catalog.search_path = before
            found = assess(query, catalog)
        return found
    except Exception as error:  # one query must not prevent what is said of the others, and of migrations
        return QueryAssessment(kind="", unresolved=f"internal error: {type(error).__name__}: {error}")
    finally:
        catalog.search_path, catalog.path_is_set = before, was_set


def _accesses(catalog: Lookups, binder: Binder, root: Level) -> tuple[TableAccess, ...]:
    if not catalog.with_accesses or binder.failure is not None:
        return ()
    from migsafe.workload.accesses import table_accesses  # noqa: PLC0415  # a dozen modules, only for the application's queries

    return tuple(table_accesses(catalog, binder, root))


def _assessed(query: Query, catalog: Lookups) -> QueryAssessment:
    shape = catalog.shapes.query(query.text)
    if isinstance(shape, UnreadShape):
        return QueryAssessment(kind="", unresolved=shape.reason)
    binder = Binder(catalog, query.parameters)
    root = binder.query(shape)
    binder.known.check_types(binder, query.parameters)
    levels = list(all_levels(root))
    problems: dict[InsertProblem, None] = {}
    for level in levels:
        if level.shape.kind in ("insert", "update", "merge") and level.sources:
            problems.update(dict.fromkeys(check_writes(binder, level)))
    used = tuple(
        UsedRelation(
            oid=oid,
            name=binder.relations[oid].name,
            columns=frozenset(use.columns),
            all_columns=use.all_columns,
            is_read=use.is_read,
            is_written=use.is_written,
        )
        for oid, use in binder.uses.items()
    )
    return QueryAssessment(
        kind=shape.kind,
        relations=used,
        failure=binder.failure,
        uncertain="; ".join(binder.uncertain),
        accesses=_accesses(catalog, binder, root),
        insert_problems=tuple(problems),
        unknown_types=frozenset(binder.known.unknown_types),
        repeated_output=_repeated(root),
    )
