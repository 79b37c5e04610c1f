"""The normal form of queries, and their fingerprints."""

import pytest

from migsafe.workload.normal_text import normal_text

MASKED = {
    "select *  from T where a=$1 -- x\n and b = 'it''s' /* y */;": "SELECT * FROM t WHERE a = $1 AND b = $2",
    "select $1,$2": "SELECT $1, $2",
    "select * from t where a in (1, -2, 'x', NULL)": "SELECT * FROM t WHERE a IN ($1, NULL)",
    "select * from t where (a, b) in (($1, $2), ($3, $4))": "SELECT * FROM t WHERE (a, b) IN (($1, $2))",
    "select * from t where a = any(array['x', 'y']::text[])": "SELECT * FROM t WHERE a = ANY(ARRAY[$1]::text[])",
    "insert into t (a, b) values ($1, null), ('x', 4)": "INSERT INTO t(a, b) VALUES ($1, $2)",
    "insert into t values (default, 1), (2, 3)": "INSERT INTO t VALUES (DEFAULT, $1), ($2, $3)",
    "select a from t order by 1, 2 desc limit 10": "SELECT a FROM t ORDER BY 1, 2 DESC LIMIT $1",
    "select a::varchar(10), cast(b as numeric(10, 2)) from t": "SELECT a::varchar(10), CAST(b AS numeric(10, 2)) FROM t",
    "select now() - interval '1 day', date '2025-01-01'": "SELECT now() - $1::interval, $2::date",
    "select timestamp with time zone '2025-01-01'": "SELECT $1::timestamp WITH time zone",
    "select now() at time zone 'UTC'": "SELECT now() at time zone $1",
    "select interval $1, extract($2 from a) from t": "SELECT $1::interval, EXTRACT(epoch FROM a) FROM t",
    "update t set a = true, b = null where c is null and d = true": "UPDATE t SET a = $1, b = $2 WHERE c IS NULL AND d = TRUE",
    "select a - 1, a[2], x->>'k' from t where a = -1": "SELECT a - $1, a[$2], x ->> $3 FROM t WHERE a = $4",
    "select $body$ secret $body$, E'a\\'secret', x'ff', 1e5": "SELECT $1, $2, $3, $4",
    'select "User"."a" from "User"': 'SELECT "User"."a" FROM "User"',
    "select * from t where a = '{{1,2},{3,4}}'": "SELECT * FROM t WHERE a = $1",
    "select $2 + $1, $2": "SELECT $1 + $2, $1",
}


@pytest.mark.parametrize("text", MASKED)
def test_values_become_parameters(text: str) -> None:
    normal = normal_text(text)
    assert normal.text == MASKED[text]
    assert normal.complete
    again = normal_text(normal.text)
    assert (again.text, again.fingerprint) == (normal.text, normal.fingerprint)


def test_the_text_of_a_repository_keeps_its_literals() -> None:
    text = "SELECT id FROM orders WHERE state = 'open' AND total > 5"
    kept = normal_text(text, mask=False)
    assert kept.text == text
    assert kept.fingerprint not in (normal_text(text).fingerprint, normal_text(text.replace("open", "new"), mask=False).fingerprint)
    without = "SELECT id FROM orders WHERE id IN ($1, $2)"
    assert normal_text(without, mask=False).fingerprint == normal_text(without).fingerprint


def test_what_merges_and_what_does_not() -> None:
    assert len({normal_text(f"select * from t where a in ({', '.join(['%d'] * n)})" % tuple(range(n))).fingerprint for n in (1, 2, 9)}) == 1
    assert normal_text('select "a" from t where b = $2').fingerprint == normal_text("SELECT a FROM t WHERE b = 'x'").fingerprint
    assert normal_text("select a from t where b = $1").fingerprint != normal_text("select a from t where c = $1").fingerprint


def test_types_follow_their_parameters() -> None:
    normal = normal_text("select * from t where a = $2 and b = 5 and c = $1")
    assert normal.parameters(("text", "uuid")) == ("uuid", "integer", "text")
    assert normal.parameters() == (None, "integer")


@pytest.mark.parametrize("text", ["select 'secret", "select 1 /* secret", "select $$secret", "select 1\n\\copy secret"])
def test_a_text_that_is_cut_off_shows_no_value(text: str) -> None:
    normal = normal_text(text)
    assert not normal.complete
    assert "secret" not in normal.text
