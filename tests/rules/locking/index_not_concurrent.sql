CREATE INDEX ON orders (qty); -- expect: index-not-concurrent
CREATE UNIQUE INDEX IF NOT EXISTS i ON app.orders USING btree (qty); -- expect: index-not-concurrent
CREATE INDEX CONCURRENTLY i ON orders (qty);

-- a partitioned table's own index builds nothing
CREATE INDEX ON ONLY events (at);

-- materialized views are locked like tables
CREATE INDEX ON daily_sales (day); -- expect: index-not-concurrent

-- a DO block runs its statements
DO $$
BEGIN
    CREATE INDEX ON orders (qty); -- expect: index-not-concurrent
    IF to_regclass('late') IS NULL THEN
        EXECUTE 'CREATE INDEX late ON orders (qty)'; -- expect: index-not-concurrent
    END IF;
END $$;

-- creating a function runs nothing
CREATE FUNCTION reindex_orders() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE INDEX ON orders (qty);
END $$;

-- next migration
CREATE TABLE orders (id bigint PRIMARY KEY, qty integer);
INSERT INTO orders VALUES (1, 1);
CREATE INDEX ON orders (qty);
CREATE INDEX ON public.orders (id, qty);
CREATE INDEX ON app.orders (qty); -- expect: index-not-concurrent

-- next migration
CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, qty integer);
CREATE INDEX ON orders (qty); -- expect: index-not-concurrent

-- next migration
CREATE MATERIALIZED VIEW daily_sales AS SELECT 1 AS day;
CREATE UNIQUE INDEX ON daily_sales (day);

-- next migration
CREATE TABLE lots (id bigint PRIMARY KEY, qty integer);
CREATE INDEX lots_qty ON lots (qty);

-- next migration
DO $$
BEGIN
    IF to_regclass('lots_qty') IS NULL THEN
        CREATE INDEX lots_qty ON lots (qty);
    END IF;
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = 'lots_qty'::regclass AND NOT indisvalid) THEN
        DROP INDEX lots_qty; -- expect: drop-index-not-concurrent
        CREATE INDEX lots_qty ON lots (qty); -- expect: index-not-concurrent
    END IF;
END $$;
