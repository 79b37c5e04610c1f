CREATE TABLE orders (id bigint PRIMARY KEY, a integer);
CREATE INDEX orders_old_idx ON orders (a);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- next migration
-- no lock_timeout is advised for these
CREATE INDEX CONCURRENTLY orders_a_idx ON orders (a);
DROP INDEX CONCURRENTLY orders_a_idx;
ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;

-- next migration
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_a_idx ON orders (a); -- expect: lock-timeout-on-concurrent
REINDEX INDEX CONCURRENTLY orders_a_idx; -- expect: lock-timeout-on-concurrent
DROP INDEX CONCURRENTLY orders_a_idx; -- expect: lock-timeout-on-concurrent
DROP INDEX CONCURRENTLY shop.unknown_idx; -- expect: lock-timeout-on-concurrent
ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY; -- expect: lock-timeout-on-concurrent
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY orders_old_idx;

-- next migration
SET statement_timeout = '5s';
SET transaction_timeout = '20s';
CREATE INDEX CONCURRENTLY orders_b_idx ON orders (a); -- expect: statement-timeout-on-concurrent
SET transaction_timeout = 0;
DROP INDEX CONCURRENTLY orders_b_idx; -- expect: statement-timeout-on-concurrent
SET statement_timeout = '2h';
CREATE INDEX CONCURRENTLY orders_c_idx ON orders (a);
SET transaction_timeout = '20s';
REINDEX INDEX CONCURRENTLY orders_c_idx; -- expect: statement-timeout-on-concurrent
CREATE TABLE news (id bigint PRIMARY KEY);
CREATE INDEX CONCURRENTLY news_id_idx ON news (id);
