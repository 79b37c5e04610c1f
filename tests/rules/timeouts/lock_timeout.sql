ALTER TABLE orders ADD COLUMN a text; -- expect: lock-timeout-missing
ALTER TABLE customers ADD COLUMN a text;
CREATE INDEX CONCURRENTLY i ON orders (a);

-- next migration
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN b text;

-- next migration
SELECT set_config('lock_timeout', '2s', false);
ALTER TABLE orders ADD COLUMN c text;

-- next migration
-- set only afterwards
ALTER TABLE orders ADD COLUMN d text; -- expect: lock-timeout-missing
SET lock_timeout = '2s';

-- next migration
SET lock_timeout = '2s';
RESET lock_timeout;
ALTER TABLE orders ADD COLUMN e text; -- expect: lock-timeout-missing

-- next migration
SET lock_timeout = 0;
DROP TABLE orders_old; -- expect: lock-timeout-missing

-- next migration
SET LOCAL lock_timeout = '2s'; -- expect: set-local-outside-transaction
ALTER TABLE orders ADD COLUMN f text; -- expect: lock-timeout-missing

-- next migration
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN g text;
COMMIT;
ALTER TABLE orders ADD COLUMN h text; -- expect: lock-timeout-missing

-- next migration
BEGIN;
SET lock_timeout = '2s';
ROLLBACK;
ALTER TABLE orders ADD COLUMN i text; -- expect: lock-timeout-missing

-- next migration
-- no other session uses what the migration created itself
CREATE TABLE news (id bigint PRIMARY KEY);
ALTER TABLE news ADD COLUMN a text;
CREATE INDEX news_a_idx ON news (a);
CREATE TEMP TABLE scratch (id int);
DROP TABLE scratch;
SELECT count(*) FROM orders;
INSERT INTO orders (a) VALUES ('x');
VACUUM orders;

-- next migration
SET lock_timeout = '10s';
ALTER TABLE orders ADD COLUMN j text;
SET lock_timeout = '11s';
ALTER TABLE orders ADD COLUMN k text; -- expect: lock-timeout-too-long
ALTER TABLE orders ADD COLUMN l text;

-- next migration
SET lock_timeout = '1s';
CREATE INDEX CONCURRENTLY orders_a_idx ON orders (a); -- expect: lock-timeout-on-concurrent
REINDEX INDEX CONCURRENTLY orders_a_idx; -- expect: lock-timeout-on-concurrent
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY orders_b_idx ON orders (b);
-- as good as none, and too long for everything else
SET lock_timeout = '1h';
CREATE INDEX CONCURRENTLY orders_c_idx ON orders (c);

-- next migration
CREATE TABLE days (at date) PARTITION BY RANGE (at);
CREATE TABLE day PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2025-01-02');

-- next migration
-- it also takes ACCESS EXCLUSIVE on the partition, when it has waited for older transactions
SET lock_timeout = '1h';
ALTER TABLE days DETACH PARTITION day CONCURRENTLY;

-- next migration
DO $$
BEGIN
    ALTER TABLE orders ADD COLUMN m text; -- expect: lock-timeout-missing
END $$;

-- next migration
DO $$
BEGIN
    SET LOCAL lock_timeout = '2s';
    ALTER TABLE orders ADD COLUMN n text;
END $$;

-- next migration
-- the table of an unknown index is locked too
DROP INDEX shop.old_idx; -- expect: lock-timeout-missing

-- next migration
REINDEX INDEX shop.other_idx; -- expect: lock-timeout-missing

-- next migration
CREATE TABLE fresh (id bigint, a integer);
CREATE INDEX fresh_a_idx ON fresh (a);
DROP INDEX fresh_a_idx;

-- next migration
CREATE TABLE stock (id bigint PRIMARY KEY, sku text);
CREATE MATERIALIZED VIEW skus AS SELECT id, sku FROM stock;
CREATE UNIQUE INDEX skus_id_key ON skus (id);

-- next migration
-- nothing that waits behind EXCLUSIVE on a materialized view reads its rows
REFRESH MATERIALIZED VIEW CONCURRENTLY skus;
CREATE INDEX skus_sku_idx ON skus (sku);

-- next migration
REFRESH MATERIALIZED VIEW skus; -- expect: lock-timeout-missing

-- next migration
-- a routine has a timeout of its own while it runs
CREATE FUNCTION add_column() RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
  ALTER TABLE orders ADD COLUMN j text;
END $$;
SELECT add_column();
ALTER TABLE orders ADD COLUMN k text; -- expect: lock-timeout-missing

-- next migration
CREATE PROCEDURE add_column_2() LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE orders ADD COLUMN l text;
END $$;
ALTER PROCEDURE add_column_2() SECURITY INVOKER SET lock_timeout TO '2s' SET search_path = public, pg_temp;
CALL add_column_2();

-- next migration
CREATE PROCEDURE add_column_3() LANGUAGE plpgsql SET lock_timeout TO '2s' AS $$
BEGIN
  ALTER TABLE orders ADD COLUMN m text;
END $$;
ALTER PROCEDURE add_column_3() RESET lock_timeout;
CALL add_column_3(); -- expect: lock-timeout-missing
