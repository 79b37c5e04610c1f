CREATE TABLE orders (id bigint PRIMARY KEY, qty int, note text);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders);
CREATE VIEW order_notes AS SELECT id, note FROM orders;
CREATE TYPE mood AS ENUM ('good', 'bad');

-- next migration
ALTER TABLE orders ADD COLUMN qty bigint; -- expect: statement-fails
ALTER TABLE orders ADD COLUMN IF NOT EXISTS qty bigint;
ALTER TABLE orders
    ADD COLUMN weight int,
    DROP COLUMN colour; -- expect: statement-fails

-- next migration
ALTER TABLE orders ALTER COLUMN note TYPE varchar; -- expect: statement-fails

-- next migration
ALTER TABLE orders DROP COLUMN note; -- expect: statement-fails

-- next migration
DROP TABLE orders; -- expect: statement-fails

-- next migration
TRUNCATE items;
TRUNCATE orders; -- expect: statement-fails

-- next migration
DROP INDEX items_pkey; -- expect: statement-fails
ALTER TYPE mood ADD VALUE 'good'; -- expect: statement-fails
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'good';
SAVEPOINT one; -- expect: statement-fails

-- next migration
-- what a branch or an exception handler decides is not certain
DO $$
BEGIN
    IF (SELECT count(*) FROM orders) = 0 THEN
        ALTER TABLE orders DROP COLUMN colour;
    END IF;
    BEGIN
        ALTER TABLE orders ADD COLUMN qty int;
    EXCEPTION WHEN duplicate_column THEN NULL;
    END;
END $$;

-- next migration
CREATE TABLE parcels (id bigint PRIMARY KEY, note text);
CREATE VIEW parcel_notes AS SELECT id, note FROM parcels;
DROP VIEW parcel_notes;
ALTER TABLE parcels DROP COLUMN note;
DROP TABLE elsewhere;
