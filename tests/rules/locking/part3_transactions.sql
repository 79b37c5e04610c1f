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
-- the fix for that fixes this too
CREATE INDEX orders_d_idx ON orders (d); -- expect: index-not-concurrent
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
