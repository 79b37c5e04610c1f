CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) AS total FROM orders;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- next migration
UPDATE orders SET total = 0; -- expect: backfill-unbatched

-- next migration
REFRESH MATERIALIZED VIEW totals; -- expect: refresh-not-concurrent

-- next migration
LOCK TABLE orders; -- expect: explicit-lock
LOCK TABLE orders;

-- next migration
ALTER TABLE orders DISABLE TRIGGER USER; -- expect: disable-triggers

-- next migration
ALTER TABLE events DETACH PARTITION events_2025; -- expect: detach-not-concurrent

-- next migration
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); -- expect: partition-of-locks-parent

-- next migration
CLUSTER orders USING orders_pkey; -- expect: maintenance-rewrites
