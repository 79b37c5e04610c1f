CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE plain (id bigint);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE items (id bigint, order_id bigint REFERENCES orders);

-- next migration
BEGIN;
LOCK TABLE orders; -- expect: explicit-lock
-- it is locked already
LOCK TABLE orders IN SHARE MODE;
COMMIT;
-- next migration
BEGIN;
LOCK orders IN SHARE MODE NOWAIT; -- expect: explicit-lock
LOCK orders IN EXCLUSIVE MODE;
COMMIT;
-- next migration
BEGIN;
LOCK TABLE app.unknown IN SHARE ROW EXCLUSIVE MODE; -- expect: explicit-lock
COMMIT;
-- next migration
BEGIN;
LOCK TABLE open_orders IN EXCLUSIVE MODE; -- expect: explicit-lock
COMMIT;
BEGIN;
LOCK TABLE orders, customers IN ACCESS SHARE MODE;
LOCK TABLE orders IN ROW SHARE MODE;
LOCK TABLE orders IN ROW EXCLUSIVE MODE;
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
COMMIT;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
CREATE TABLE news (id bigint);
LOCK TABLE news;
CREATE TEMP TABLE scratch (id bigint);
LOCK TABLE scratch;
COMMIT;
-- next migration
DO $$
BEGIN
    LOCK TABLE orders IN EXCLUSIVE MODE; -- expect: explicit-lock
END $$;

-- next migration
ALTER TABLE orders DISABLE TRIGGER ALL; -- expect: disable-triggers
ALTER TABLE orders DISABLE TRIGGER USER; -- expect: disable-triggers
ALTER TABLE orders DISABLE TRIGGER orders_touch;
ALTER TABLE orders DISABLE RULE old_rule; -- expect: disable-triggers
ALTER TABLE orders ENABLE TRIGGER ALL, ENABLE RULE old_rule;
ALTER TABLE orders ENABLE REPLICA TRIGGER orders_touch;
ALTER TABLE app.unknown DISABLE TRIGGER USER; -- expect: disable-triggers
-- the table has no triggers
ALTER TABLE plain DISABLE TRIGGER ALL;
ALTER TABLE customers DISABLE TRIGGER USER;
-- a foreign key has triggers
ALTER TABLE items DISABLE TRIGGER USER;
ALTER TABLE items DISABLE TRIGGER ALL; -- expect: disable-triggers

-- next migration
CREATE TABLE news (id bigint REFERENCES orders);
INSERT INTO news SELECT id FROM orders;
ALTER TABLE news DISABLE TRIGGER ALL;
BEGIN;
LOCK TABLE news;
COMMIT;
CREATE TEMP TABLE scratch (id bigint);
ALTER TABLE scratch DISABLE TRIGGER ALL;
DO $$
BEGIN
    ALTER TABLE orders DISABLE TRIGGER ALL; -- expect: disable-triggers
END $$;
