CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, code text);
CREATE INDEX orders_total_idx ON orders (total);
CREATE UNLOGGED TABLE imports (line text);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id_idx ON events (id);
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) AS total FROM orders;

-- next migration
VACUUM;
VACUUM orders;
VACUUM (FULL false) orders;
VACUUM FULL orders; -- expect: maintenance-rewrites
VACUUM (FULL, ANALYZE) orders, imports; -- expect: maintenance-rewrites
VACUUM FULL events; -- expect: maintenance-rewrites
VACUUM FULL totals; -- expect: maintenance-rewrites
VACUUM FULL app.unknown; -- expect: maintenance-rewrites
VACUUM FULL; -- expect: maintenance-rewrites

-- next migration
CLUSTER orders USING orders_pkey; -- expect: maintenance-rewrites
CLUSTER app.unknown USING unknown_idx; -- expect: maintenance-rewrites
CLUSTER; -- expect: maintenance-rewrites
ALTER TABLE orders CLUSTER ON orders_pkey;
CREATE TEMP TABLE scratch (id int);
CREATE INDEX scratch_idx ON scratch (id);
CLUSTER scratch USING scratch_idx;

-- next migration
ALTER TABLE orders SET UNLOGGED; -- expect: maintenance-rewrites
ALTER TABLE orders SET UNLOGGED;
ALTER TABLE orders SET LOGGED, SET (fillfactor = 70); -- expect: maintenance-rewrites
ALTER TABLE IF EXISTS app.unknown SET LOGGED; -- expect: maintenance-rewrites
-- a sequence is a row
ALTER SEQUENCE numbers SET UNLOGGED;
ALTER TABLE orders SET ACCESS METHOD heap;
ALTER TABLE orders SET ACCESS METHOD columnar; -- expect: maintenance-rewrites
ALTER MATERIALIZED VIEW totals SET ACCESS METHOD columnar; -- expect: maintenance-rewrites

-- next migration
ALTER TABLE orders SET TABLESPACE fast; -- expect: maintenance-rewrites
ALTER INDEX orders_total_idx SET TABLESPACE fast; -- expect: maintenance-rewrites
ALTER INDEX app.unknown_idx SET TABLESPACE fast; -- expect: maintenance-rewrites
-- a partitioned table has no rows of its own, and its index none either
ALTER TABLE events SET TABLESPACE fast;
ALTER INDEX events_id_idx SET TABLESPACE fast;
ALTER TABLE ALL IN TABLESPACE slow SET TABLESPACE fast; -- expect: maintenance-rewrites
ALTER INDEX ALL IN TABLESPACE slow SET TABLESPACE fast; -- expect: maintenance-rewrites

-- next migration
CREATE TABLE news (id bigint PRIMARY KEY);
ALTER TABLE news SET UNLOGGED;
ALTER TABLE news SET TABLESPACE fast;
ALTER INDEX news_pkey SET TABLESPACE fast;
CLUSTER news USING news_pkey;
INSERT INTO news SELECT generate_series(1, 1000000);
CLUSTER news USING news_pkey; -- expect: maintenance-rewrites

-- next migration
DROP TABLE imports;
ALTER TABLE IF EXISTS imports SET LOGGED;
DO $$
BEGIN
    CLUSTER orders USING orders_pkey; -- expect: maintenance-rewrites
    IF EXISTS (SELECT FROM pg_class WHERE relname = 'orders') THEN
        EXECUTE 'ALTER TABLE orders SET UNLOGGED'; -- expect: maintenance-rewrites
    END IF;
END $$;
