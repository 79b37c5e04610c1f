-- Queries and changes of rows.

-- case: select
SELECT * FROM loose;
-- case: select by key
SELECT * FROM orders WHERE id = 5;
-- case: select two
SELECT * FROM orders AS o JOIN customers AS c ON c.id = o.customer_id;
-- case: select in a subquery
SELECT (SELECT count(*) FROM coupons);
-- case: select from a common table expression
WITH a AS (SELECT * FROM loose) SELECT count(*) FROM a;
-- case: select from a common table expression, by key
WITH a AS (SELECT * FROM orders) SELECT total FROM a WHERE id = 5;
-- case: select from a common table expression, by key and row
WITH a AS (SELECT * FROM orders) SELECT total FROM a LIMIT 0;
-- case: select in a subquery, by key
SELECT total FROM (SELECT * FROM orders) AS a WHERE id = 5;
-- case: select all of one and few of another
SELECT a FROM loose UNION ALL SELECT id FROM orders WHERE id = 5;
-- case: select few, and of each all of another
SELECT (SELECT count(*) FROM loose) FROM orders WHERE id = 5;
-- case: select the largest key
SELECT max(id) FROM orders;
-- case: select the next key
SELECT coalesce(max(o.id), 0) + 1, min(id) FROM orders AS o;
-- case: select the largest value of a column without an index
SELECT max(note) FROM orders;
-- case: select the largest key and the number of rows
SELECT max(id), count(*) FROM orders;
-- case: select the largest key of each value
SELECT max(id) FROM orders GROUP BY note;
-- case: set a sequence to the largest key
CREATE SEQUENCE s;
SELECT setval('s', (SELECT max(id) FROM orders));
-- case: set a sequence to the largest key, in one query
CREATE SEQUENCE s;
SELECT setval('s', coalesce(max(id), 1), max(id) IS NOT NULL) FROM orders;
-- case: select from a partitioned table
SELECT count(*) FROM events;
-- case: select from a partition
SELECT count(*) FROM events_2020;
-- case: select nothing
SELECT 1;
-- case: select from a function
SELECT maybe_one();
-- case: select from a view of a filtered and a whole table
CREATE VIEW v AS SELECT l.a, (SELECT max(note) FROM orders WHERE id = 5) FROM loose AS l;
SELECT * FROM v;
-- case: insert from a view of a view
CREATE VIEW v AS SELECT a FROM loose;
CREATE VIEW w AS SELECT * FROM v;
INSERT INTO keyed (a, b) SELECT a + 5000, a + 5000 FROM w;
-- case: select for update
SELECT * FROM loose FOR UPDATE;
-- case: select for share
SELECT * FROM loose FOR SHARE;
-- case: select for no key update, skipping
SELECT * FROM loose FOR NO KEY UPDATE SKIP LOCKED;
-- case: select for key share
SELECT * FROM loose FOR KEY SHARE NOWAIT;
-- case: select for update of one
-- apart from: customers
SELECT o.id FROM orders AS o JOIN customers AS c ON c.id = o.customer_id FOR UPDATE OF o;
-- case: select for update of an alias that is another's name
-- apart from: orders, customers
SELECT customers.id FROM orders AS customers JOIN customers AS c ON c.id = customers.customer_id FOR UPDATE OF c;
-- case: select for update of one that a subquery calls otherwise
SELECT a.id FROM customers AS a JOIN orders ON orders.id = a.id
    WHERE orders.id = 5 AND a.id = 5 AND EXISTS (SELECT 1 FROM coupons AS orders WHERE orders.code = 'c5') FOR UPDATE OF orders;
