-- VACUUM, ANALYZE, CLUSTER, LOCK, TRUNCATE, statistics, and what rewrites a table by itself.

-- case: vacuum
VACUUM orders;
-- case: vacuum with analyze
VACUUM (ANALYZE) orders;
-- case: vacuum verbosely, frozen
VACUUM (VERBOSE, FREEZE) orders;
-- case: vacuum without an index cleanup
VACUUM (INDEX_CLEANUP off) orders;
-- case: vacuum several
VACUUM orders, customers;
-- case: vacuum columns
VACUUM ANALYZE orders (status, total);
-- case: vacuum all
VACUUM;
-- case: vacuum the old way
VACUUM FULL FREEZE orders;
-- case: vacuum full
VACUUM FULL orders;
-- case: vacuum full without index
VACUUM (FULL) loose;
-- case: vacuum full off
VACUUM (FULL off) orders;
-- case: vacuum full all
-- gap: whether a materialized view was ever filled is not known
VACUUM FULL;
-- case: vacuum a view
VACUUM order_totals;
-- case: analyze
ANALYZE orders;
-- case: analyze columns
ANALYZE orders (status);
-- case: analyze verbosely
ANALYZE VERBOSE orders;
-- case: analyze several
ANALYZE orders, customers;
-- case: analyze all
ANALYZE;
-- case: analyze with locks skipped
ANALYZE (SKIP_LOCKED) orders;
-- case: cluster
CLUSTER orders USING orders_pkey;
-- case: cluster again
CLUSTER ledger;
-- case: cluster what never was
-- refused
CLUSTER orders;
-- case: cluster all
CLUSTER;
-- case: cluster verbosely
CLUSTER (VERBOSE) ledger;
-- case: cluster on
ALTER TABLE orders CLUSTER ON orders_pkey;
-- case: without cluster
ALTER TABLE ledger SET WITHOUT CLUSTER;
-- case: lock
LOCK TABLE orders;
-- case: lock, access share
LOCK TABLE orders IN ACCESS SHARE MODE;
-- case: lock, row share
LOCK TABLE orders IN ROW SHARE MODE;
-- case: lock, row exclusive
LOCK TABLE orders IN ROW EXCLUSIVE MODE;
-- case: lock, share update exclusive
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
-- case: lock, share
LOCK TABLE orders IN SHARE MODE;
-- case: lock, share row exclusive
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
-- case: lock, exclusive
LOCK TABLE orders IN EXCLUSIVE MODE;
-- case: lock, access exclusive, nowait
LOCK orders IN ACCESS EXCLUSIVE MODE NOWAIT;
-- case: lock several
LOCK TABLE orders, customers, ONLY animals IN SHARE MODE;
-- case: lock what is not there
-- refused
LOCK TABLE nothing;
-- case: truncate
TRUNCATE notices;
-- case: truncate with an index
TRUNCATE TABLE keyed;
-- case: truncate without index
TRUNCATE loose;
-- case: truncate what others refer to
-- refused
TRUNCATE customers;
-- case: truncate what others refer to, cascade
TRUNCATE customers CASCADE;
-- case: truncate with those that refer to it
TRUNCATE orders, items, returns;
-- case: truncate what refers to itself
TRUNCATE employees;
-- case: truncate and restart
TRUNCATE invoices RESTART IDENTITY;
-- case: truncate several
TRUNCATE loose, keyed CONTINUE IDENTITY;
-- case: truncate a foreign table
-- refused
TRUNCATE far_orders;
-- case: set unlogged
ALTER TABLE loose SET UNLOGGED;
-- case: set unlogged with indexes
ALTER TABLE keyed SET UNLOGGED;
-- case: set unlogged what logged ones refer to
-- refused
ALTER TABLE customers SET UNLOGGED;
-- case: set logged
ALTER TABLE scratch SET LOGGED;
-- case: set logged what is
ALTER TABLE orders SET LOGGED;
-- case: set the tablespace
ALTER TABLE orders SET TABLESPACE shelf;
-- case: set the tablespace to the one that it is in
-- gap: in which tablespace something is, is not known
ALTER TABLE orders SET TABLESPACE pg_default;
-- case: move all in a tablespace
-- gap: in which tablespace something is, is not known
ALTER TABLE ALL IN TABLESPACE shelf SET TABLESPACE pg_default;
-- case: set the access method that it has
-- versions: 15-
ALTER TABLE orders SET ACCESS METHOD heap;
-- case: create statistics
CREATE STATISTICS s ON status, quantity FROM orders;
-- case: create statistics on an expression
CREATE STATISTICS s ON lower(note), quantity FROM orders;
-- case: create statistics of a kind
CREATE STATISTICS s (ndistinct) ON status, quantity FROM orders;
-- case: create statistics if not exists, and it exists
CREATE STATISTICS IF NOT EXISTS notices_stats ON id, line FROM notices;
-- case: drop statistics
DROP STATISTICS notices_stats;
-- case: alter statistics
ALTER STATISTICS notices_stats SET STATISTICS 100;
-- case: rename statistics
ALTER STATISTICS notices_stats RENAME TO s;
-- case: owner of statistics
ALTER STATISTICS notices_stats OWNER TO clerk;
-- case: schema of statistics
ALTER STATISTICS notices_stats SET SCHEMA archive;
-- case: comment on statistics
COMMENT ON STATISTICS notices_stats IS 'x';
-- case: checkpoint
CHECKPOINT;
-- case: alter system
ALTER SYSTEM RESET work_mem;
-- case: explain
EXPLAIN SELECT * FROM orders;
-- case: explain an update
EXPLAIN UPDATE orders SET total = 5;
-- case: explain a query of a view
EXPLAIN SELECT * FROM customer_orders;
-- case: explain an insert into what refers to others
EXPLAIN INSERT INTO items (order_id, line) VALUES (1, 50);
-- case: explain a delete from what others refer to
EXPLAIN DELETE FROM orders;
-- case: explain what was prepared
PREPARE explained AS UPDATE events SET amount = 5;
EXPLAIN EXECUTE explained;
-- case: explain a new table
EXPLAIN CREATE TABLE t AS SELECT * FROM loose;
-- case: explain a cursor
EXPLAIN DECLARE c CURSOR FOR SELECT * FROM orders;
-- case: explain analyze
EXPLAIN ANALYZE SELECT * FROM loose;
-- case: explain analyze an update
EXPLAIN (ANALYZE, COSTS off) UPDATE loose SET a = 5;
