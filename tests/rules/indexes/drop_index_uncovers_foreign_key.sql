CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, a bigint REFERENCES customers, b bigint REFERENCES customers, c bigint REFERENCES customers, d bigint);
CREATE INDEX orders_a ON orders (a);
ALTER TABLE orders ADD CONSTRAINT orders_b UNIQUE (b);
CREATE INDEX orders_c_d ON orders (c, d);
CREATE INDEX orders_d ON orders (d);

-- next migration
DROP INDEX orders_a; -- expect: drop-index-uncovers-foreign-key
ALTER TABLE orders DROP CONSTRAINT orders_b; -- expect: drop-index-uncovers-foreign-key
DROP INDEX orders_d;
DROP INDEX IF EXISTS orders_unknown;
ALTER TABLE orders DROP COLUMN d; -- expect: drop-index-uncovers-foreign-key

-- next migration
CREATE INDEX orders_a ON orders (a);
CREATE INDEX orders_c ON orders (c);

-- next migration
-- another index exists at the end, or the foreign key was dropped
BEGIN;
DROP INDEX orders_a;
CREATE INDEX orders_a_b ON orders (a, b);
DROP INDEX orders_c;
ALTER TABLE orders DROP COLUMN c;
COMMIT;