-- case: select for update through a view
SELECT * FROM order_totals FOR UPDATE;
-- case: select for update in a subquery
SELECT count(*) FROM (SELECT 1 FROM loose FOR UPDATE) AS q;
-- case: select for update from a partitioned table
SELECT * FROM visits FOR UPDATE;
-- case: select into
SELECT * INTO copied FROM loose;
-- case: table
TABLE loose;
-- case: union
SELECT id FROM hens UNION SELECT id FROM eggs;
-- case: insert
INSERT INTO loose VALUES (1, 'b', 'c');
-- case: insert several
INSERT INTO loose VALUES (1, 'b', 'c'), (2, 'b', 'c');
-- case: insert with a foreign key
INSERT INTO items (order_id, line) VALUES (1, 50);
-- case: insert with a foreign key of null
INSERT INTO employees VALUES (5000, 1);
-- case: insert a query
-- apart from: customers
INSERT INTO loose (a, c) SELECT id, name FROM customers;
-- case: insert all of a table
INSERT INTO loose (a, c) SELECT a, d FROM keyed;
-- case: insert what a key finds
INSERT INTO loose (a, c) SELECT id, name FROM customers WHERE id = 5;
-- case: insert what a common table expression has, by key
WITH a AS (SELECT * FROM orders) INSERT INTO loose (a, c) SELECT id, 'c' FROM a WHERE id = 5;
-- case: insert into a partition of a table with a foreign key
-- apart from: events
INSERT INTO events_2020 VALUES (5000, '2020-06-01', 'kind', 1, 1);
-- case: insert or nothing
INSERT INTO keyed (a, b) VALUES (1, 5000) ON CONFLICT DO NOTHING;
-- case: insert or update
INSERT INTO keyed (a, b) VALUES (1, 5000) ON CONFLICT (a) DO UPDATE SET d = excluded.d;
-- case: insert returning
INSERT INTO loose (c) VALUES ('c') RETURNING a;
-- case: insert default values
INSERT INTO bookings DEFAULT VALUES;
-- case: insert into a partitioned table
-- apart from: visits_eu
INSERT INTO visits VALUES ('de', 'x', 1);
-- case: insert a query into a partitioned table
-- apart from: visits_us, customers
INSERT INTO visits (region, page) SELECT 'us', name FROM customers;
-- case: insert into a partition
-- apart from: visits
INSERT INTO visits_eu VALUES ('de', 'x', 1);
-- case: insert into a partitioned table with a foreign key
-- apart from: events_2020
INSERT INTO events VALUES (5000, '2020-05-05', 'x', 1, 1);
-- case: insert with a common table expression
WITH a AS (SELECT id FROM coupons, hens LIMIT 1) INSERT INTO loose (a, c) SELECT id, 'c' FROM a;
-- case: update
UPDATE loose SET a = 5;
-- case: update by key
UPDATE orders SET total = 5 WHERE id = 5;
-- case: update all of a referenced table
UPDATE customers SET padding = 'y';
-- case: update a referenced key
UPDATE coupons SET code = code || 'x';
-- case: update a key with references
-- apart from: employees
UPDATE employees SET id = id + 1000 WHERE id = 3;
-- case: update a foreign key
-- apart from: customers
UPDATE orders SET customer_id = 1;
-- case: update without an index
UPDATE loose SET b = 'x' WHERE b = 'y';
-- case: update from another
-- apart from: customers
UPDATE loose SET a = c.id FROM customers AS c WHERE c.name = loose.b;
-- case: update with a subquery
UPDATE loose SET a = (SELECT max(id) FROM hens);
-- case: update returning
UPDATE loose SET a = 5 RETURNING *;
-- case: update a partitioned table
UPDATE visits SET hits = 5;
-- case: update a partition key
-- apart from: visits_rest, visits_us
UPDATE visits SET region = 'us' WHERE region = 'de';
-- case: update a partition
UPDATE visits_eu SET hits = 5;
-- case: delete
DELETE FROM loose;
-- case: delete by key
DELETE FROM notices WHERE id = 5;
-- case: delete what others refer to
-- refused
DELETE FROM customers WHERE id = 5;
-- case: delete what others go with
DELETE FROM items;
-- case: delete what others go with, from the top
TRUNCATE returns;
DELETE FROM orders WHERE id = 5;
-- case: delete using another
-- apart from: customers
DELETE FROM loose USING customers AS c WHERE c.name = loose.b;
-- case: delete where not exists
-- apart from: hens
DELETE FROM event_notes WHERE NOT EXISTS (SELECT FROM hens WHERE hens.id = event_notes.id);
-- case: delete returning, in a common table expression
WITH gone AS (DELETE FROM loose RETURNING *) INSERT INTO keyed (a, b) SELECT a + 5000, a + 5000 FROM gone;
-- case: delete from a partitioned table
DELETE FROM visits;
-- case: delete from a partitioned table that others refer to
-- apart from: event_notes, events_2020
DELETE FROM events WHERE id = 5 AND day = '2021-06-01';
-- case: merge
-- versions: 15-
-- apart from: customers, keyed
MERGE INTO keyed AS k USING customers AS c ON c.id = k.a
    WHEN MATCHED THEN UPDATE SET d = c.name WHEN NOT MATCHED THEN INSERT (a, b) VALUES (c.id, c.id);
