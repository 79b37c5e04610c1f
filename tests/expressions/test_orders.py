"""Which columns' order an expression or a query uses."""

import pytest

from migsafe import expressions
from migsafe.sql.operations import CreateView, Query
from migsafe.sql.statements import read


def query_of(sql: str) -> Query:
    [statement] = read(f"CREATE VIEW v AS {sql}")
    [view] = statement.operations
    assert isinstance(view, CreateView)
    return view.query


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT a FROM t ORDER BY a, b DESC", {"a", "b"}),
        ("SELECT max(t.a) FROM t", {"a"}),
        ("SELECT a FROM t WHERE 'x' < b AND c BETWEEN 1 AND 2", {"b", "c"}),
        ("SELECT a FROM t WHERE (a) >= 'x'", {"a"}),
        ("SELECT a FROM t WHERE a = 'x' AND a::text > 'x' AND length(b) > 1", set()),
        ('SELECT "A" FROM t ORDER BY "A", B', {"A", "b"}),
    ],
)
def test_ordered_columns(sql: str, columns: set[str]) -> None:
    assert expressions.ordered_columns(query_of(sql)) == columns
