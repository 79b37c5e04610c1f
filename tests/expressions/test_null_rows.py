"""CHECKs that are false in a row of NULLs: what is found in their text, and what each PostgreSQL says."""

import itertools
import random
from collections.abc import Iterator

import pytest
from psycopg import Connection

from migsafe.expressions import refuses_nulls
from tests.expressions.test_proofs import connection, expression

__all__ = ["connection"]

REFUSED = """\
a IS NOT NULL
NOT (a IS NULL AND b IS NULL)
num_nonnulls(a, b) = 1
num_nulls(a, b) < 2
(a IS NULL) <> (b IS NULL)
(a IS NOT NULL AND b IS NULL) OR (a IS NULL AND b IS NOT NULL)
(a IS NOT NULL)::int + (b IS NOT NULL)::int = 1
coalesce(a, b) IS NOT NULL
coalesce(a, 0) > 0
CASE WHEN a IS NOT NULL THEN 1 ELSE 0 END + CASE WHEN b IS NOT NULL THEN 1 ELSE 0 END = 1
a IS DISTINCT FROM b
a IS NOT NULL AND c > 0
"""
ACCEPTED = """\
a > 0
a IS NULL OR a > 0
num_nonnulls(a, b) <= 1
num_nonnulls(a, c) = 1
a IS NOT NULL OR c > 0
a = ANY (ARRAY[1, c])
a IS NOT DISTINCT FROM b
coalesce(a, c) > 0
a > 0 IS UNKNOWN
CASE WHEN c > 0 THEN a IS NOT NULL END
"""


@pytest.mark.parametrize("check", REFUSED.splitlines())
def test_a_check_that_refuses_nulls(check: str) -> None:
    assert refuses_nulls(expression(check), ["a", "b"])


@pytest.mark.parametrize("check", ACCEPTED.splitlines())
def test_a_check_that_may_accept_nulls(check: str) -> None:
    assert not refuses_nulls(expression(check), ["a", "b"])


def _conditions(seed: int, number: int) -> Iterator[str]:
    generator = random.Random(seed)

    def condition(depth: int) -> str:
        column, other = generator.choices("abc", k=2)
        if not depth:
            return generator.choice((
                f"{column} IS NULL",
                f"{column} IS NOT NULL",
                f"{column} > {other}",
                f"num_nonnulls({column}, {other}) = {generator.randint(0, 2)}",
                f"num_nulls({column}, {other}) <> 1",
                f"{column} IS DISTINCT FROM {other}",
                f"coalesce({column}, {other}) >= 1",
                f"coalesce({column}, {other}) IS NULL",
                f"{column} IN ({other}, 1)",
            ))  # fmt: skip
        left, right = condition(depth - 1), condition(depth - 1)
        return generator.choice((
            f"({left}) AND ({right})",
            f"({left}) OR ({right})",
            f"NOT ({left})",
            f"({left}) = ({right})",
            f"({left}) IS DISTINCT FROM ({right})",
            f"CASE WHEN {left} THEN {right} ELSE {condition(0)} END",
            f"({left})::int + ({right})::int = {generator.randint(0, 2)}",
        ))  # fmt: skip

    for _ in range(number):
        yield condition(generator.randint(0, 3))


@pytest.mark.server
def test_a_server_refuses_what_is_said_to_be_refused(connection: Connection) -> None:
    """The columns a and b are NULL, c has any value. What is found must be false, and more of what is false must be found than missed."""
    values = "(NULL::int), (0), (1), (2)"
    found = missed = 0
    for check in itertools.chain(REFUSED.splitlines(), ACCEPTED.splitlines(), _conditions(7, 600)):
        sql = f"SELECT coalesce(bool_and(({check}) IS FALSE), false) FROM (VALUES {values}) v(c), (SELECT NULL::int a, NULL::int b) n"
        row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        is_found = refuses_nulls(expression(check), ["a", "b"])
        assert row[0] or not is_found, check
        found += is_found
        missed += row[0] and not is_found
    assert found > missed
