CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE INDEX ON orders (id);
UPDATE counters SET n = n + 1;
SELECT 1;

-- next migration
-- a COMMIT splits it
ALTER TABLE orders ADD COLUMN a text; -- expect: not-rerunnable
COMMIT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_a ON orders (a); -- expect: invalid-index-kept
BEGIN;
