BEGIN;
ALTER TABLE orders ADD CONSTRAINT a CHECK (x > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT a; -- expect: validate-holds-lock
COMMIT;
ALTER TABLE orders ADD CONSTRAINT b CHECK (x > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT b;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN c text;
UPDATE orders SET c = 'x' WHERE y = 1; -- expect: long-work-under-lock
COMMIT;
UPDATE orders SET c = 'x' WHERE y = 2;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN d text;
-- its message names the lock that is already held
CREATE INDEX orders_d_idx ON orders (d); -- expect: index-not-concurrent
-- migsafe: ignore[index-not-concurrent] short
CREATE INDEX orders_d2_idx ON orders (d); -- expect: long-work-under-lock
UPDATE orders SET d = 'x' WHERE id = 1;
DELETE FROM orders WHERE id IN (1, 2);
COMMIT;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN e text;
ALTER TABLE customers ADD COLUMN e text; -- expect: many-tables-locked
ALTER TABLE items ADD COLUMN e text;
COMMIT;
ALTER TABLE shipments ADD COLUMN e text;

-- next migration
BEGIN;
SAVEPOINT s;
ALTER TABLE orders ADD COLUMN f text;
ROLLBACK TO s;
ALTER TABLE customers ADD COLUMN f text;
COMMIT;

-- next migration
BEGIN;
CREATE TABLE news (id bigint PRIMARY KEY, author bigint);
ALTER TABLE news ADD COLUMN title text;
ALTER TABLE news ADD CONSTRAINT news_author_fkey FOREIGN KEY (author) REFERENCES customers (id);
COMMIT;

-- next migration
BEGIN;
-- a foreign key locks two tables at once
ALTER TABLE orders ADD CONSTRAINT g FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
COMMIT;

-- next migration
DO $$
BEGIN
    ALTER TABLE orders ADD COLUMN h text;
    UPDATE orders SET h = 'x' WHERE y = 1; -- expect: long-work-under-lock
    ALTER TABLE customers ADD COLUMN h text; -- expect: many-tables-locked
END $$;

-- next migration
BEGIN;
-- other sessions see a table only when the transaction that created it has ended
CREATE TABLE texts (id bigint PRIMARY KEY, order_id bigint);
WITH moved AS (INSERT INTO texts (id, order_id) SELECT id, id FROM orders RETURNING id) SELECT count(*) FROM moved;
CREATE INDEX texts_order_idx ON texts (order_id);
ALTER TABLE texts ALTER COLUMN order_id SET NOT NULL;
ALTER TABLE texts DROP COLUMN order_id;
ALTER TABLE customers ADD COLUMN i text;
UPDATE texts SET id = id + 1; -- expect: long-work-under-lock
COMMIT;
CREATE INDEX texts_id_idx ON texts (id); -- expect: index-not-concurrent

-- next migration
CREATE TABLE days (id bigint, day date NOT NULL, note text) PARTITION BY RANGE (day);
CREATE FUNCTION create_day(d date) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;

-- next migration
BEGIN;
-- a catalogue change takes a moment, also for partitions that programs create
ALTER TABLE customers ADD COLUMN j text;
ALTER TABLE days ADD COLUMN done boolean NOT NULL DEFAULT false, ADD COLUMN ids uuid[];
ALTER TABLE days ALTER COLUMN note SET NOT NULL; -- expect: long-work-under-lock
COMMIT;
