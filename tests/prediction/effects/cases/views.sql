-- Views and materialized views.

-- case: create
CREATE VIEW v AS SELECT id FROM orders;
-- case: create on a view
CREATE VIEW v AS SELECT id FROM large_orders;
-- case: create on a partitioned table
CREATE VIEW v AS SELECT day FROM events;
-- case: create on a parent
CREATE VIEW v AS SELECT name FROM animals;
-- case: create with a subquery
CREATE VIEW v AS SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers);
-- case: create with a common table expression
CREATE VIEW v AS WITH recent AS (SELECT * FROM orders) SELECT r.id FROM recent AS r, items AS i WHERE i.order_id = r.id;
-- case: create temporary
CREATE TEMPORARY VIEW v AS SELECT id FROM orders;
-- case: create recursive
CREATE RECURSIVE VIEW v (n) AS SELECT id FROM hens UNION ALL SELECT n + 1 FROM v WHERE n < 3;
-- case: create with a security barrier
CREATE VIEW v WITH (security_barrier) AS SELECT id FROM orders;
-- case: create on a materialized view
CREATE VIEW v AS SELECT total FROM sales;
-- case: create of values
CREATE VIEW v AS VALUES (1), (2);
-- case: create, and it exists
-- refused
CREATE VIEW order_totals AS SELECT 1 AS id;
-- case: replace
CREATE OR REPLACE VIEW large_orders AS SELECT id, total FROM order_totals WHERE total > 200;
-- case: replace by what reads another table
CREATE OR REPLACE VIEW large_orders AS SELECT id, 1::numeric(10, 2) AS total FROM customers;
-- case: replace what is not there
CREATE OR REPLACE VIEW v AS SELECT id FROM orders;
-- case: replace with other columns
-- refused
CREATE OR REPLACE VIEW large_orders AS SELECT total FROM order_totals;
-- case: drop
DROP VIEW large_orders;
-- case: drop one that another reads
-- refused
DROP VIEW order_totals;
-- case: drop one that another reads, cascade
DROP VIEW order_totals CASCADE;
-- case: drop several
DROP VIEW large_orders, customer_orders;
-- case: drop if there
DROP VIEW IF EXISTS nothing;
-- case: drop a table as a view
-- refused
DROP VIEW orders;
-- case: rename
ALTER VIEW order_totals RENAME TO v;
-- case: rename through ALTER TABLE
ALTER TABLE order_totals RENAME TO v;
-- case: rename a column
ALTER VIEW order_totals RENAME COLUMN total TO sum;
-- case: set an option
ALTER VIEW order_totals SET (security_barrier = true);
-- case: reset an option
ALTER VIEW order_totals RESET (security_barrier);
-- case: set security_invoker
-- versions: 15-
ALTER VIEW order_totals SET (security_invoker = true);
-- case: schema
ALTER VIEW order_totals SET SCHEMA archive;
-- case: owner
ALTER VIEW order_totals OWNER TO clerk;
-- case: owner to whom it belongs
ALTER VIEW order_totals OWNER TO CURRENT_USER;
-- case: grant
GRANT SELECT ON order_totals TO clerk;
-- case: comment
COMMENT ON VIEW order_totals IS 'x';
-- case: comment on a column
COMMENT ON COLUMN order_totals.total IS 'x';
-- case: lock
LOCK TABLE order_totals IN SHARE MODE;
-- case: lock one on a view
LOCK TABLE large_orders;
-- case: lock one on two tables
LOCK TABLE customer_orders IN ACCESS SHARE MODE;
-- case: lock one on a partitioned table
LOCK TABLE all_events IN ROW EXCLUSIVE MODE;
-- case: an instead-of trigger
CREATE TRIGGER t INSTEAD OF INSERT ON customer_orders FOR EACH ROW EXECUTE FUNCTION touch();
-- case: a rule
CREATE RULE r AS ON INSERT TO customer_orders DO INSTEAD NOTHING;
-- case: select
SELECT * FROM order_totals;
-- case: select through two
-- apart from: orders
SELECT * FROM large_orders;
-- case: select from a join
SELECT * FROM customer_orders;
-- case: update through one
UPDATE order_totals SET total = 5;
-- case: update through two
UPDATE large_orders SET total = 5;
-- case: insert through one
-- apart from: customers
INSERT INTO order_totals (id, customer_id, total) VALUES (5000, 1, 5);
-- case: delete through one
-- apart from: items, returns
DELETE FROM large_orders;
-- case: update what cannot be updated
-- refused
UPDATE customer_orders SET total = 5;
-- case: truncate
-- refused
TRUNCATE order_totals;

