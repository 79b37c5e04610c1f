CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_a ON orders (a); -- expect: invalid-index-kept
DROP INDEX CONCURRENTLY IF EXISTS orders_b;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_b ON orders (b);
DROP INDEX IF EXISTS public.orders_c;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_c ON orders (c);
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_d ON orders (d);
REINDEX INDEX CONCURRENTLY orders_d;
CREATE INDEX IF NOT EXISTS orders_e ON orders (e);
CREATE TABLE fresh (id bigint); -- expect: not-rerunnable
CREATE INDEX CONCURRENTLY IF NOT EXISTS fresh_id ON fresh (id);
CREATE TEMPORARY TABLE scratch (id bigint);
CREATE INDEX CONCURRENTLY IF NOT EXISTS scratch_id ON scratch (id);

-- next migration
-- the history created it already, so nothing is built
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_a ON orders (a);

-- next migration
-- a block that drops an INVALID index
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('orders_f') AND NOT indisvalid) THEN
        DROP INDEX orders_f;
    END IF;
END $$;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_f ON orders (f);
