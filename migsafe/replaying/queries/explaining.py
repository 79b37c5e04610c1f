"""The SQL that explains a query with parameters, for any values of them: its generic plan.

Planning takes the locks that executing the query takes, also those on the indexes of its tables, and reads and writes no rows. A plan that the
server has kept from an earlier EXECUTE may take none on indexes, so each text here prepares the query again.
"""

from functools import lru_cache

from migsafe import versions
from migsafe.workload.query import Query
from migsafe.workload.tokens import read_tokens

STATEMENT = "migsafe_explained"
"""The name of the prepared statement."""

_GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan"


def explaining_texts(query: Query, major: int, options: str = "") -> tuple[str, ...]:
    """Returns the texts that explain a query on a server of a major version, the best first. Each is to be sent as one message, which the
    server runs in one transaction. Its last result has the plan.

    A text after the first one works for queries that the first cannot explain: EXECUTE needs a value of each type, and a domain that is NOT
    NULL has no NULL; EXPLAIN (GENERIC_PLAN), from 16, cannot be told the types. `options` are those of EXPLAIN, such as `FORMAT JSON`.
    """
    number = number_of_parameters(query.text)
    if not number:
        return (f"EXPLAIN {f'({options}) ' if options else ''}{query.text}",)
    generic = f"EXPLAIN ({', '.join(filter(None, ('GENERIC_PLAN', options)))}) {query.text}" if major >= versions.GENERIC_PLAN else ""
    prepared = _prepared(query, number, options)
    if not generic:
        return (prepared,)
    # Only PREPARE can be told the types of parameters.
    return (prepared, generic) if any(query.parameters) else (generic, prepared)


@lru_cache(50_000)
def number_of_parameters(text: str) -> int:
    """Returns the highest number of a parameter in a query; 0 if it has none."""
    tokens, _ = read_tokens(text)
    return max((token.origin for token in tokens if token.origin is not None), default=0)


def _prepared(query: Query, number: int, options: str) -> str:
    types = f" ({', '.join(each or 'unknown' for each in query.parameters)})" if query.parameters else ""
    return "; ".join(
        (
            _GENERIC,
            "DEALLOCATE ALL",
            f"PREPARE {STATEMENT}{types} AS {query.text}",
            f"EXPLAIN {f'({options}) ' if options else ''}EXECUTE {STATEMENT} ({', '.join(['NULL'] * number)})",
        )
    )
