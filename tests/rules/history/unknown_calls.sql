CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE PROCEDURE tidy() LANGUAGE sql AS 'ANALYZE orders';
CREATE PROCEDURE train() LANGUAGE plpython3u AS 'pass';
CREATE FUNCTION create_parent(name text) RETURNS void LANGUAGE sql AS 'SELECT';

-- next migration
SET lock_timeout = '2s';
CALL tidy();
SELECT create_parent('orders');
SELECT setval('orders_id_seq', 1);
SELECT unknown_function('orders');
CALL train(); -- expect: opaque-code
CALL unknown_procedure(1); -- expect: opaque-code
CALL partman.run_maintenance_proc(); -- expect: opaque-code
SELECT partman.run_maintenance(); -- expect: opaque-code
SELECT create_hypertable('orders', 'created_at', migrate_data => true); -- expect: opaque-code
SELECT * FROM create_distributed_table('unknown_table', 'id'); -- expect: opaque-code
SELECT AddGeometryColumn('public', 'orders', 'place', 4326, 'POINT', 2); -- expect: opaque-code
DO $$
BEGIN
    PERFORM drop_chunks('orders', INTERVAL '1 year'); -- expect: opaque-code
END $$;
CREATE TABLE events (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
SELECT create_hypertable('public.events', 'created_at');
