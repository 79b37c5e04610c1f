"""The tool `queries`."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from migsafe.agent.sizes import Limit, Offset, continuation, page_of, short_statement
from migsafe.agent.tool import Answer, PgVersion, Problem, Progress, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.library.queries import ListedQuery, queries


class QueriesArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `queries`."""

    paths: Annotated[
        list[str] | None, Meta(description="Only queries in these files and folders. Default: `queries` of the project's configuration.")
    ] = None
    since: Annotated[str | None, Meta(description="Only queries that are new since this git revision.")] = None
    only_problems: Annotated[bool, Meta(description="Only queries that fail, or read a whole table for a few of its rows.")] = False
    pg_version: PgVersion = None
    limit: Limit = 30
    offset: Offset = 0


class QueryResult(Struct, frozen=True, kw_only=True):
    """A query of the application: where it is, the relations that it reads and writes, and the indexes that serve it. `failure` is PostgreSQL's
    error; `without_index` are the relations of which it reads all rows for a few of them. `unknown` says what could not be resolved."""

    name: str
    path: str
    line: int
    sql: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    without_index: tuple[str, ...] = ()
    failure: str = ""
    unknown: str = ""


class QueriesResult(Struct, frozen=True, kw_only=True):
    """Queries in the order of their places. `resolved` if migrations or a schema show the tables; without them only the texts are known.
    `unread` are queries that could not be read."""

    total: int
    resolved: bool
    queries: tuple[QueryResult, ...] = ()
    left_out: int = 0
    unread: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


_MOST_UNREAD = 10


def _queries(arguments: QueriesArguments, workspace: Workspace, progress: Progress) -> Answer:
    settings = workspace.settings(arguments.pg_version)
    listed = queries(workspace.requested(arguments.paths), settings=settings, since=arguments.since)
    # The places are relative to the project's folder.
    workspace.check_results(f"{settings.folder}/{place.path}" for each in listed.queries for place in each.query.places)
    chosen = [each for each in listed.queries if _has_problem(each)] if arguments.only_problems else listed.queries
    shown, left_out = page_of(chosen, arguments.limit, arguments.offset)
    result = QueriesResult(
        total=len(chosen),
        resolved=listed.has_schema,
        queries=tuple(map(_query, shown)),
        left_out=left_out,
        unread=tuple(f"{each.place.path}:{each.place.line}: {each.reason}" for each in listed.unread[:_MOST_UNREAD]),
        problems=problems_of(listed.problems),
    )
    return Answer(result=result, text="\n".join(_lines(result, arguments)))


def _has_problem(listed: ListedQuery) -> bool:
    found = listed.assessment
    return found is not None and (found.failure is not None or bool(found.insert_problems) or any(each.is_unindexed for each in found.accesses))


def _query(listed: ListedQuery) -> QueryResult:
    query, found = listed.query, listed.assessment
    place = query.places[0] if query.places else None
    usual = QueryResult(
        name=place.name if place is not None else "",
        path=place.path if place is not None else "",
        line=place.line if place is not None else 0,
        sql=short_statement(query.text),
    )
    if found is None:
        return usual
    inserts = [
        f"{each.table}.{each.column} " + ("is generated" if each.kind == "generated" else "is NOT NULL") for each in found.insert_problems
    ]
    return QueryResult(
        name=usual.name,
        path=usual.path,
        line=usual.line,
        sql=usual.sql,
        reads=tuple(str(each.name) for each in found.relations if each.is_read),
        writes=tuple(str(each.name) for each in found.relations if each.is_written),
        indexes=tuple(dict.fromkeys(str(each.index) for each in found.accesses if each.index is not None)),
        without_index=tuple(dict.fromkeys(str(each.name) for each in found.accesses if each.is_unindexed)),
        failure=found.failure.message if found.failure is not None else "; ".join(inserts),
        unknown=found.unresolved or found.uncertain,
    )


def _lines(result: QueriesResult, arguments: QueriesArguments) -> Iterator[str]:
    yield f"{result.total} queries" + ("" if result.resolved else "; without migrations or a schema, their tables are not known")
    for query in result.queries:
        yield f"{query.path}:{query.line}{f' {query.name}' if query.name else ''}: {' '.join(query.sql.split())}"
        details = (
            ("fails", query.failure),
            ("reads all rows of", ", ".join(query.without_index)),
            ("served by", ", ".join(query.indexes)),
            ("unknown", query.unknown),
        )
        yield from (f"    {word}: {text}" for word, text in details if text)
    yield from (f"could not be read: {text}" for text in result.unread)
    yield from problem_lines(result.problems)
    if more := continuation(result.left_out, "queries", arguments.limit, arguments.offset):
        yield more


QUERIES = Tool(
    name="queries",
    title="List the application's queries",
    description=(
        "Lists the application's queries with their places, the tables they use, the index that serves each, and those that fail on the schema"
        " that the migrations leave. Call it before you drop or rename a column, a table or an index."
    ),
    arguments=QueriesArguments,
    result=QueriesResult,
    run=_queries,
)
