-- Storage parameters and other properties of tables; sequences; several parts in one ALTER TABLE.

-- case: fillfactor
ALTER TABLE orders SET (fillfactor = 80);
-- case: autovacuum
ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_enabled = false);
-- case: toast
ALTER TABLE orders SET (toast.autovacuum_enabled = false);
-- case: parallel workers
ALTER TABLE orders SET (parallel_workers = 2);
-- case: toast_tuple_target
ALTER TABLE orders SET (toast_tuple_target = 4096);
-- case: user_catalog_table
ALTER TABLE orders SET (user_catalog_table = true);
-- case: vacuum_truncate
ALTER TABLE orders SET (vacuum_truncate = false);
-- case: vacuum_index_cleanup
ALTER TABLE orders SET (vacuum_index_cleanup = auto);
-- case: log_autovacuum_min_duration
ALTER TABLE orders SET (log_autovacuum_min_duration = 100);
-- case: two with different locks
ALTER TABLE orders SET (fillfactor = 80, user_catalog_table = true);
-- case: reset
ALTER TABLE orders RESET (fillfactor);
-- case: reset user_catalog_table
ALTER TABLE orders RESET (user_catalog_table);
-- case: without oids
ALTER TABLE orders SET WITHOUT OIDS;
-- case: replica identity full
ALTER TABLE orders REPLICA IDENTITY FULL;
-- case: replica identity nothing
ALTER TABLE orders REPLICA IDENTITY NOTHING;
-- case: replica identity default
ALTER TABLE orders REPLICA IDENTITY DEFAULT;
-- case: replica identity by an index
ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_b;
-- case: replica identity by the primary key
ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_pkey;
-- case: no force and a default
ALTER TABLE orders NO FORCE ROW LEVEL SECURITY, ALTER COLUMN note SET DEFAULT 'x';
-- case: statistics and a validation
ALTER TABLE returns ALTER COLUMN reason SET STATISTICS 50, VALIDATE CONSTRAINT returns_reason_known;
-- case: statistics and a default
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 50, ALTER COLUMN note SET DEFAULT 'x';
-- case: a foreign key and an option
ALTER TABLE orders SET (fillfactor = 80), ADD FOREIGN KEY (coupon) REFERENCES coupons NOT VALID;
-- case: a foreign key and a column
ALTER TABLE orders ADD COLUMN x int, ADD FOREIGN KEY (coupon) REFERENCES coupons NOT VALID;
-- case: two rewrites
ALTER TABLE kinds ALTER COLUMN whole TYPE bigint, ALTER COLUMN small TYPE bigint, ADD COLUMN x float DEFAULT random();
-- case: a rewrite and a foreign key
ALTER TABLE keyed ALTER COLUMN e TYPE bigint, ADD FOREIGN KEY (a) REFERENCES customers;
-- case: a rewrite and a check
ALTER TABLE keyed ALTER COLUMN e TYPE bigint, ADD CHECK (a > 0);
-- case: a rewrite and a unique constraint
ALTER TABLE keyed ALTER COLUMN e TYPE bigint, ADD UNIQUE (e);
-- case: not null and a check
ALTER TABLE loose ALTER COLUMN b SET NOT NULL, ADD CHECK (a > 0);
-- case: a check and not null proved by it
ALTER TABLE loose ADD CONSTRAINT known CHECK (a IS NOT NULL), ALTER COLUMN a SET NOT NULL;
-- case: drop and set a default
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status SET DEFAULT 'x', ALTER COLUMN note DROP NOT NULL;
-- case: disable a trigger and validate
ALTER TABLE returns DISABLE TRIGGER ALL, VALIDATE CONSTRAINT returns_order_fk;

-- case: create a table
CREATE TABLE t (id int PRIMARY KEY, note text);
-- case: create a table if not exists, and it exists
CREATE TABLE IF NOT EXISTS orders (id int);
-- case: create a table that is there
-- refused
CREATE TABLE orders (id int);
-- case: create a table with a foreign key
CREATE TABLE t (id int PRIMARY KEY, order_id int REFERENCES orders);
-- case: create a table with foreign keys
CREATE TABLE t (order_id int REFERENCES orders ON DELETE CASCADE, c int, FOREIGN KEY (c) REFERENCES customers (id), b int REFERENCES hens);
-- case: create a table with a foreign key to a partitioned one
CREATE TABLE t (id bigint, day date, FOREIGN KEY (id, day) REFERENCES events);
-- case: create a table with a foreign key to itself
CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t);
-- case: create a table with a foreign key if not exists, and it exists
CREATE TABLE IF NOT EXISTS items (id int REFERENCES customers);
-- case: create a table like another
CREATE TABLE t (LIKE orders INCLUDING ALL);
-- case: create a table like a view
CREATE TABLE t (LIKE order_totals);
-- case: create a table like a partitioned one
CREATE TABLE t (LIKE events INCLUDING INDEXES);
-- case: create a table as a query
CREATE TABLE t AS SELECT * FROM orders;
-- case: create a table as a query, with no data
CREATE TABLE t AS SELECT * FROM orders WITH NO DATA;
-- case: create a table as another
CREATE TABLE t AS TABLE loose;
-- case: create a table as a query if not exists, and it exists
CREATE TABLE IF NOT EXISTS loose AS SELECT * FROM orders;
-- case: create a temporary table as a query
CREATE TEMPORARY TABLE t AS SELECT * FROM orders;
-- case: create a table of a type
CREATE TABLE t OF address;
-- case: create a table with a default that reads a sequence
CREATE TABLE t (id int DEFAULT nextval('tickets'));
-- case: create a foreign table
CREATE FOREIGN TABLE f (id int) SERVER far;
-- case: create a foreign partition
CREATE FOREIGN TABLE f PARTITION OF logs FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') SERVER far;
-- case: create a schema with a table
CREATE SCHEMA s CREATE TABLE t (id int REFERENCES public.customers);
-- case: create a sequence
CREATE SEQUENCE s;
-- case: create an owned sequence
CREATE SEQUENCE s OWNED BY orders.quantity;
-- case: alter a sequence
ALTER SEQUENCE tickets RESTART WITH 5;
-- case: alter a sequence's owner column
ALTER SEQUENCE tickets OWNED BY orders.quantity;
-- case: alter a sequence's owner column to none
ALTER SEQUENCE invoices_id_seq OWNED BY NONE;
-- case: alter an owned sequence
ALTER SEQUENCE invoices_id_seq INCREMENT BY 5;
-- case: alter a sequence's type
ALTER SEQUENCE tickets AS smallint MAXVALUE 20000;
-- case: log a sequence
-- versions: 15-
ALTER SEQUENCE tickets SET UNLOGGED;
-- case: create an extension
CREATE EXTENSION IF NOT EXISTS plpgsql;
-- case: create a cast
CREATE CAST (mood AS int) WITH INOUT;
-- case: an import of foreign tables
-- refused
IMPORT FOREIGN SCHEMA public FROM SERVER far INTO archive;
-- case: a subscription that does not connect
CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION news WITH (connect = false);
