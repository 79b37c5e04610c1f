"""Which statements are recorded, and what becomes of their placeholders and values."""

import pytest

from migsafe.workload.recording.statements import outline, read_queries, reads_catalogue


@pytest.mark.parametrize(
    ("text", "style", "query"),
    [
        ("SELECT id FROM orders WHERE id = %s AND note = %s", "pyformat", "SELECT id FROM orders WHERE id = $1 AND note = $2"),
        ("SELECT %(a)s FROM t WHERE b = %(b)s OR a = %(a)s", "pyformat", "SELECT $1 FROM t WHERE b = $2 OR a = $1"),
        ("SELECT id FROM t WHERE note LIKE '50%%' || %s", "pyformat", "SELECT id FROM t WHERE note LIKE $1 || $2"),
        ("SELECT id FROM t WHERE id IN %s", "pyformat", "SELECT id FROM t WHERE id IN ($1)"),
        ("SELECT id FROM t WHERE id IN (%s,%s,%s)", "pyformat", "SELECT id FROM t WHERE id IN ($1)"),
        ("SELECT id FROM t WHERE data ? 'secret' AND id = $1", "numeric", "SELECT id FROM t WHERE data ? $1 AND id = $2"),
        ("SELECT id FROM t WHERE note = 'why?' AND id = ?", "qmark", "SELECT id FROM t WHERE note = $1 AND id = $2"),
        ("SELECT id::text FROM t WHERE id = :id AND at > '10:30'", "named", "SELECT id::text FROM t WHERE id = $1 AND at > $2"),
        ("SET LOCAL work_mem = '1GB'; SELECT 'a;b' FROM t;", "pyformat", "SELECT $1 FROM t"),
        ("/* of a page */ (select 1 from t) union (select 2 from t)", "pyformat", "(SELECT $1 FROM t) UNION (SELECT $2 FROM t)"),
    ],
)
def test_placeholders_become_parameters_and_values_are_masked(text: str, style: str, query: str) -> None:
    assert [normal.text for normal in read_queries(text, style)] == [query]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN",
        "SAVEPOINT sa_savepoint_1",
        "RELEASE SAVEPOINT x",
        "SELECT set_config('TimeZone', %s, false)",
        "select pg_catalog.set_config($1, $2, $3);",
        "SET search_path = shop",
        "CREATE TABLE t (id bigint)",
        "-- the schema\nCREATE TABLE t (id bigint); INSERT INTO t VALUES (1)",
        "TRUNCATE t",
        "SELECT 'no end",
        "",
        "SELECT '" + "x" * 1_000_001 + "'",
    ],
    ids=lambda text: text[:20],
)
def test_other_statements_are_not_recorded(text: str) -> None:
    assert read_queries(text, "pyformat") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT pg_catalog.pg_class.relname \nFROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON true WHERE relname = %(a)s", True),
        ("select exists (select from information_schema.tables where table_name = $1)", True),
        ("SELECT id FROM orders WHERE state = 'pg_catalog.'", False),
        ("SELECT o.id FROM pg_catalog.pg_class c JOIN orders o ON o.relation = c.relname", False),
        ("SELECT id FROM orders", False),
    ],
)
def test_a_query_of_the_catalogue_is_recognised(text: str, expected: bool) -> None:
    assert reads_catalogue(text) == expected


def test_an_outline_is_equal_for_texts_with_one_normal_form_only() -> None:
    equal = ["SELECT a FROM t WHERE id IN (1, 2) AND b = 'x'", "SELECT a FROM t WHERE id IN (%s, %s, %s) AND b = %s"]
    different = [
        "SELECT coalesce(a, 1) FROM t",
        "SELECT coalesce(a, 1, 2) FROM t",
        'SELECT "a 1" FROM t',
        'SELECT "a 2" FROM t',
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1, 2)",
    ]
    assert len({outline(text) for text in equal}) == 1
    assert len({outline(text) for text in different}) == len(different)
    assert outline("INSERT INTO t VALUES (1, 'a'), (2, 'b')") == outline("INSERT INTO t VALUES (3, 'c')")
    assert outline(r"SELECT E'it\'s'") is None


def test_a_long_text_is_recorded_if_it_is_short_without_its_data() -> None:
    rows = ", ".join("(%s, %s)" for _ in range(20_000))
    assert [query.text for query in read_queries(f"INSERT INTO t VALUES {rows}", "format")] == ["INSERT INTO t VALUES ($1, $2)"]
    assert read_queries("SELECT " + " + ".join("a" for _ in range(40_000)) + " FROM t", "format") == ()
