CREATE TABLE orders (id bigint PRIMARY KEY);
UPDATE counters SET n = n + 1;

-- next migration
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_id ON orders (id); -- expect: invalid-index-kept

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN a text; -- expect: not-rerunnable
COMMIT;
ALTER TABLE orders ADD COLUMN b text;
