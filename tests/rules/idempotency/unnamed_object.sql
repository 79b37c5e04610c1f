CREATE INDEX CONCURRENTLY ON orders (a); -- expect: unnamed-object

-- next migration
-- a single statement is atomic
CREATE INDEX ON orders (a);

-- next migration
CREATE INDEX ON orders (b); -- expect: not-rerunnable -- expect: unnamed-object
ALTER TABLE orders ADD CHECK (b > 0); -- expect: not-rerunnable -- expect: unnamed-object
ALTER TABLE orders ADD COLUMN IF NOT EXISTS c bigint UNIQUE REFERENCES others;
ALTER TABLE orders ADD CONSTRAINT named CHECK (b > 1); -- expect: not-rerunnable
ALTER TABLE orders ADD PRIMARY KEY (b); -- expect: not-rerunnable
CREATE TEMPORARY TABLE scratch (id bigint);
CREATE INDEX ON scratch (id);
CREATE TABLE IF NOT EXISTS items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders, CHECK (id > 0));

-- next migration
BEGIN;
CREATE INDEX ON orders (d);
ALTER TABLE orders ADD FOREIGN KEY (d) REFERENCES others;
COMMIT;
