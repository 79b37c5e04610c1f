CREATE TYPE status AS ENUM ('new', 'paid');
CREATE TABLE orders (id bigint PRIMARY KEY, status status NOT NULL DEFAULT 'new', note text);

-- next migration
-- each statement is its own transaction
ALTER TYPE status ADD VALUE 'sent';
UPDATE orders SET status = 'sent' WHERE note = 'a';

-- next migration
BEGIN;
ALTER TYPE status ADD VALUE 'lost';
ALTER TYPE status ADD VALUE IF NOT EXISTS 'paid';
UPDATE orders SET status = 'paid' WHERE status = 'new';
UPDATE orders SET note = 'lost' WHERE note = 'LOST';
UPDATE orders SET status = 'lost' WHERE note = 'lost'; -- expect: enum-value-used-in-transaction
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'lost'; -- expect: enum-value-used-in-transaction
ALTER TABLE orders
    ADD COLUMN before status,
    ADD COLUMN after status DEFAULT 'lost'; -- expect: enum-value-used-in-transaction
COMMIT;
UPDATE orders SET status = 'lost' WHERE note = 'lost';

-- next migration
-- a table that no migration created
BEGIN;
ALTER TYPE status ADD VALUE 'found';
INSERT INTO shipments (status) VALUES ('found'); -- expect: enum-value-used-in-transaction
INSERT INTO shipments VALUES (1, 'x');
COMMIT;

-- next migration
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'held') THEN
        ALTER TYPE status ADD VALUE 'held';
    END IF;
    UPDATE orders SET status = 'held' WHERE note = 'held'; -- expect: enum-value-used-in-transaction
END $$;

-- next migration
-- the values of a type that the transaction creates
BEGIN;
CREATE TYPE mood AS ENUM ('sad');
ALTER TYPE mood ADD VALUE 'happy';
ALTER TABLE orders ADD COLUMN mood mood NOT NULL DEFAULT 'happy';
COMMIT;