-- case: create materialized
CREATE MATERIALIZED VIEW m AS SELECT status, count(*) FROM orders GROUP BY status;
-- case: create materialized, with no data
CREATE MATERIALIZED VIEW m AS SELECT status, count(*) FROM orders GROUP BY status WITH NO DATA;
-- case: create materialized, on a view
-- apart from: orders
CREATE MATERIALIZED VIEW m AS SELECT * FROM large_orders;
-- case: create materialized, on a join
CREATE MATERIALIZED VIEW m AS SELECT c.name, o.total FROM customers AS c JOIN orders AS o ON o.customer_id = c.id;
-- case: create materialized if not exists, and it exists
CREATE MATERIALIZED VIEW IF NOT EXISTS sales AS SELECT 1 AS one;
-- case: refresh
REFRESH MATERIALIZED VIEW sales;
-- case: refresh concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY sales;
-- case: refresh with no data
REFRESH MATERIALIZED VIEW sales WITH NO DATA;
-- case: refresh what was empty
REFRESH MATERIALIZED VIEW empty_sales;
-- case: refresh what was empty concurrently
-- refused
REFRESH MATERIALIZED VIEW CONCURRENTLY empty_sales;
-- case: drop materialized
DROP MATERIALIZED VIEW empty_sales;
-- case: drop materialized, and another reads it
-- refused
DROP MATERIALIZED VIEW sales;
-- case: drop materialized, and another reads it, cascade
DROP MATERIALIZED VIEW sales CASCADE;
-- case: rename materialized
ALTER MATERIALIZED VIEW sales RENAME TO m;
-- case: rename materialized's column
ALTER MATERIALIZED VIEW sales RENAME COLUMN total TO sum;
-- case: schema of materialized
ALTER MATERIALIZED VIEW sales SET SCHEMA archive;
-- case: owner of materialized
ALTER MATERIALIZED VIEW sales OWNER TO clerk;
-- case: options of materialized
ALTER MATERIALIZED VIEW sales SET (fillfactor = 80);
-- case: tablespace of materialized
ALTER MATERIALIZED VIEW sales SET TABLESPACE shelf;
-- case: cluster materialized
CLUSTER sales USING sales_customer;
-- case: cluster on an index of materialized
ALTER MATERIALIZED VIEW sales CLUSTER ON sales_customer;
-- case: storage of materialized
ALTER MATERIALIZED VIEW empty_sales ALTER COLUMN status SET STORAGE EXTERNAL;
-- case: access method of materialized
-- versions: 15-
ALTER MATERIALIZED VIEW sales SET ACCESS METHOD heap;
-- case: comment on materialized
COMMENT ON MATERIALIZED VIEW sales IS 'x';
-- case: vacuum materialized
VACUUM sales;
-- case: vacuum fully materialized
VACUUM FULL sales;
-- case: analyze materialized
ANALYZE sales;
-- case: lock materialized
-- refused
LOCK TABLE sales;
-- case: select from materialized
SELECT * FROM sales;
-- case: select through a view on materialized
-- apart from: sales
SELECT * FROM best_sales;
-- case: write to materialized
-- refused
DELETE FROM sales;
-- case: drop a column whose name is only an output name of a view
CREATE VIEW v AS SELECT o.padding AS note FROM orders o ORDER BY note;
ALTER TABLE orders DROP COLUMN note;
-- case: drop a column of a table that a view reads as a whole row
CREATE VIEW v AS SELECT to_jsonb(o.*) AS row FROM orders o;
ALTER TABLE orders DROP COLUMN note;
-- case: drop a column that a sub-query of a view uses
-- refused
CREATE VIEW v AS SELECT c.id FROM customers c WHERE EXISTS (SELECT * FROM loose WHERE a = c.id);
ALTER TABLE loose DROP COLUMN d;
-- case: drop a column that a view uses only in another table, cascade
CREATE VIEW v AS SELECT e.name FROM customers c JOIN employees e USING (id);
ALTER TABLE customers DROP COLUMN name CASCADE;
-- case: drop a column that a view merges in a join, cascade
CREATE VIEW v AS SELECT e.name FROM hens h JOIN employees e USING (id);
ALTER TABLE hens DROP COLUMN id CASCADE;
-- case: drop a table whose row type is a column elsewhere
-- refused
CREATE TABLE copies (id int, original loose);
DROP TABLE loose;
-- case: drop a table whose row type is a column elsewhere, cascade
CREATE TABLE copies (id int, original loose);
DROP TABLE loose CASCADE;
-- case: drop a table that the action of a rule writes
-- refused
CREATE RULE log AS ON DELETE TO hens DO ALSO INSERT INTO loose (a) VALUES (old.id);
DROP TABLE loose;
