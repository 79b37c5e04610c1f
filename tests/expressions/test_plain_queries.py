"""Usual queries that are read without sqlglot have the shapes that sqlglot's trees give."""

import pytest
from sqlglot.dialects.dialect import Dialect

from migsafe.expressions.queries.parsing import query_shape
from migsafe.expressions.queries.plain.statements import plain_shape
from migsafe.expressions.queries.plain.tokens import names_of_sqlglot
from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME

USUAL = """
SELECT * FROM orders;
SELECT o.*, c.name AS customer, c."Local" FROM orders o INNER JOIN customers AS c ON c.id = o.customer_id AND c.active;
SELECT a.id FROM a, b LEFT JOIN shop.c AS x ON x.a_id = a.id AND length(x.code) > 2 CROSS JOIN d RIGHT OUTER JOIN e USING (id, kind);
SELECT id, (SELECT count(*) FROM items i WHERE i.order_id = o.id) AS items, (SELECT max(price) FROM items) FROM orders o WHERE NOT paid;
SELECT DISTINCT ON (customer_id, o.kind) customer_id, total FROM orders o ORDER BY customer_id, o.kind DESC LIMIT 10;
SELECT DISTINCT kind, 'x', -1, 2.5, NULL, true, 'it''s' FROM orders WHERE kind <> '' ORDER BY 1, kind ASC;
SELECT kind, count(*) AS n, sum(total), count(DISTINCT customer_id), coalesce(max(total), 0) FROM orders GROUP BY kind;
SELECT kind, o.shop_id, own_function(total, o.paid), avg(total) + tax FROM orders o GROUP BY 1, o.shop_id;
SELECT a FROM t UNION SELECT b FROM s UNION ALL SELECT own_function(c) FROM r;
WITH recent AS (SELECT id FROM orders WHERE placed > now() - interval '1 day'), n (x) AS (SELECT count(*) FROM recent)
    SELECT r.id, n.x FROM recent r, n UNION ALL SELECT 1, 2;
WITH recent AS (SELECT id FROM orders) INSERT INTO log (order_id) SELECT id FROM recent ON CONFLICT DO NOTHING;
WITH recent AS (SELECT id, total FROM orders) UPDATE shops s SET total = r.total, n = (SELECT count(*) FROM recent) WHERE s.id = 1;
WITH recent AS (SELECT id FROM orders) DELETE FROM log USING recent r WHERE log.order_id = r.id OR EXISTS (SELECT 1 FROM stop);
INSERT INTO shop.orders (id, total) VALUES ($1, 'x'), ($2::int, now()) ON CONFLICT (id) DO UPDATE SET total = EXCLUDED.total, n = orders.n + 1;
INSERT INTO orders SELECT id, total FROM old_orders o WHERE o.id NOT IN (SELECT id FROM orders);
UPDATE orders AS o SET total = i.total * 2, paid = (i.total > 3), kind = CASE WHEN i.x = 1 THEN 'a' ELSE o.kind END
    FROM items i WHERE i.id = o.id;
UPDATE orders SET a = b IS NOT NULL, c = nullif(d, ''), e = e || '-' || f::text, g = lower(h)::uuid WHERE g IS DISTINCT FROM h;
DELETE FROM orders WHERE placed BETWEEN a AND b AND NOT (kind LIKE 'x%' OR kind NOT LIKE 'y%' OR kind ~ '^z') AND n NOT IN (1, 2, m);
SELECT 1 FROM t WHERE a = TRUE AND b <> false AND c IS FALSE AND d IS NOT TRUE AND (e) AND f(a) AND 1 < x AND (g = h) = true AND auth.uid() = u;
SELECT data ->> 'a' AS a, data -> 'b' ->> 'c' AS c, data #>> '{d,e}' AS e, CAST(data ->> 'n' AS int)
    FROM t WHERE data ->> 'x' = 'y' AND data -> 'z' = w;
SELECT a + b * c - (d + e) * f || g AS x, a || (b || (c || d)) AS y, own(a, other(b, c + d), e)::text::my_type AS z FROM t;
SELECT a::double precision, extract(epoch FROM b), current_timestamp, trim(c), round(d, 2), replace(e, f, 'x'), substr(g, 1, 2), shop.own(h)
    FROM t;
SELECT CASE a WHEN 1 THEN b END, CASE WHEN a THEN b ELSE c END, CASE WHEN a THEN b ELSE lower(c) END, CASE WHEN a THEN b ELSE c + 1 END FROM t;
SELECT x.a, y.n FROM (SELECT a FROM t WHERE b IN (SELECT c FROM s)) x JOIN (SELECT count(*) AS n FROM t GROUP BY a) AS y ON y.n = x.a;
"""
OTHERS = """
SELECT count(*) FROM t HAVING count(*) > 1;
SELECT rank() OVER (ORDER BY a) FROM t;
SELECT count(*) FILTER (WHERE a) FROM t;
SELECT a FROM t CROSS JOIN LATERAL (SELECT 1) x;
SELECT a FROM generate_series(1, 2) a;
SELECT a FROM (t JOIN s ON true);
SELECT (a, b) = (1, 2) FROM t;
SELECT own(a -> 'key') FROM t;
SELECT a -> 'x' || b FROM t;
SELECT -1::text FROM t;
SELECT date '2020-01-01';
SELECT a FROM t WHERE sum(b) > 1;
SELECT a = ANY (b), ARRAY[1] FROM t;
SELECT a FROM t ORDER BY a UNION SELECT b FROM s;
INSERT INTO t DEFAULT VALUES;
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;
"""
WORDS = """
SELECT {word}, b FROM t WHERE {word} AND {word} IS NULL AND {word} = 1 ORDER BY {word};
SELECT coalesce({word}, 1), {word}::text, own({word}, {word}) FROM t;
SELECT a.{word} FROM a WHERE a.{word} = b.{word};
SELECT a AS {word}, b AS {word} FROM a;
SELECT a {word}, b {word} FROM a;
SELECT x.a, {word}.* FROM {word} x, {word};
SELECT {word}.a FROM t {word} JOIN s AS {word} ON {word}.a = 1;
WITH {word} AS (SELECT 1) SELECT * FROM {word};
UPDATE {word} SET {word} = 1, a = {word} WHERE {word} < 1;
INSERT INTO {word} ({word}, a) SELECT {word}, {word} FROM t;
DELETE FROM t {word} WHERE a;
"""


