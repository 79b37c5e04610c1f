CREATE TABLE events (id bigint, at date) PARTITION BY LIST (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE INDEX events_at ON events (at);
CREATE TABLE orders (id bigint PRIMARY KEY, a bigint, b bigint, c bigint, d bigint, e bigint);
CREATE INDEX orders_a ON orders (a);
CREATE INDEX orders_b ON orders (b); -- expect: redundant-index
CREATE INDEX ON orders (b, c, d, e, a); -- expect: index-too-wide
CREATE UNIQUE INDEX ON orders (id, b, c, d, e);
CREATE INDEX ON orders USING brin (b, c, d, e, a);

-- next migration
CREATE INDEX CONCURRENTLY ON events (id); -- expect: index-on-partitioned-concurrently
CREATE INDEX CONCURRENTLY ON ONLY events (id); -- expect: index-on-partitioned-concurrently
CREATE INDEX ON ONLY events (id);
CREATE INDEX CONCURRENTLY ON events_1 (id);
DROP INDEX CONCURRENTLY events_at; -- expect: index-on-partitioned-concurrently

-- next migration
DROP INDEX CONCURRENTLY orders_a; -- expect: index-replaced-too-early
DROP INDEX CONCURRENTLY orders_b;
CREATE INDEX CONCURRENTLY orders_a ON orders (a) WHERE b > 0;

-- next migration
-- other sessions do not see the gap
BEGIN;
DROP INDEX orders_a;
CREATE INDEX orders_a ON orders (a, id);
COMMIT;

-- next migration
-- a retry finds an INVALID index that the history does not know
DROP INDEX CONCURRENTLY IF EXISTS orders_c;
CREATE INDEX CONCURRENTLY orders_c ON orders (c);
