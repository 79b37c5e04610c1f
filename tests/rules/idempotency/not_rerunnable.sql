-- the last statement is not reported, unless it builds a unique index concurrently
ALTER TABLE orders ADD COLUMN a text;

-- next migration
ALTER TABLE orders ADD COLUMN b text; -- expect: not-rerunnable
ALTER TABLE orders ADD COLUMN c text;

-- next migration
-- commands that control the session cannot fail
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN d text;
RESET lock_timeout;

-- next migration
-- one transaction is atomic
BEGIN;
ALTER TABLE orders ADD COLUMN e text;
UPDATE orders SET qty = qty + 1;
COMMIT;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN f text; -- expect: not-rerunnable
ALTER TABLE orders ADD COLUMN g text; -- expect: not-rerunnable
COMMIT;
BEGIN;
ALTER TABLE orders ADD COLUMN h text;
COMMIT;

-- next migration
-- guards: IF NOT EXISTS, a condition on the catalogue, an exception handler, a DROP before
ALTER TABLE orders ADD COLUMN IF NOT EXISTS i text;
ALTER TABLE orders DROP COLUMN IF EXISTS a;
CREATE TABLE IF NOT EXISTS items (id bigint PRIMARY KEY, qty integer, order_id bigint);
CREATE OR REPLACE VIEW open_items AS SELECT * FROM items;
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'mood') THEN CREATE TYPE mood AS ENUM ('sad'); END IF; END $$;
DO $$ BEGIN CREATE TYPE state AS ENUM ('new'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';
DROP INDEX CONCURRENTLY IF EXISTS items_qty;
CREATE INDEX CONCURRENTLY items_qty ON items (qty);
ALTER TABLE items DROP CONSTRAINT IF EXISTS positive, ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID;
ALTER TABLE items VALIDATE CONSTRAINT positive;
DROP TRIGGER IF EXISTS touch ON items;
CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch();
DROP FUNCTION IF EXISTS total(bigint);
CREATE FUNCTION total(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a';
DROP TABLE IF EXISTS passing;
CREATE TABLE passing (id bigint);
CREATE INDEX passing_id ON passing (id);
INSERT INTO passing VALUES (1);
ALTER TABLE passing RENAME COLUMN id TO number;
DROP TABLE passing;
ALTER TABLE items ALTER COLUMN qty SET NOT NULL;
ALTER TABLE items ALTER COLUMN qty TYPE bigint;
CREATE TEMPORARY TABLE scratch (id bigint);
INSERT INTO scratch VALUES (1);
GRANT SELECT ON items TO PUBLIC;
SELECT 1;

-- next migration
-- a handler that catches another error
DO $$
BEGIN
    ALTER TABLE items ADD CONSTRAINT items_key UNIQUE (order_id, qty); -- expect: not-rerunnable
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
DO $$
BEGIN
    IF to_regclass('public.gone') IS NULL THEN
        RETURN;
    END IF;
    DROP TABLE gone;
END $$;
SELECT 1;

-- next migration
-- objects that a later statement drops: if that statement cannot run again either, it is the cause
ALTER TABLE items ADD COLUMN IF NOT EXISTS amount bigint;
UPDATE items SET amount = qty; -- expect: not-rerunnable
ALTER TABLE items ALTER COLUMN qty DROP NOT NULL; -- expect: not-rerunnable
ALTER TABLE items DROP COLUMN IF EXISTS qty;
UPDATE items SET amount = order_id;
ALTER TABLE items DROP COLUMN order_id; -- expect: not-rerunnable
SELECT 1;

-- next migration
UPDATE items SET amount = 0;
ALTER TABLE items RENAME TO lines; -- expect: not-rerunnable
CREATE TABLE moods (id bigint PRIMARY KEY, mood mood); -- expect: not-rerunnable
SELECT 1;

-- next migration
-- rows
CREATE TABLE IF NOT EXISTS counters (name text PRIMARY KEY, n integer NOT NULL DEFAULT 0);
INSERT INTO counters VALUES ('a', 1); -- expect: not-rerunnable
INSERT INTO counters VALUES ('a', 1) ON CONFLICT DO NOTHING;
INSERT INTO counters VALUES ('a', 1) ON CONFLICT (name) DO UPDATE SET n = EXCLUDED.n;
INSERT INTO counters VALUES ('a', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1; -- expect: not-rerunnable
INSERT INTO moods (mood) SELECT 'sad' WHERE NOT EXISTS (SELECT FROM moods WHERE mood = 'sad');
UPDATE counters SET n = 0;
UPDATE counters SET n = n + 1; -- expect: not-rerunnable
UPDATE counters SET n = n + 1 WHERE n = 0;
UPDATE moods SET mood = 'ok' WHERE mood = 'sad';
DELETE FROM counters WHERE n = 7;
TRUNCATE moods;
INSERT INTO moods VALUES (1, 'ok');
SELECT 1;

-- next migration
-- a block that commits in between, and a function that is called
CREATE OR REPLACE FUNCTION grow() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE counters ADD COLUMN more text; END $$;
SELECT grow(); -- expect: not-rerunnable
DO $$ BEGIN LOOP UPDATE counters SET more = 'x' WHERE more IS NULL; EXIT WHEN NOT FOUND; COMMIT; END LOOP; END $$;
SELECT 1;

-- next migration
CREATE UNIQUE INDEX CONCURRENTLY last_key ON items (order_id); -- expect: not-rerunnable

-- next migration
DROP INDEX CONCURRENTLY IF EXISTS again_key;
CREATE UNIQUE INDEX CONCURRENTLY again_key ON items (order_id);

-- next migration
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS guarded_key ON items (order_id); -- expect: invalid-index-kept

-- next migration
CREATE INDEX CONCURRENTLY last_idx ON items (order_id);

-- next migration
-- names in double quotes keep their case
CREATE TABLE IF NOT EXISTS "Vans" (id bigint PRIMARY KEY, "Fee" numeric, fee numeric, "Data" jsonb);

-- next migration
UPDATE "Vans" SET "Fee" = "Fee" * 2 WHERE id = 1; -- expect: not-rerunnable
UPDATE "Vans" AS "V" SET "Fee" = "V"."Fee" + 2 WHERE id = 1; -- expect: not-rerunnable
UPDATE "Vans" SET "Fee" = fee * 2 WHERE id = 1;
UPDATE "Vans" SET "Data" = "Data" || '{"a": 1}' WHERE id = 1;
SELECT 1;

-- next migration
-- IF EXISTS after ALTER TABLE is about the table
CREATE TABLE IF NOT EXISTS barrels (id bigint PRIMARY KEY, note text, litres integer);

-- next migration
ALTER TABLE IF EXISTS barrels ADD CONSTRAINT barrels_litres_check CHECK (litres > 0) NOT VALID; -- expect: not-rerunnable
ALTER TABLE IF EXISTS barrels ADD COLUMN IF NOT EXISTS wood text;
ALTER TABLE IF EXISTS barrels RENAME COLUMN note TO remark; -- expect: not-rerunnable
ALTER TABLE IF EXISTS barrels DROP COLUMN IF EXISTS remark;
SELECT 1;

-- next migration
BEGIN;
ALTER TABLE IF EXISTS barrels ADD COLUMN age integer;
ALTER TABLE IF EXISTS barrels RENAME TO casks;
COMMIT;
SELECT 1;
