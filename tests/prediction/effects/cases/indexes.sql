-- Indexes: created, rebuilt, altered, dropped.

-- case: create
CREATE INDEX i ON orders (quantity);
-- case: create unique
CREATE UNIQUE INDEX i ON orders (reference);
-- case: create on an expression
CREATE INDEX i ON orders (upper(coupon));
-- case: create partial
CREATE INDEX i ON orders (quantity) WHERE status = 'open';
-- case: create gin
CREATE INDEX i ON kinds USING gin (jsb);
-- case: create brin
CREATE INDEX i ON orders USING brin (placed);
-- case: create hash
CREATE INDEX i ON orders USING hash (coupon);
-- case: create with a function that reads another table
-- apart from: coupons
CREATE FUNCTION lookup(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT count(*) FROM public.coupons); END';
CREATE INDEX i ON orders (lookup(quantity));
-- case: create if not exists, and it exists
CREATE INDEX IF NOT EXISTS orders_status_idx ON orders (quantity);
-- case: create if not exists, and it does not
CREATE INDEX IF NOT EXISTS i ON orders (quantity);
-- case: create, and the name is taken
-- refused
CREATE INDEX orders_status_idx ON orders (quantity);
-- case: create on a materialized view
CREATE INDEX i ON sales (total);
-- case: create on a view
-- refused
CREATE INDEX i ON order_totals (total);
-- case: create on a foreign table
-- refused
CREATE INDEX i ON far_orders (id);
-- case: create on a partitioned table
CREATE INDEX i ON events (amount);
-- case: create on a partitioned table, a partition has it
CREATE INDEX i ON visits_eu (hits);
CREATE INDEX j ON visits (hits);
-- case: create on partitions of partitions
CREATE INDEX i ON logs (line);
-- case: create on only a partitioned table
CREATE INDEX i ON ONLY events (amount);
-- case: create on a partition
CREATE INDEX i ON events_2020 (amount);
-- case: create unique on a partitioned table without its key
-- refused
CREATE UNIQUE INDEX i ON events (amount);
-- case: create on a parent
CREATE INDEX i ON animals (name);
-- case: create on an unlogged table
CREATE INDEX i ON scratch (line);
-- case: create concurrently
CREATE INDEX CONCURRENTLY i ON orders (quantity);
-- case: create unique concurrently
CREATE UNIQUE INDEX CONCURRENTLY i ON orders (reference);
-- case: create concurrently if not exists, and it exists
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_idx ON orders (quantity);
-- case: create concurrently on a partitioned table
-- refused
CREATE INDEX CONCURRENTLY i ON events (amount);
-- case: create concurrently on only a partitioned table
-- refused
CREATE INDEX CONCURRENTLY i ON ONLY events (amount);
-- case: create concurrently on a partition
CREATE INDEX CONCURRENTLY i ON events_2020 (amount);
-- case: create concurrently on a materialized view
CREATE INDEX CONCURRENTLY i ON sales (total);
-- case: drop
DROP INDEX orders_status_idx;
-- case: drop if there
DROP INDEX IF EXISTS nothing;
-- case: drop several
DROP INDEX orders_status_idx, keyed_a;
-- case: drop a constraint's
-- refused
DROP INDEX customers_email_key;
-- case: drop a foreign key's
-- refused
DROP INDEX customers_pkey CASCADE;
-- case: drop a unique one that a foreign key uses, cascade
CREATE TABLE uses (a int REFERENCES keyed (a));
DROP INDEX keyed_a CASCADE;
-- case: drop a partitioned table's
DROP INDEX events_kind_idx;
-- case: drop a partition's part of one
-- refused
DROP INDEX events_2020_kind_idx;
-- case: drop a materialized view's
DROP INDEX sales_customer;
-- case: drop concurrently
DROP INDEX CONCURRENTLY orders_status_idx;
-- case: drop concurrently if there
DROP INDEX CONCURRENTLY IF EXISTS nothing;
-- case: drop concurrently a partitioned table's
-- refused
DROP INDEX CONCURRENTLY events_kind_idx;
-- case: drop concurrently a constraint's
-- refused
DROP INDEX CONCURRENTLY customers_email_key;
-- case: drop concurrently a materialized view's
DROP INDEX CONCURRENTLY sales_customer;
-- case: reindex an index
REINDEX INDEX orders_status_idx;
-- case: reindex a primary key
REINDEX INDEX orders_pkey;
-- case: reindex a table
REINDEX TABLE orders;
-- case: reindex a table without index
REINDEX TABLE loose;
-- case: reindex a materialized view
REINDEX TABLE sales;
-- case: reindex a partitioned table
REINDEX TABLE events;
-- case: reindex a partitioned index
REINDEX INDEX events_kind_idx;
-- case: reindex a partition's index
REINDEX INDEX events_2020_kind_idx;
-- case: reindex verbosely
REINDEX (VERBOSE) INDEX orders_status_idx;
-- case: reindex to a tablespace
REINDEX (TABLESPACE shelf) INDEX orders_status_idx;
-- case: reindex an index concurrently
REINDEX INDEX CONCURRENTLY orders_status_idx;
-- case: reindex a primary key concurrently
REINDEX INDEX CONCURRENTLY customers_pkey;
-- case: reindex a table concurrently
REINDEX TABLE CONCURRENTLY orders;
-- case: reindex a table concurrently, by option
REINDEX (CONCURRENTLY) TABLE orders;
-- case: reindex a table without index concurrently
REINDEX TABLE CONCURRENTLY loose;
-- case: reindex a table with an exclusion constraint concurrently
REINDEX TABLE CONCURRENTLY bookings;
-- case: reindex a table of short rows without index concurrently
CREATE TABLE t (a int, b bigint, c timestamptz, d uuid, e varchar(100), f numeric(10, 2), g mood, h short_label);
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of long rows without index concurrently
CREATE TABLE t (a int, b varchar(400), c char(100), d varchar(100));
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of rows that are as long as may be without index concurrently
CREATE TABLE t (a varchar(498));
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of rows that are one character too long without index concurrently
CREATE TABLE t (a varchar(502));
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of arrays without index concurrently
CREATE TABLE t (a int[]);
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of a domain without index concurrently
CREATE TABLE t (a label);
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of a composite type without index concurrently
CREATE TABLE t (a address);
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a table of many fixed columns without index concurrently
CREATE TABLE t (a char, b bit(64), c interval, d point, e name, f boolean, g int4range);
REINDEX TABLE CONCURRENTLY t;
-- case: reindex a partitioned table concurrently
REINDEX TABLE CONCURRENTLY events;
-- case: reindex a partitioned index concurrently
REINDEX INDEX CONCURRENTLY events_kind_idx;
-- case: reindex a schema
REINDEX SCHEMA archive;
-- case: reindex the whole schema
REINDEX SCHEMA public;
-- case: reindex a schema concurrently
REINDEX SCHEMA CONCURRENTLY archive;
-- case: reindex the database
REINDEX DATABASE copy;
-- case: reindex the database, by itself
-- versions: 16-
REINDEX DATABASE;
-- case: reindex the database concurrently
REINDEX DATABASE CONCURRENTLY copy;
-- case: reindex the system (locks catalogues)
REINDEX SYSTEM copy;
-- case: rename
ALTER INDEX orders_status_idx RENAME TO i;
-- case: rename if there
ALTER INDEX IF EXISTS nothing RENAME TO i;
-- case: rename a constraint's
ALTER INDEX customers_email_key RENAME TO i;
-- case: rename through ALTER TABLE
ALTER TABLE orders_status_idx RENAME TO i;
-- case: rename a table through ALTER INDEX
ALTER INDEX loose RENAME TO i;
-- case: set an option
ALTER INDEX orders_status_idx SET (fillfactor = 80);
-- case: reset an option
ALTER INDEX orders_status_idx RESET (fillfactor);
-- case: set a gin option
ALTER INDEX orders_tags_idx SET (fastupdate = off);
-- case: set the tablespace
ALTER INDEX orders_status_idx SET TABLESPACE shelf;
-- case: set the tablespace to the one that it is in
-- gap: in which tablespace something is, is not known
ALTER INDEX orders_status_idx SET TABLESPACE pg_default;
-- case: attach a partition
CREATE INDEX i ON ONLY visits (hits);
CREATE INDEX j ON visits_eu (hits);
ALTER INDEX i ATTACH PARTITION j;
-- case: attach the last partition
CREATE INDEX i ON ONLY parcels (weight);
CREATE INDEX i0 ON parcels_0 (weight);
CREATE INDEX i1 ON parcels_1 (weight);
ALTER INDEX i ATTACH PARTITION i0;
ALTER INDEX i ATTACH PARTITION i1;
-- case: depends on an extension
ALTER INDEX orders_status_idx NO DEPENDS ON EXTENSION plpgsql;
-- case: comment
COMMENT ON INDEX orders_status_idx IS 'x';
-- case: comment on a constraint
COMMENT ON CONSTRAINT orders_pkey ON orders IS 'x';
-- case: schema
-- refused
ALTER INDEX orders_status_idx SET SCHEMA archive;
