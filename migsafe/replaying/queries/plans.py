"""The plans of queries with parameters: generic plans, which PostgreSQL chooses without the values.

From PostgreSQL 16, EXPLAIN (GENERIC_PLAN) explains a text with `$1`. Before, and for parameters of a declared type, the query is prepared and
explained with `plan_cache_mode = force_generic_plan` and NULL for each parameter, which the generic plan does not depend on.

PostgreSQL expects a tenth of all rows for a LIMIT or OFFSET that it does not know (preprocess_limit in planner.c). An application asks for a
page, and mostly for one of the first, so that these are explained with values of their own.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import json
from msgspec.structs import replace

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.replaying.exchange import Reply, exchange, rows_of
from migsafe.replaying.queries.explaining import number_of_parameters
from migsafe.replaying.queries.plan_trees import Plan, Unexplained
from migsafe.replaying.refusals import failure_of
from migsafe.replaying.sending import is_idle
from migsafe.sql.operations import quoted
from migsafe.sql.split import split
from migsafe.workload.assessment import NOT_FOUND
from migsafe.workload.query import Query
from migsafe.workload.tokens import read_tokens

if TYPE_CHECKING:
    from psycopg import Connection, Error

_SETTINGS = ("plan_cache_mode = force_generic_plan", "jit = off", "search_path = DEFAULT")
_PAGE = lazy_pattern(r"\b(LIMIT|OFFSET)\s+(?:\$\d+|\(\s*\$\d+\s*\))(?:\s*::\s*\w+)?(?![\w.:+*/-])", re.IGNORECASE)
_PAGE_VALUES = {"limit": 20, "offset": 0}
_UNDETERMINED = "42P18"
_REFUSES_NULL = ("23502", "23514")
"""A domain that is NOT NULL, or whose CHECK refuses NULL."""
_SEVERAL = Unexplained("42601", "cannot insert multiple commands into a prepared statement", is_accepted=False)
_TYPES = """
    SELECT coalesce((
        WITH RECURSIVE base (oid, of) AS (
            SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = type
            UNION ALL SELECT t.oid, t.typbasetype FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.of
        )
        SELECT oid::regtype::text FROM base WHERE of = 0
    ), 'text')
    FROM pg_catalog.pg_prepared_statements, pg_catalog.unnest(parameter_types::oid[]) WITH ORDINALITY AS p (type, k)
    WHERE name = 'migsafe_plan' ORDER BY k
"""
"""The types of a prepared statement's parameters, with the base types of domains."""


