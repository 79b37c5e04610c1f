CREATE INDEX CONCURRENTLY a ON orders (qty);
VACUUM orders;

-- next migration
BEGIN;
CREATE INDEX a ON orders (qty);
CREATE INDEX CONCURRENTLY b ON orders (qty); -- expect: concurrently-in-transaction
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS c ON orders (qty); -- expect: concurrently-in-transaction
DROP INDEX a;
DROP INDEX CONCURRENTLY IF EXISTS nothing; -- expect: concurrently-in-transaction
REINDEX TABLE orders;
REINDEX (CONCURRENTLY, VERBOSE) TABLE orders; -- expect: concurrently-in-transaction
REINDEX (CONCURRENTLY false) TABLE orders;
ANALYZE orders;
VACUUM FULL orders; -- expect: concurrently-in-transaction
CLUSTER orders USING a;
CLUSTER; -- expect: concurrently-in-transaction
ALTER TABLE events DETACH PARTITION events_1;
ALTER TABLE events
    DETACH PARTITION events_2 CONCURRENTLY; -- expect: concurrently-in-transaction
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
CREATE DATABASE shop; -- expect: concurrently-in-transaction
ALTER DATABASE shop SET work_mem = '8MB';
ALTER SYSTEM SET work_mem = '8MB'; -- expect: concurrently-in-transaction
CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p; -- expect: concurrently-in-transaction
CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p WITH (create_slot = false);
DROP SUBSCRIPTION t; -- expect: concurrently-in-transaction
ALTER SUBSCRIPTION s SET (slot_name = NONE);
DROP SUBSCRIPTION s;
DISCARD ALL; -- expect: concurrently-in-transaction
COMMIT;
VACUUM orders;

-- next migration
-- a savepoint does not end the transaction; AND CHAIN opens another
BEGIN;
SAVEPOINT one;
ROLLBACK TO one;
VACUUM; -- expect: concurrently-in-transaction
COMMIT AND CHAIN;
VACUUM; -- expect: concurrently-in-transaction
ROLLBACK;
VACUUM;

-- next migration
-- a DO block and a function are always inside a transaction
DO $$
BEGIN
    CREATE INDEX CONCURRENTLY a ON orders (qty); -- expect: concurrently-in-transaction
    IF to_regclass('late') IS NULL THEN
        EXECUTE 'CREATE INDEX CONCURRENTLY late ON orders (qty)'; -- expect: concurrently-in-transaction
    END IF;
    COMMIT;
END $$;
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$ BEGIN VACUUM orders; END $$;
SELECT tidy(); -- expect: concurrently-in-transaction

-- next migration
-- COMMIT in a DO block or a procedure with a transaction open around it
CREATE PROCEDURE in_batches() LANGUAGE plpgsql AS $$ BEGIN LOOP COMMIT; END LOOP; END $$;
CALL in_batches();
BEGIN;
DO $$
BEGIN
    LOOP
        DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE qty = 0 LIMIT 1000);
        EXIT WHEN NOT FOUND;
        COMMIT; -- expect: concurrently-in-transaction
    END LOOP;
END $$;
CALL in_batches(); -- expect: concurrently-in-transaction
COMMIT;