def _statements(text: str) -> list[str]:
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]


@pytest.mark.parametrize("query", _statements(USUAL))
def test_usual_queries_have_the_shape_of_their_tree(query: str) -> None:
    assert plain_shape(query) == query_shape(query, spells=False)


@pytest.mark.parametrize("query", _statements(OTHERS))
def test_other_queries_are_left_to_sqlglot(query: str) -> None:
    assert plain_shape(query) is None


@pytest.mark.parametrize(
    "query", ["(" * 5000 + "SELECT 1" + ")" * 5000, "SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT " + "NOT " * 5000 + "a"]
)
def test_deep_nesting_is_left_to_sqlglot(query: str) -> None:
    assert plain_shape(query) is None


@pytest.mark.parametrize("query", _statements(WORDS))
def test_words_are_names_where_they_are_names_for_sqlglot(query: str) -> None:
    """A key word that sqlglot takes for something else in one of these places is not read."""
    words = names_of_sqlglot() | RESERVED | COLUMN_NAME | TYPE_OR_FUNCTION_NAME
    different = []
    for word in words:
        shape = plain_shape(query.format(word=word))
        if shape is not None and shape != query_shape(query.format(word=word), spells=False):
            different.append(word)
    assert not different


def test_all_names_of_sqlglot_are_known() -> None:
    """A call of another function becomes a call that is looked up in the schema."""
    dialect = Dialect.get_or_raise("postgres")
    parser = dialect.parser_class
    words = {*parser.FUNCTIONS, *parser.FUNCTION_PARSERS, *dialect.tokenizer_class.KEYWORDS}
    words |= {word for word in parser.NO_PAREN_FUNCTION_PARSERS if isinstance(word, str)}
    assert {word.lower() for word in words if word.isidentifier()} <= names_of_sqlglot()
