"""Preparing queries: PostgreSQL reads a query and looks up all that it names, without executing it.

The queries are sent as a driver sends them, as messages of the extended protocol: Parse, Describe and Sync for each, many of them without
waiting for the answers. A text can contain one statement only, and the unnamed statement leaves nothing behind.
"""

import select
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from migsafe.replaying.exchange import execute
from migsafe.replaying.queries.results import Prepared, QueryFailure
from migsafe.replaying.refusals import error_class, failure_of
from migsafe.replaying.sending import is_idle
from migsafe.sql.operations.values import quoted
from migsafe.workload.assessment import NOT_FOUND
from migsafe.workload.query import Query

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

_BATCH = 100
"""How many queries are sent before their answers are read."""
_SETTINGS = "SET statement_timeout = '5s'; SET lock_timeout = '2s'; SET default_transaction_read_only = on"
_LOCAL_SETTINGS = "SET LOCAL statement_timeout = '5s'; SET LOCAL search_path = DEFAULT"
"""The settings inside the transaction of a migration, which may have another search_path than the application."""
_OF_TYPES = frozenset(("42704", "42804", "42883", "42725", "42P18", "42P08", "42846", "22P02"))
"""The errors that the declared type of a parameter can cause."""
_UNKNOWN = "unknown"


class _Described(NamedTuple):
    """The answer for a query, with types as OIDs."""

    failure: QueryFailure | None
    parameters: tuple[int, ...] = ()
    columns: tuple[tuple[str, int, int], ...] = ()


def prepare_all(
    connection: "Connection[Any]", queries: Iterable[Query], *, search_path: Sequence[str] = (), untyped: Collection[str] = ()
) -> dict[str, Prepared]:
    """Prepares queries and returns the result of each, by fingerprint. Nothing in the database changes.

    Outside a transaction, the settings of the session change; inside one, those until its end, or until the end of its savepoint. A query that
    is not found with the search_path of the session is prepared with another `search_path`, if it is given. Those in `untyped` are prepared
    without the types of their parameters; others only if PostgreSQL refuses the types.
    """
    queries = list(queries)
    inside = not is_idle(connection)
    execute(connection, _LOCAL_SETTINGS if inside else _SETTINGS)
    results = _prepare_typed(connection, queries, untyped)
    if search_path:
        elsewhere = [query for query in queries if _failed_with(results[query.fingerprint], NOT_FOUND)]
        if elsewhere:
            local = "LOCAL " if inside else ""
            execute(connection, f"SET {local}search_path = {', '.join(quoted(name) for name in search_path)}")
            found = _prepare_typed(connection, elsewhere, untyped)
            execute(connection, f"SET {local}search_path = DEFAULT")
            results |= {fingerprint: prepared for fingerprint, prepared in found.items() if prepared.failure is None}
    return results


def _prepare_typed(connection: "Connection[Any]", queries: Sequence[Query], untyped: Collection[str]) -> dict[str, Prepared]:
    """Prepares queries with their known types, and those that PostgreSQL refuses for their types without them."""
    with_types = [query for query in queries if query.fingerprint not in untyped]
    without = [query for query in queries if query.fingerprint in untyped]
    results = _prepare(connection, with_types, typed=True)
    refused = [query for query in with_types if any(query.parameters) and _failed_with(results[query.fingerprint], _OF_TYPES)]
    second = _prepare(connection, [*without, *refused], typed=False)
    return results | {
        fingerprint: prepared for fingerprint, prepared in second.items() if prepared.failure is None or fingerprint not in results
    }


def _failed_with(prepared: Prepared, codes: Collection[str]) -> bool:
    return prepared.failure is not None and prepared.failure.sqlstate in codes


def _prepare(connection: "Connection[Any]", queries: Sequence[Query], *, typed: bool) -> dict[str, Prepared]:
    if not queries:
        return {}
    known = type_oids(connection, {name for query in queries for name in query.parameters if name}) if typed else {}
    described: dict[str, _Described] = {}
    sent: list[tuple[Query, tuple[int, ...]]] = []
    for query in queries:
        names = query.parameters if typed else ()
        missing = next((name for name in names if name and known.get(name) is None), None)
        if missing is not None:
            described[query.fingerprint] = _Described(QueryFailure("42704", f'type "{missing}" does not exist'))
        else:
            sent.append((query, tuple((known[name] or 0) if name else 0 for name in names)))
    for start in range(0, len(sent), _BATCH):
        batch = sent[start : start + _BATCH]
        for (query, _), answer in zip(batch, _describe(connection, batch), strict=True):
            described[query.fingerprint] = answer
    type_names = _type_names(connection, described.values())
    return {
        fingerprint: Prepared(
            failure=answer.failure,
            parameters=tuple(type_names[oid, -1] for oid in answer.parameters),
            columns=tuple((name, type_names[oid, modifier]) for name, oid, modifier in answer.columns),
            untyped=not typed,
        )
        for fingerprint, answer in described.items()
    }