-- case: merge, delete
-- versions: 15-
-- apart from: customers, loose
MERGE INTO loose AS l USING customers AS c ON c.id = l.a WHEN MATCHED THEN DELETE;
-- case: merge with a query
-- versions: 15-
-- apart from: hens, loose
MERGE INTO loose AS l USING (SELECT id FROM hens) AS h ON h.id = l.a WHEN MATCHED THEN DO NOTHING;
-- case: merge into a partitioned table
-- versions: 15-
-- apart from: customers, visits_eu, visits_rest, visits_us
MERGE INTO visits AS v USING customers AS c ON c.name = v.page WHEN MATCHED THEN UPDATE SET hits = 5;
-- case: copy to
COPY loose TO '/dev/null';
-- case: copy a query to
COPY (SELECT * FROM customers) TO '/dev/null';
-- case: copy from
COPY loose FROM '/dev/null';
-- case: copy from, with foreign keys
COPY items (order_id, line) FROM PROGRAM 'echo 1,60' (FORMAT csv);
-- case: values
VALUES (1), (2);
-- case: call
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
CALL p();
-- case: call one of several procedures
CREATE PROCEDURE q(a integer) LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE loose ADD COLUMN x integer; END $$;
CREATE PROCEDURE q(a text) LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ADD COLUMN x integer; END $$;
CALL q('one');
-- case: call one of several procedures with a number
CREATE PROCEDURE q(a bigint) LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE loose ADD COLUMN x integer; END $$;
CREATE PROCEDURE q(a text) LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ADD COLUMN x integer; END $$;
CALL q(1);
-- case: call one of several functions with a cast
CREATE FUNCTION q(a date) RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE loose ADD COLUMN x integer; END $$;
CREATE FUNCTION q(a timestamptz) RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ADD COLUMN x integer; END $$;
SELECT q('2026-01-01'::date);
-- case: call one of several functions by the number of arguments
CREATE FUNCTION q(a text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE loose ADD COLUMN x integer; END $$;
CREATE FUNCTION q(a text, b integer DEFAULT 1, c text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ADD COLUMN x integer; END $$;
SELECT q('one', 2);
-- case: do
DO $$ BEGIN UPDATE loose SET a = 5; END $$;
-- case: do with a change of a table
DO $$ BEGIN ALTER TABLE loose ADD COLUMN x int; DELETE FROM items WHERE order_id = 5; END $$;
-- case: prepare
PREPARE s AS SELECT * FROM loose;
-- case: prepare an insert from a view
PREPARE s1 AS INSERT INTO loose (a, c) SELECT id, 'c' FROM order_totals;
-- case: prepare a query of a partitioned table
PREPARE s2 AS SELECT * FROM events;
-- case: prepare a query for update
PREPARE s3 AS SELECT * FROM loose FOR UPDATE;
-- case: prepare a query of a view for update
PREPARE s8 AS SELECT * FROM all_events FOR UPDATE;
-- case: prepare a change of a view
PREPARE s9 AS UPDATE large_orders SET total = 5;
-- case: prepare a merge
-- versions: 15-
PREPARE s4 AS MERGE INTO loose USING coupons ON false WHEN NOT MATCHED THEN INSERT (c) VALUES (code);
-- case: execute
PREPARE s5 AS UPDATE loose SET a = 5;
EXECUTE s5;
-- case: declare a cursor
DECLARE c CURSOR FOR SELECT * FROM loose;
-- case: declare a cursor for update
DECLARE c CURSOR FOR SELECT * FROM loose FOR UPDATE;
-- case: declare a cursor on a view
DECLARE c CURSOR FOR SELECT * FROM all_events;
-- case: setval
CREATE SEQUENCE s;
SELECT setval('s', 100);
-- case: nextval
CREATE SEQUENCE s;
SELECT nextval('s');