class GenericPlans:
    """Explains queries on one connection, which is in autocommit or in a transaction; an error does not end the transaction, and the
    settings last until its end. A query that is not found with the search_path of the session is explained with another `search_path`, if it
    is given. Without `usual_page`, the parameters of LIMIT and OFFSET are planned as such: PostgreSQL then assumes a tenth of the rows."""

    def __init__(self, connection: "Connection[Any]", search_path: Sequence[str] = (), *, usual_page: bool = True) -> None:
        self._usual_page = usual_page
        self._connection = connection
        self._search_path = ", ".join(map(quoted, search_path))
        self._has_generic_plan = connection.info.server_version >= 10000 * versions.GENERIC_PLAN
        self._encoding = connection.info.encoding
        # The declaration with which a query could be explained, so that a repetition succeeds at once.
        self._declared: dict[str, list[str]] = {}
        self._local = "" if is_idle(connection) else "LOCAL "
        for setting in _SETTINGS:
            exchange(connection, f"SET {self._local}{setting}")

    def explain(self, query: Query) -> Plan | Unexplained:
        """Returns the generic plan of a query, or why PostgreSQL has none."""
        if ";" in query.text and len(list(split(query.text))) > 1:
            return _SEVERAL  # the message would execute the others
        query = with_usual_page(query) if self._usual_page else query
        found = self._explain(query)
        if isinstance(found, Unexplained) and found.sqlstate in NOT_FOUND and self._search_path:
            self._send(f"SET {self._local}search_path = {self._search_path}")
            elsewhere = self._explain(query)
            self._send(f"SET {self._local}search_path = DEFAULT")
            return elsewhere if isinstance(elsewhere, Plan) else found
        return found

    def _explain(self, query: Query) -> Plan | Unexplained:
        if self._has_generic_plan and not any(query.parameters):
            reply = self._send(f"EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) {query.text}")
            return _plan_of(reply, self._encoding) if reply.error is None else _unexplained(reply.error)
        declared = [each or "unknown" for each in query.parameters]
        found = self._explain_prepared(query, self._declared.get(query.fingerprint, declared))
        if isinstance(found, Unexplained) and any(query.parameters):
            # A type that was recorded may have another name now.
            undeclared = self._explain_prepared(query, ["unknown"] * len(declared))
            return undeclared if isinstance(undeclared, Plan) else found
        return found

    def _explain_prepared(self, query: Query, declared: list[str]) -> Plan | Unexplained:
        found = self._prepare_and_explain(query, declared)
        if isinstance(found, Unexplained) and found.sqlstate == _UNDETERMINED:
            # `$2` without `$1`: no type follows from the text for a parameter that it does not contain.
            declared = _with_gaps_declared(query.text, declared)
            found = self._prepare_and_explain(query, declared)
        if isinstance(found, Unexplained) and found.sqlstate in _REFUSES_NULL:
            declared = self._base_types(query, declared) or declared
            found = self._prepare_and_explain(query, declared)
        if isinstance(found, Plan):
            self._declared[query.fingerprint] = declared
        return found

    def _prepare_and_explain(self, query: Query, declared: list[str]) -> Plan | Unexplained:
        number = max(number_of_parameters(query.text), len(declared))
        arguments = f"({', '.join(['NULL'] * number)})" if number else ""
        # One message, without a savepoint in between, because most queries can be planned.
        sql = f"{_prepare(query, declared)};EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE migsafe_plan{arguments};DEALLOCATE migsafe_plan"
        reply = self._send(sql)
        if reply.error is not None:
            self._send("DEALLOCATE migsafe_plan")
            return _unexplained(reply.error)
        found = _plan_of(reply, self._encoding, number=1)
        if any("Subplans Removed" in node for node in found.nodes()):
            # EXPLAIN EXECUTE leaves out the partitions in which no row has NULL; the plan, and its cost, contain all of them.
            self._send(f"SET {self._local}enable_partition_pruning = off")
            reply = self._send(sql)
            self._send(f"SET {self._local}enable_partition_pruning = DEFAULT")
            found = Plan(found.cost, _plan_of(reply, self._encoding, number=1).tree) if reply.error is None else found
        return found

    def _base_types(self, query: Query, declared: list[str]) -> list[str]:
        """Returns the types of a query's parameters, with the base types of domains; nothing if it cannot be prepared."""
        reply = self._send(f"{_prepare(query, declared)};{_TYPES}")
        self._send("DEALLOCATE migsafe_plan")
        return [str(name) for (name,) in rows_of(reply.results[-1], self._encoding)] if reply.error is None else []

    def _send(self, sql: str) -> Reply:
        """Sends SQL; in a transaction, an error rolls back no more than this."""
        if is_idle(self._connection):
            return exchange(self._connection, sql)
        exchange(self._connection, "SAVEPOINT migsafe_plan")
        reply = exchange(self._connection, sql)
        exchange(self._connection, "ROLLBACK TO migsafe_plan" if reply.error is not None else "RELEASE migsafe_plan")
        return reply


def with_usual_page(query: Query) -> Query:
    """Returns a query with the values of a usual page instead of the parameters of LIMIT and OFFSET."""
    text = _PAGE.sub(lambda match: f"{match[1]} {_PAGE_VALUES[match[1].lower()]}", query.text)
    return query if text == query.text else replace(query, text=text)


def _prepare(query: Query, declared: list[str]) -> str:
    types = f" ({', '.join(declared)})" if declared else ""
    return f"PREPARE migsafe_plan{types} AS {query.text}\n"


def _plan_of(reply: Reply, encoding: str, number: int = 0) -> Plan:
    """Returns the plan that is the result of a statement in a message."""
    [[text]] = rows_of(reply.results[number], encoding)
    [document] = json.decode(text or "")
    tree: dict[str, Any] = document["Plan"]
    return Plan(float(tree["Total Cost"]), tree)


def _unexplained(error: "Error") -> Unexplained:
    failure = failure_of(error)
    return Unexplained(failure.sqlstate, failure.message)


def _with_gaps_declared(text: str, declared: list[str]) -> list[str]:
    """Returns the declaration of all parameters up to the last one, with a type for those that the text does not contain."""
    used = {token.origin for token in read_tokens(text)[0]}
    whole = [*declared, *["unknown"] * (number_of_parameters(text) - len(declared))]
    return [each if number in used or each != "unknown" else "text" for number, each in enumerate(whole, 1)]
