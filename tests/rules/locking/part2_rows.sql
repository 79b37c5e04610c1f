CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, code text NOT NULL, note text);
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
CREATE VIEW open_orders AS SELECT id, total FROM orders;
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, seen boolean) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- next migration
UPDATE orders SET total = 0; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE true; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE 1 = 1 AND NOT false; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE id IS NOT NULL; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE code = code; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE note IS NULL OR id IS NOT NULL; -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE note = note;
UPDATE orders SET total = 0 WHERE note IS NOT NULL;
UPDATE orders SET total = 0 WHERE id > 0;
UPDATE orders SET total = 0 WHERE false;
UPDATE orders AS o SET total = 0 FROM customers AS c WHERE c.id = o.id; -- expect: backfill-unbatched
UPDATE orders AS o SET total = 0 FROM customers AS c WHERE c.id = o.id AND c.name = 'x';
UPDATE orders AS o SET total = 0 FROM customers AS c WHERE c.id = o.id AND o.note = 'x';
UPDATE orders AS o SET note = c.name FROM customers AS c WHERE c.id = o.id AND o.note IS NULL; -- expect: backfill-unbatched
UPDATE orders SET total = 0 FROM (VALUES (1), (2)) AS v (id) WHERE v.id = orders.id;
UPDATE orders SET total = 0 FROM (SELECT id FROM customers WHERE name = 'x') AS c WHERE c.id = orders.id;
WITH c AS (SELECT id FROM customers) UPDATE orders SET total = 0 FROM c WHERE c.id = orders.id; -- expect: backfill-unbatched
WITH c AS (SELECT id FROM customers LIMIT 10) UPDATE orders SET total = 0 FROM c WHERE c.id = orders.id;
UPDATE orders SET total = 0 WHERE id IN (SELECT id FROM customers); -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE id IN (SELECT id FROM customers WHERE name = 'x');
UPDATE orders SET total = 0 WHERE id IN (SELECT max(id) FROM customers);
UPDATE orders SET total = 0 WHERE EXISTS (SELECT FROM customers WHERE customers.id = orders.id); -- expect: backfill-unbatched
UPDATE orders SET total = 0 WHERE NOT EXISTS (SELECT FROM customers WHERE customers.id = orders.id); -- expect: backfill-unbatched
DELETE FROM orders WHERE id NOT IN (SELECT id FROM customers); -- expect: backfill-unbatched
DELETE FROM orders WHERE id NOT IN (SELECT id FROM customers WHERE id > 100); -- expect: backfill-unbatched
DELETE FROM orders WHERE id NOT IN (SELECT min(id) FROM orders GROUP BY total);
DELETE FROM orders WHERE NOT EXISTS (SELECT FROM customers WHERE customers.id = orders.id) AND total < 10;
UPDATE orders SET total = 0 WHERE note IS NULL;
UPDATE orders SET note = code WHERE note IS DISTINCT FROM code; -- expect: backfill-unbatched
UPDATE orders SET note = 'x' WHERE note IS NULL AND id BETWEEN 1 AND 1000;
UPDATE orders SET total = 0 WHERE id = 5;
UPDATE orders SET total = 0 WHERE id IN (5, 6);
UPDATE orders AS o SET total = 0 FROM customers AS c; -- expect: backfill-unbatched
UPDATE ONLY orders SET note = (SELECT name FROM customers WHERE customers.id = orders.id); -- expect: backfill-unbatched
UPDATE events SET seen = true; -- expect: backfill-unbatched
UPDATE open_orders SET total = 0; -- expect: backfill-unbatched
UPDATE app.unknown SET total = 0; -- expect: backfill-unbatched
UPDATE app.unknown SET total = 0 WHERE id IS NOT NULL;
WITH gone AS (SELECT 1) UPDATE orders SET total = 0 RETURNING id; -- expect: backfill-unbatched
MERGE INTO orders USING customers ON customers.id = orders.id WHEN MATCHED THEN UPDATE SET total = 0; -- expect: backfill-unbatched
MERGE INTO orders USING customers ON customers.id = orders.id WHEN MATCHED AND orders.note = 'x' THEN UPDATE SET total = 0;
MERGE INTO orders USING (VALUES (1)) AS v (id) ON v.id = orders.id WHEN MATCHED THEN DELETE;
MERGE INTO orders USING customers ON customers.id = orders.id WHEN NOT MATCHED THEN INSERT (id, code) VALUES (customers.id, 'x');

-- next migration
UPDATE orders SET total = 0 WHERE total IS NULL; -- expect: backfill-unbatched
UPDATE app.unknown SET total = 0 WHERE total IS NULL; -- expect: backfill-unbatched
-- nothing is left to be filled
UPDATE orders SET total = 0 WHERE total IS NULL;

