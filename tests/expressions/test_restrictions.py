"""Whether the filter of an UPDATE restricts its rows."""

from migsafe import expressions


def _unknown(_: str) -> bool:
    return False


def _reasons(sql: str) -> "frozenset[expressions.Unrestricting] | None":
    return expressions.unrestricted(sql, expressions.TargetColumns(not_null=_unknown, null=_unknown, constant=_unknown, filled=_unknown))


def test_queries_that_read_each_other_twice_take_no_exponential_time() -> None:
    queries = ["q0 AS (SELECT id FROM orders)"]
    queries += [f"q{n} AS (SELECT a.id FROM q{n - 1} a JOIN q{n - 1} b ON a.id = b.id)" for n in range(1, 40)]
    update = f"WITH {', '.join(queries)} UPDATE orders SET done = true FROM q39 WHERE orders.id = q39.id"
    assert _reasons(update) == {expressions.Unrestricting.JOIN}


def test_a_query_that_reads_itself_has_an_end() -> None:
    tree = "WITH RECURSIVE t AS (SELECT c.id FROM child c JOIN t ON c.parent = t.id UNION ALL SELECT id FROM child)"
    assert _reasons(f"{tree} UPDATE orders SET done = true FROM t WHERE orders.id = t.id") == {expressions.Unrestricting.JOIN}
