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

-- a column within a function that does not aggregate, beside the grouped primary key of another table
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE TABLE lines (id bigint, order_id bigint, qty integer);
-- refused: column "l.qty" must appear in the GROUP BY clause or be used in an aggregate function
CREATE VIEW v AS SELECT o.id, json_build_object('code', o.code, 'qty', l.qty) FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY o.id, l.id;

-- a column within an aggregate function within another function
CREATE TABLE orders (id bigint PRIMARY KEY, code text, qty integer);
-- accepted
CREATE VIEW v AS SELECT id, json_build_object('codes', json_agg(code), 'range', range_agg(int4range(qty, qty))) FROM orders GROUP BY id;

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

-- a window function over sums of a group
CREATE TABLE a (id bigint PRIMARY KEY, k text, n int, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT date_trunc('month', at) AS m, sum(n) AS s, sum(sum(n)) OVER (ORDER BY date_trunc('month', at)) AS run FROM a GROUP BY 1;

-- elements of an array as groups
CREATE TABLE a (id bigint PRIMARY KEY, doc jsonb);
-- accepted
CREATE VIEW v AS SELECT a.id, e.value->>'x' AS x, count(*) AS n FROM a CROSS JOIN LATERAL jsonb_array_elements(a.doc) AS e(value) GROUP BY a.id, e.value->>'x';

-- coalesce as a group
CREATE TABLE a (id bigint PRIMARY KEY, k text, l text);
-- accepted
CREATE VIEW v AS SELECT coalesce(k, l) AS c, count(*) FROM a GROUP BY coalesce(k, l);

-- an output column with CASE as a group
CREATE TABLE a (id bigint PRIMARY KEY, n int);
-- accepted
CREATE VIEW v AS SELECT CASE WHEN n < 10 THEN 'low' ELSE 'high' END AS band, count(*) FROM a GROUP BY band ORDER BY band;

-- two keys determine two tables
CREATE TABLE a (id bigint PRIMARY KEY, k text);
CREATE TABLE b (a_id bigint PRIMARY KEY REFERENCES a, n int);
-- accepted
CREATE VIEW v AS SELECT a.k, b.n FROM a JOIN b ON b.a_id = a.id GROUP BY a.id, b.a_id;

-- a day in a time zone as a group
CREATE TABLE a (id bigint PRIMARY KEY, at timestamptz);
-- accepted
CREATE VIEW v AS SELECT (at AT TIME ZONE 'UTC')::date AS d, count(*) FROM a GROUP BY (at AT TIME ZONE 'UTC')::date;

-- fields of JSON as groups
CREATE TABLE a (id bigint PRIMARY KEY, doc jsonb);
-- accepted
CREATE VIEW v AS SELECT doc->>'k' AS k, doc->'z'->>'y' AS y, count(*) FROM a GROUP BY doc->>'k', doc->'z'->>'y';

-- grouped columns put together
CREATE TABLE a (id bigint PRIMARY KEY, x text, y text);
-- accepted
CREATE VIEW v AS SELECT x || '-' || y AS xy, count(*) FROM a GROUP BY x, y;

-- EXISTS in an aggregate function
CREATE TABLE a (id bigint PRIMARY KEY, x text);
CREATE TABLE b (a_id bigint);
-- accepted
CREATE VIEW v AS SELECT a.x, bool_or(EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id)) AS has FROM a GROUP BY a.x;

-- NATURAL JOIN and groups
CREATE TABLE a (id bigint PRIMARY KEY, x text);
CREATE TABLE b (id bigint PRIMARY KEY, y text);
-- accepted
CREATE VIEW v AS SELECT id, x, y FROM a NATURAL JOIN b GROUP BY id, x, y;

-- FULL JOIN USING and groups
CREATE TABLE a (id bigint PRIMARY KEY, x text);
CREATE TABLE b (id bigint PRIMARY KEY, y text);
-- accepted
CREATE VIEW v AS SELECT id, count(*) FROM a FULL JOIN b USING (id) GROUP BY id;

-- days of a series as groups
-- accepted
CREATE VIEW v AS SELECT d.day, count(*) FROM generate_series('2025-01-01'::date, '2025-02-01', '1 day') AS d(day) GROUP BY d.day;

-- an element of an aggregated array
CREATE TABLE a (id bigint PRIMARY KEY, x text, y text);
-- accepted
CREATE VIEW v AS SELECT x, string_agg(DISTINCT y, ', ' ORDER BY y) AS ys, (array_agg(id ORDER BY id DESC))[1] AS last FROM a GROUP BY x;

-- CASE over a group and a sum
CREATE TABLE a (id bigint PRIMARY KEY, x text, y numeric);
-- accepted
CREATE VIEW v AS SELECT x, CASE WHEN x = 'a' THEN sum(y) ELSE 0 END AS s, sum(CASE WHEN y > 0 THEN 1 ELSE 0 END) AS pos FROM a GROUP BY x;

-- all columns of the grouped key's table
CREATE TABLE a (id bigint PRIMARY KEY, x text, y numeric);
CREATE TABLE b (a_id bigint);
-- accepted
CREATE VIEW v AS SELECT a.*, count(b.*) AS n FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id;

-- DROP of a primary key that a view groups by
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE VIEW counts AS SELECT id, plate, count(*) FROM vans GROUP BY id;
-- refused: cannot drop constraint vans_pkey on table vans because other objects depend on it
ALTER TABLE vans DROP CONSTRAINT vans_pkey;

-- DROP of a primary key that a materialized view with a join groups by
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE TABLE trips (id bigint PRIMARY KEY, van_id bigint, km integer);
CREATE MATERIALIZED VIEW distances AS SELECT v.plate, sum(t.km) AS km FROM vans v JOIN trips t ON t.van_id = v.id GROUP BY v.id;
-- refused: cannot drop constraint vans_pkey on table vans because other objects depend on it
ALTER TABLE vans DROP CONSTRAINT vans_pkey, ADD PRIMARY KEY (id);

-- DROP of a primary key of a table whose other columns a view groups by
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE VIEW counts AS SELECT id, plate, count(*) FROM vans GROUP BY id, plate;
-- accepted
ALTER TABLE vans DROP CONSTRAINT vans_pkey;

-- DROP of a primary key when the view that groups by it was dropped
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE VIEW counts AS SELECT id, plate, count(*) FROM vans GROUP BY id;
DROP VIEW counts;
-- accepted
ALTER TABLE vans DROP CONSTRAINT vans_pkey;

-- DROP of a primary key with CASCADE
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE VIEW counts AS SELECT id, plate, count(*) FROM vans GROUP BY id;
-- accepted
ALTER TABLE vans DROP CONSTRAINT vans_pkey CASCADE;

-- DROP of a unique constraint of columns that a view groups by
CREATE TABLE vans (id bigint PRIMARY KEY, plate text UNIQUE);
CREATE VIEW counts AS SELECT plate, count(*) FROM vans GROUP BY plate;
-- accepted
ALTER TABLE vans DROP CONSTRAINT vans_plate_key;
