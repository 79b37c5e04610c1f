"""The output columns that identify the rows of a query."""

import pytest

from migsafe.expressions import grouping_columns, output_columns
from migsafe.sql.operations import Query
from migsafe.text import Span


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a, sum(b) AS c FROM t GROUP BY a", ("a",)),
        ("SELECT t.a AS x, date_trunc('day', d) AS y FROM t GROUP BY 1, 2", ("x", "y")),
        ("SELECT date_trunc('day', d) AS y FROM t GROUP BY date_trunc('day', d)", ("y",)),
        ("SELECT d::date AS day, count(*) AS n FROM t GROUP BY day", ("day",)),
        ("SELECT a FROM t GROUP BY a, b", ()),
        ("SELECT a, b FROM t GROUP BY ROLLUP (a, b)", ()),
        ("SELECT count(*) FROM t", ()),
        ("SELECT a FROM t", ()),
    ],
)
def test_a_grouped_query_has_one_row_a_group(sql: str, expected: tuple[str, ...]) -> None:
    assert grouping_columns(Query(sql=sql, span=Span(0, 0))) == expected


def test_output_columns_are_those_with_names() -> None:
    assert output_columns(Query(sql="SELECT a, b AS c, count(*) AS n FROM t", span=Span(0, 0))) == ("a", "c", "n")
    assert output_columns(Query(sql="SELECT * FROM t", span=Span(0, 0))) == ()
