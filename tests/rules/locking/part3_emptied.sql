-- TRUNCATE leaves no rows to read until its transaction ends, unless a later statement inserts some.
BEGIN;
TRUNCATE orders;
ALTER TABLE orders ADD CONSTRAINT a CHECK (x > 0);
ALTER TABLE orders ALTER COLUMN x TYPE bigint;
CREATE INDEX orders_x_idx ON orders (x);
INSERT INTO orders VALUES (1);
ALTER TABLE orders ADD CONSTRAINT b CHECK (x > 0); -- expect: check-validates
COMMIT;

-- next migration
TRUNCATE orders;
ALTER TABLE orders ADD CONSTRAINT c CHECK (x > 0); -- expect: check-validates

-- next migration
BEGIN;
TRUNCATE orders;
ALTER TABLE orders ADD CONSTRAINT d FOREIGN KEY (x) REFERENCES customers; -- expect: many-tables-locked
COMMIT;
