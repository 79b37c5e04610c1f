CREATE TABLE orders (id bigint PRIMARY KEY, a bigint, b bigint, CONSTRAINT one_a UNIQUE (a), UNIQUE (b), CHECK (a > 0));

-- next migration
-- the constraint is gone before rows are unique again
ALTER TABLE orders DROP CONSTRAINT one_a; -- expect: index-replaced-too-early
CREATE UNIQUE INDEX CONCURRENTLY one_a ON orders (a) WHERE b > 0;

-- next migration
-- another column, and a constraint without an index
ALTER TABLE orders DROP CONSTRAINT orders_b_key, DROP CONSTRAINT IF EXISTS orders_a_check;
CREATE UNIQUE INDEX CONCURRENTLY one_a_again ON orders (a);

-- next migration
-- other sessions do not see the gap
BEGIN;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
CREATE UNIQUE INDEX orders_id ON orders (id);
COMMIT;