-- next migration
-- delete-everything speaks for the rule where it runs
DELETE FROM orders; -- expect: backfill-unbatched
DELETE FROM orders WHERE true; -- expect: backfill-unbatched
DELETE FROM orders USING customers WHERE customers.id = orders.id; -- expect: backfill-unbatched
DELETE FROM orders USING customers WHERE customers.id = orders.id AND customers.name = 'x';
DELETE FROM orders WHERE total IS NULL;
DELETE FROM orders USING customers; -- expect: backfill-unbatched
TRUNCATE orders;

-- next migration
ALTER TABLE orders ADD COLUMN region text;
UPDATE orders SET region = 'eu' WHERE region IS NULL; -- expect: backfill-unbatched
UPDATE orders SET region = 'us' WHERE region IS NULL;
ALTER TABLE orders ADD COLUMN size integer DEFAULT 1, ADD COLUMN IF NOT EXISTS weight integer;
UPDATE orders SET size = 2 WHERE size IS NULL;
UPDATE orders SET weight = 2 WHERE weight IS NULL; -- expect: backfill-unbatched
DO $$
BEGIN
    IF current_setting('shop.old') = 'yes' THEN
        ALTER TABLE orders ADD COLUMN height integer;
    END IF;
END $$;
UPDATE orders SET height = 2 WHERE height IS NULL; -- expect: backfill-unbatched

-- next migration
CREATE TABLE news (id bigint PRIMARY KEY, title text);
INSERT INTO news (id) VALUES (1), (2);
UPDATE news SET title = 'none';
CREATE TEMP TABLE scratch AS SELECT id FROM orders;
UPDATE scratch SET id = id + 1;
CREATE TABLE copies AS SELECT id FROM orders;
-- it has rows, but no other session knows them
UPDATE copies SET id = id + 1;
CREATE TABLE IF NOT EXISTS maybe (id bigint);
UPDATE maybe SET id = 1; -- expect: backfill-unbatched

-- next migration
DO $$
BEGIN
    UPDATE orders SET total = 1; -- expect: backfill-unbatched
    LOOP
        UPDATE orders SET total = 2 WHERE ctid = ANY (ARRAY(SELECT ctid FROM orders WHERE total <> 2 LIMIT 100));
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END $$;
CREATE FUNCTION reset() RETURNS void LANGUAGE sql AS 'UPDATE orders SET total = 0';
SELECT reset(); -- expect: backfill-unbatched
EXPLAIN UPDATE orders SET total = 0;
PREPARE all_of_them AS UPDATE orders SET total = 0;

-- next migration
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT id, note FROM orders ORDER BY id LOOP
        UPDATE orders SET note = upper(r.note) WHERE id = r.id; -- expect: backfill-unbatched
        IF r.note IS NULL THEN
            DELETE FROM orders WHERE id = r.id; -- expect: backfill-unbatched
        END IF;
    END LOOP;
    FOR r IN SELECT id FROM orders WHERE code = 'x' LOOP
        UPDATE orders SET note = 'y' WHERE id = r.id;
    END LOOP;
    FOR r IN SELECT id FROM orders LIMIT 10 LOOP
        UPDATE orders SET note = 'y' WHERE id = r.id;
    END LOOP;
    FOR r IN SELECT id FROM orders LOOP
        RAISE NOTICE '%', r.id;
    END LOOP;
    UPDATE orders SET note = 'y' WHERE id = 1;
END $$;
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT id FROM orders LOOP
        UPDATE orders SET note = 'y' WHERE id = r.id;
        COMMIT;
    END LOOP;
END $$;

-- next migration
-- the rows of a batch, which another query of the WITH finds
DO $$
DECLARE last bigint := 0;
BEGIN
    LOOP
        WITH batch (order_id) AS (SELECT id FROM orders WHERE id > last ORDER BY id LIMIT 1000),
            changed AS (UPDATE orders SET note = 'y' FROM batch WHERE orders.id = batch.order_id)
        SELECT max(order_id) INTO last FROM batch;
        EXIT WHEN last IS NULL;
    END LOOP;
END $$;
WITH changed AS (UPDATE orders SET note = 'y' FROM customers WHERE orders.customer_id = customers.id RETURNING 1) -- expect: backfill-unbatched
SELECT count(*) FROM changed;

-- next migration
-- names in double quotes keep their case
CREATE TABLE "Vans" (id bigint PRIMARY KEY, "Note" text, note text, "depotId" bigint);
CREATE TABLE "Depots" (id bigint PRIMARY KEY, "Title" text);

-- next migration
UPDATE "Vans" SET "Note" = '' WHERE "Note" IS NULL; -- expect: backfill-unbatched

-- next migration
UPDATE "Vans" AS "V" SET "Note" = d."Title" FROM "Depots" d WHERE d.id = "V"."depotId" AND "V"."Note" IS NULL; -- expect: backfill-unbatched

-- next migration
UPDATE "Vans" SET "Note" = 'x' WHERE "Note" IS DISTINCT FROM 'x'; -- expect: backfill-unbatched

-- next migration
UPDATE "Vans" SET "Note" = '' WHERE note IS NULL;
