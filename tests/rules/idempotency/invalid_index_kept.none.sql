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

-- next migration
DO $$
DECLARE index record;
BEGIN
    FOR index IN
        SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
        WHERE i.indrelid = 'orders'::regclass AND c.relname IN ('orders_g', 'orders_h') AND NOT i.indisvalid
    LOOP
        EXECUTE format('DROP INDEX %I', index.relname);
    END LOOP;
END $$;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_g ON orders (g);
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_h ON orders (h);
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_i ON orders (i); -- expect: invalid-index-kept

-- next migration
DO $$
DECLARE invalid text;
BEGIN
    FOR invalid IN SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'public.orders'::regclass AND indisvalid = false LOOP
        EXECUTE 'DROP INDEX ' || invalid;
    END LOOP;
END $$;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_j ON orders (j);
CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_j ON customers (j); -- expect: invalid-index-kept

-- next migration
DO $$
DECLARE unused text;
BEGIN
    FOR unused IN SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'orders'::regclass LOOP
        EXECUTE 'DROP INDEX ' || unused;
    END LOOP;
END $$;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_k ON orders (k); -- expect: invalid-index-kept
