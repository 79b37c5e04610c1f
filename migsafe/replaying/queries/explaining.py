"""The SQL that explains a query with parameters, for any values of them: its generic plan.

Planning takes the locks that executing the query takes, also those on the indexes of its tables, and reads and writes no rows. A plan that the
server has kept from an earlier EXECUTE may take none on indexes, so each text here prepares the query again.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from migsafe import versions
from migsafe.sql.operations.values import quoted
from migsafe.workload.query import Query
from migsafe.workload.tokens import read_tokens

STATEMENT = "migsafe_explained"
"""The name of the prepared statement."""

_GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan"


def explaining_texts(query: Query, major: int, search_path: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns the texts that explain a query on a server of a major version, the best first. Each is to be sent as one message, which the
    server runs in one transaction. Its last result has the plan.

    A text after the first one works for queries that the first cannot explain: EXECUTE needs a value of each type, and a domain that is NOT
    NULL has no NULL; EXPLAIN (GENERIC_PLAN), from 16, cannot be told the types. With a `search_path`, the last texts use it instead of that of
    the session.
    """
    texts = tuple(_texts(query, major))
    path = f"SET LOCAL search_path = {', '.join(map(quoted, search_path))}; " if search_path else ""
    return (*texts, *(path + text for text in texts)) if path else texts


@lru_cache(50_000)
def number_of_parameters(text: str) -> int:
    """Returns the highest number of a parameter in a query; 0 if it has none."""
    tokens, _ = read_tokens(text)
    return max((token.origin for token in tokens if token.origin is not None), default=0)


def _texts(query: Query, major: int) -> Iterator[str]:
    number = max(number_of_parameters(query.text), len(query.parameters))
    if not number:
        yield f"EXPLAIN {query.text}"
        return
    generic = [f"EXPLAIN (GENERIC_PLAN) {query.text}"] if major >= versions.GENERIC_PLAN else []
    prepared = _prepared(query, number)
    # Only PREPARE can be told the types of parameters.
    yield from (prepared, *generic) if any(query.parameters) else (*generic, prepared)


def _prepared(query: Query, number: int) -> str:
    types = f" ({', '.join(each or 'unknown' for each in query.parameters)})" if query.parameters else ""
    return "; ".join(
        (
            _GENERIC,
            "DEALLOCATE ALL",
            f"PREPARE {STATEMENT}{types} AS {query.text}",
            f"EXPLAIN EXECUTE {STATEMENT} ({', '.join(['NULL'] * number)})",
        )
    )
