CREATE TABLE item (id bigint PRIMARY KEY, note text);
CREATE TABLE parts (a int) PARTITION BY RANGE (a);

-- next migration
BEGIN;
REPACK (CONCURRENTLY) item; -- expect: concurrently-in-transaction
REPACK (ANALYZE) item;
REPACK parts; -- expect: concurrently-in-transaction
REPACK; -- expect: concurrently-in-transaction
REPACK item;
COMMIT;
REPACK (CONCURRENTLY) item;