def _describe(connection: "Connection[Any]", batch: Sequence[tuple[Query, tuple[int, ...]]]) -> list[_Described]:
    """Sends queries without waiting in between, and returns the answer for each. An error ends only the statement that it belongs to, because
    each has a Sync of its own (manual of libpq, pipeline mode), and inside a transaction also a savepoint."""
    libpq = connection.pgconn
    inside = not is_idle(connection)
    libpq.enter_pipeline_mode()
    try:
        for query, types in batch:
            if inside:
                libpq.send_query_params(b"SAVEPOINT migsafe_prepare", None)
                libpq.pipeline_sync()
            libpq.send_prepare(b"", query.text.encode(), types)
            libpq.send_describe_prepared(b"")
            libpq.pipeline_sync()
            if inside:
                libpq.send_query_params(b"ROLLBACK TO migsafe_prepare", None)
                libpq.pipeline_sync()
        results = _results(libpq)
        answers = []
        for _ in batch:
            _ = _answer(connection, results) if inside else None
            answers.append(_answer(connection, results))
            _ = _answer(connection, results) if inside else None
    except BaseException:
        connection.close()  # its pipeline contains answers that nobody reads
        raise
    libpq.exit_pipeline_mode()
    return answers


def _answer(connection: "Connection[Any]", results: "Iterator[PGresult]") -> _Described:
    """Returns the answer up to the next Sync. Raises psycopg.Error if the connection is lost."""
    from psycopg.errors import error_from_result  # noqa: PLC0415  # start-up must not pay for it
    from psycopg.pq import ExecStatus  # noqa: PLC0415

    failure: QueryFailure | None = None
    description: PGresult | None = None
    for result in results:
        if result.status == ExecStatus.PIPELINE_SYNC:
            break
        if result.status == ExecStatus.FATAL_ERROR:
            error = error_from_result(result, connection.info.encoding)
            failed = failure_of(error)
            if failed.lost:
                raise error
            failure = QueryFailure(failed.sqlstate, failed.message)
        else:
            description = result
    if failure is not None or description is None:
        return _Described(failure)
    columns = range(description.nfields)
    return _Described(
        None,
        tuple(description.param_type(position) for position in range(description.nparams)),
        tuple(((description.fname(at) or b"").decode(), description.ftype(at), description.fmod(at)) for at in columns),
    )


def _results(libpq: "PGconn") -> "Iterator[PGresult]":
    """Yields the results of a pipeline as they arrive, while the rest of it is sent."""
    socket = select.poll()
    socket.register(libpq.socket, select.POLLIN)
    while True:
        while libpq.flush():
            socket.modify(libpq.socket, select.POLLIN | select.POLLOUT)
            socket.poll()
            libpq.consume_input()
        socket.modify(libpq.socket, select.POLLIN)
        while libpq.is_busy():
            socket.poll()
            libpq.consume_input()
        result = libpq.get_result()
        if result is not None:
            yield result


def type_oids(connection: "Connection[Any]", names: Collection[str]) -> dict[str, int | None]:
    """Returns the OIDs of types by their names; None for one that does not exist."""
    query = "SELECT name, pg_catalog.to_regtype(name)::oid FROM pg_catalog.unnest(%s::text[]) AS n (name)"
    try:
        found: list[Any] = connection.execute(query, (list(names),)).fetchall()
    except error_class():
        if len(names) == 1:
            return dict.fromkeys(names)  # before 16, to_regtype raises an error for what is not spelled as a type
        return {name: oid for each in names for name, oid in type_oids(connection, [each]).items()}
    return dict(found)


def _type_names(connection: "Connection[Any]", answers: Collection[_Described]) -> dict[tuple[int, int], str]:
    """Returns the names of types by OID and modifier."""
    used = {(oid, -1) for answer in answers for oid in answer.parameters}
    used |= {(oid, modifier) for answer in answers for _, oid, modifier in answer.columns}
    query = "SELECT o, m, pg_catalog.format_type(o, m) FROM ROWS FROM (pg_catalog.unnest(%s::oid[]), pg_catalog.unnest(%s::int[])) AS t (o, m)"
    rows: list[Any] = connection.execute(query, ([oid for oid, _ in used], [modifier for _, modifier in used])).fetchall()
    return {(oid, modifier): name or _UNKNOWN for oid, modifier, name in rows}
