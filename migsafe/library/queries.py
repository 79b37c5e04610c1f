"""The application's queries, and what they need of the schema, for the command line and for programs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migsafe.cache.queries import usual_queries
from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import ConfigError, MigsafeError, UnreadableError
from migsafe.library.lint import Track
from migsafe.library.plan import schema_script
from migsafe.library.project import make_renderer
from migsafe.prediction.history import HistoryEnd, SelectedMigration, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.sources import find_migrations
from migsafe.workload import Query, UnreadQuery, Workload
from migsafe.workload.reading import read_workload

if TYPE_CHECKING:
    from migsafe.workload.assessment import QueryAssessment


class ListedQuery(Struct, frozen=True):
    """A query, what it needs of the database that the migrations leave (None without migrations), and whether it is new since the revision."""

    query: Query
    assessment: "QueryAssessment | None"
    is_new: bool = False


class QueryList(Struct, frozen=True, kw_only=True):
    """The queries of an application.

    `unread` are those that could not be read. `has_schema` if there are migrations or a dump to resolve them with. `gone` is the number of
    queries that the revision has and the project no longer has. `problems` are the migrations that could not be read. `left_out` is the number
    of a log's messages that could not be read.
    """

    queries: tuple[ListedQuery, ...]
    pg_version: int
    unread: tuple[UnreadQuery, ...] = ()
    has_schema: bool = False
    compared: bool = False
    gone: int = 0
    left_out: int = 0
    problems: tuple[MigsafeError, ...] = ()


def queries(
    paths: Sequence[str] | None = None, *, settings: Configuration | None = None, since: str | None = None, log: str | None = None
) -> QueryList:
    """List the application's queries as `migsafe queries` does: where each is, what it reads and writes, and which index serves it.

    `paths` are files and folders: of the queries that the settings name, only those at or below them; without such settings, the queries in
    them. Without `settings`, the nearest configuration is read. `since` (a git revision) lists only queries that are new since it. `log` is a
    log of PostgreSQL, whose queries are listed instead. Migrations that could not be read are `problems`. Raises MigsafeError.
    """
    settings = settings or read_configuration()
    return list_queries(paths, settings, since=since, log=log)


def list_queries(
    paths: Sequence[str] | None, settings: Configuration, *, since: str | None = None, log: str | None = None, track: Track = iter
) -> QueryList:
    """List queries; `track` iterates over the migrations, and may show the progress. Raises MigsafeError."""
    left_out = 0
    if log is not None:
        from migsafe.workload.logs import read_log  # noqa: PLC0415  # only needed for a log

        if paths or since is not None:
            raise ConfigError("--from-log cannot be used with paths or --since", "It lists the queries of the log.")
        logged = read_log(log)
        workload, left_out = Workload(queries=logged.queries, running=logged.queries), logged.left_out
    else:
        workload = _read(paths, settings, since)
    chosen = sorted(workload.new_queries() if workload.compared else workload.queries, key=_place)
    known = {query.fingerprint for query in workload.queries}
    catalogs, problems = _catalogs(settings, track) if chosen else ([], [])
    assessments = _assessments(chosen, catalogs, workload.created)
    return QueryList(
        queries=tuple(ListedQuery(query, found, workload.compared) for query, found in zip(chosen, assessments, strict=True)),
        pg_version=settings.pg_version,
        unread=workload.unread,
        has_schema=bool(catalogs),
        compared=workload.compared,
        gone=sum(query.fingerprint not in known for query in workload.running) if workload.compared else 0,
        left_out=left_out,
        problems=tuple(problems),
    )


def _place(query: Query) -> tuple[bool, str, int]:
    """Returns where a query is listed: by its first place; those without one at the end."""
    return (False, query.places[0].path, query.places[0].line) if query.places else (True, query.text, 0)


def _read(paths: Sequence[str] | None, settings: Configuration, since: str | None) -> Workload:
    """Returns the queries of the settings at or below paths; without such settings, those in the paths."""
    if not settings.queries:
        if not paths:
            raise ConfigError("nothing to list", "Name a file or a folder, or set `queries` in [tool.migsafe] of pyproject.toml.")
        return read_workload(paths, settings.folder, complete=settings.queries_complete, revision=since)
    kept = usual_queries(settings.folder)
    workload = read_workload(settings.queries, settings.folder, complete=settings.queries_complete, revision=since, kept=kept)
    if kept is not None:
        kept.keep()
    if not paths:
        return workload
    wanted = [Path(path).resolve() for path in paths]
    root = Path(settings.folder).resolve()

    def is_wanted(places: Iterable[str]) -> bool:
        return any((root / place).is_relative_to(path) for place in places for path in wanted)

    def below(queries: tuple[Query, ...]) -> tuple[Query, ...]:
        return tuple(query for query in queries if is_wanted(place.path for place in query.places))

    unread = tuple(each for each in workload.unread if is_wanted([each.place.path]))
    selected = below(workload.queries)
    if not selected and not unread:
        raise ConfigError(f"no query is in {', '.join(paths)}", "The configuration's `queries` names the files and folders that are read.")
    return replace(workload, queries=selected, running=below(workload.running), unread=unread)


def _catalogs(settings: Configuration, track: Track) -> tuple[list[Catalog], list[MigsafeError]]:
    """Returns the databases that the histories of the settings leave, and the migrations that could not be read."""
    schema = schema_script(settings.schema)
    if not settings.migrations:
        if schema is None:
            return [], []
        predictor = Predictor(settings.pg_version, find_contradictions=False)
        predictor.load(schema)
        return [predictor.catalog], []
    plan = find_migrations(settings.migrations, settings.sources)
    predictors: list[Predictor] = []
    problems: list[MigsafeError] = []
    for selected in selected_migrations(plan, settings.pg_version, make_renderer(settings, usual()), schema=schema, watch=track):
        if isinstance(selected, MigsafeError):
            problems.append(selected)
            continue
        if isinstance(selected, HistoryEnd):
            continue
        if not any(each is selected.predictor for each in predictors):
            predictors.append(selected.predictor)
        problems += _apply(selected)
    return [predictor.catalog for predictor in predictors], problems


def _apply(selected: SelectedMigration) -> list[MigsafeError]:
    try:
        selected.predictor.apply(selected.migration.up)
    except UnreadableError as error:
        return [error]
    return []


def _assessments(queries: Sequence[Query], catalogs: Sequence[Catalog], created: Sequence[str]) -> "list[QueryAssessment | None]":
    """Returns what each query needs of the database in which it runs: of several, the first in which all of it is found."""
    if not catalogs:
        return [None] * len(queries)
    from migsafe.cache.query_shapes import usual_shapes  # noqa: PLC0415  # not needed without queries and a schema
    from migsafe.workload.assessment import Assessor, assess_for_application  # noqa: PLC0415

    stored = usual_shapes()
    assessor = Assessor(stored.shapes if stored is not None else None, created)
    assessments: list[QueryAssessment | None] = []
    for query in queries:
        found = [assess_for_application(query, catalog, assessor.assess) for catalog in catalogs]
        assessments.append(next((each for each in found if each.is_resolved and each.failure is None), found[0]))
    if stored is not None:
        stored.keep()
    return assessments
