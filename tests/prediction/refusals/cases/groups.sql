-- a view of a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT code, qty, count(*) FROM orders GROUP BY code;

-- a column beside an aggregate function
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT code, count(*) AS n FROM orders;

-- a column that the grouped primary key determines
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT id, code, count(*) FROM orders GROUP BY id;

-- a column of another table than that of the grouped key
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint, qty integer);
-- refused: column "l.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT o.id, o.code, l.qty, sum(l.qty) AS s FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY o.id;

-- a column of the table of the grouped key
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint, qty integer);
-- accepted
CREATE VIEW v AS SELECT o.id, o.code, sum(l.qty) AS s FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY o.id;

-- all columns of a grouped table
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT * FROM orders GROUP BY id;

-- ORDER BY a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT code, count(*) AS n FROM orders GROUP BY code ORDER BY qty;

-- HAVING a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT code, count(*) AS n FROM orders GROUP BY code HAVING qty > 1;

-- the expression of GROUP BY
CREATE TABLE orders (id bigint, code text, qty integer, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT date_trunc('day', at) AS d, count(*) AS n FROM orders GROUP BY date_trunc('day', at);

-- the column of the expression of GROUP BY
CREATE TABLE orders (id bigint, code text, qty integer, at timestamptz);
-- refused: column "orders.at" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT at, count(*) AS n FROM orders GROUP BY date_trunc('day', at);

-- GROUP BY a position
CREATE TABLE orders (id bigint, code text, qty integer, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT date_trunc('day', at) AS d, count(*) AS n FROM orders GROUP BY 1 ORDER BY 2;

-- GROUP BY an output column
CREATE TABLE orders (id bigint, code text, qty integer, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT lower(code) AS c, count(*) AS n FROM orders GROUP BY c;

-- a materialized view of a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE MATERIALIZED VIEW v AS SELECT code, qty, max(id) AS m FROM orders GROUP BY code;

-- an aggregate function in WHERE
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: aggregate functions are not allowed in WHERE
CREATE VIEW v AS SELECT code FROM orders WHERE count(*) > 1 GROUP BY code;

-- a window function does not group
CREATE TABLE orders (id bigint, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, row_number() OVER (PARTITION BY code ORDER BY qty) AS n FROM orders;

-- the columns of a unique constraint determine nothing
CREATE TABLE orders (id bigint UNIQUE NOT NULL, code text, qty integer);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT id, code, count(*) FROM orders GROUP BY id;

-- INSERT of a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
INSERT INTO orders (code, qty) SELECT code, qty FROM orders GROUP BY code;

-- the body of an SQL function with a column that is not grouped
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT qty FROM orders GROUP BY code';

-- UNION of different numbers of columns
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: each UNION query must have the same number of columns
CREATE VIEW v AS SELECT id, code FROM orders UNION ALL SELECT id FROM orders;

-- a key that USING merges
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE TABLE lines (id bigint, qty integer);
-- accepted
CREATE VIEW v AS SELECT id, code, sum(qty) AS s FROM orders JOIN lines USING (id) GROUP BY id;

-- the key of the other table of USING
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE TABLE lines (id bigint, qty integer);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT id, code, sum(qty) AS s FROM lines LEFT JOIN orders USING (id) GROUP BY id;

-- a column of a subquery
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
-- refused: column "s.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT s.id, s.code, count(*) AS n FROM (SELECT id, code FROM orders) s GROUP BY s.id;

-- grouping sets
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, qty, count(*) AS n FROM orders GROUP BY GROUPING SETS ((code), (qty));

-- a view has no key
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
CREATE VIEW w AS SELECT id, code FROM orders;
-- refused: column "w.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT id, code, count(*) AS n FROM w GROUP BY id;

-- a function of a grouped column
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT upper(code) AS u, count(*) AS n FROM orders GROUP BY code;

-- a column in CASE that is not grouped
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT CASE WHEN qty > 1 THEN 'a' ELSE 'b' END AS u, count(*) AS n FROM orders GROUP BY code;

-- columns in FILTER and ORDER BY of an aggregate function
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, count(*) FILTER (WHERE qty > 1) AS n, array_agg(qty ORDER BY id) AS a FROM orders GROUP BY code;

-- columns in WITHIN GROUP
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, percentile_cont(0.5) WITHIN GROUP (ORDER BY qty) AS n FROM orders GROUP BY code;

-- HAVING without GROUP BY
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT code FROM orders HAVING count(*) > 1;

-- an aggregate function in UPDATE
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- refused: aggregate functions are not allowed in UPDATE
UPDATE orders SET qty = max(qty);

-- an aggregate function in DELETE
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- refused: aggregate functions are not allowed in WHERE
DELETE FROM orders WHERE qty = max(qty);

-- a column in WITH that is not grouped
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- refused: column "orders.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS WITH s AS (SELECT code, qty, count(*) AS n FROM orders GROUP BY code) SELECT code FROM s;

-- all columns are grouped
CREATE TABLE orders (id bigint, code text);
-- accepted
CREATE VIEW v AS SELECT o.*, count(*) AS n FROM orders o GROUP BY o.id, o.code;

-- a window function over groups
CREATE TABLE orders (id bigint, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, sum(qty) AS s, rank() OVER (ORDER BY sum(qty)) AS r FROM orders GROUP BY code;

-- GROUP BY a column by its qualified name
CREATE TABLE orders (id bigint, code text, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT date_trunc('day', o.at)::date AS d, (code) FROM orders AS o GROUP BY (date_trunc('day', at)), o.code ORDER BY code;

-- a correlated query over groups
CREATE TABLE orders (id bigint, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT code, (SELECT max(x.qty) FROM orders x WHERE x.code = o.code) AS m FROM orders o GROUP BY code HAVING sum(qty) > (SELECT avg(qty) FROM orders);

-- a key that can be deferred determines nothing
CREATE TABLE orders (id bigint PRIMARY KEY DEFERRABLE, code text);
-- refused: column "orders.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT id, code FROM orders GROUP BY id;

-- a key of two columns of which one is grouped
CREATE TABLE lines (order_id bigint, number integer, code text, PRIMARY KEY (order_id, number));
-- accepted
CREATE VIEW v AS SELECT order_id, number, code FROM lines GROUP BY order_id, number;

-- a key of two columns in part
CREATE TABLE lines (order_id bigint, number integer, code text, PRIMARY KEY (order_id, number));
-- refused: column "lines.code" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT order_id, code, max(number) AS last FROM lines GROUP BY order_id;

-- an aggregate function of the user
CREATE TABLE orders (id bigint, code text, qty integer);
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer);
-- accepted
CREATE VIEW v AS SELECT code, total(qty) AS sum FROM orders GROUP BY code;

-- EXCEPT of different numbers of columns
CREATE TABLE orders (id bigint, code text, qty integer);
-- refused: each EXCEPT query must have the same number of columns
CREATE VIEW v AS SELECT * FROM orders EXCEPT SELECT id, code FROM orders;

-- constants beside groups
CREATE TABLE orders (id bigint, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT 'all' AS kind, current_date AS day, code, coalesce(max(qty), 0) AS m, count(DISTINCT id) AS n FROM orders GROUP BY code ORDER BY 4 DESC, count(*);

-- DISTINCT over JSON
CREATE TABLE orders (id bigint, doc json);
-- refused: could not identify an equality operator for type json
CREATE VIEW v AS SELECT DISTINCT id, doc FROM orders;

-- DISTINCT ON another column than JSON
CREATE TABLE orders (id bigint, doc json);
-- accepted
CREATE VIEW v AS SELECT DISTINCT ON (id) id, doc FROM orders;

-- GROUP BY JSON
CREATE TABLE orders (id bigint, doc json);
-- refused: could not identify an equality operator for type json
CREATE VIEW v AS SELECT doc, count(*) AS n FROM orders GROUP BY doc;

-- UNION of JSON
CREATE TABLE orders (id bigint, doc json);
-- refused: could not identify an equality operator for type json
CREATE VIEW v AS SELECT doc FROM orders UNION SELECT doc FROM orders;

-- UNION ALL of JSON
CREATE TABLE orders (id bigint, doc json, docs jsonb);
-- refused: could not identify an equality operator for type json
CREATE VIEW v AS SELECT doc FROM orders UNION ALL SELECT DISTINCT docs::json FROM (SELECT DISTINCT docs FROM orders) o WHERE false;

-- RETURNING a column that does not exist
CREATE TABLE orders (id bigint);
-- refused: column "code" does not exist
INSERT INTO orders (id) VALUES (1) RETURNING code;

-- RETURNING
CREATE TABLE orders (id bigint, code text);
-- accepted
INSERT INTO orders (id, code) VALUES (1, 'a'), (2, 'b') RETURNING id, upper(code), orders.*;
