CREATE INDEX CONCURRENTLY a ON orders (qty); -- expect: concurrently-in-transaction
DO $$ BEGIN LOOP COMMIT; END LOOP; END $$; -- expect: concurrently-in-transaction

-- next migration
-- COMMIT ends the runner's transaction, and BEGIN opens another
ALTER TABLE orders ADD COLUMN qty integer;
COMMIT;
CREATE INDEX CONCURRENTLY a ON orders (qty);
BEGIN;
ALTER TABLE orders ADD COLUMN note text;

-- next migration
-- the same for a value that must be committed
ALTER TYPE order_status ADD VALUE 'returned';
COMMIT;
BEGIN;
UPDATE orders SET state = 'returned' WHERE note = 'came back';

-- next migration
COMMIT; -- expect: nested-transaction
VACUUM orders;

-- next migration
-- COMMIT and ROLLBACK without a reason
ALTER TABLE orders ADD COLUMN qty integer;
COMMIT; -- expect: nested-transaction
ALTER TABLE orders ADD COLUMN note text;

-- next migration
BEGIN; -- expect: nested-transaction
ALTER TABLE orders ADD COLUMN qty integer;
COMMIT;

-- next migration
-- the runner opened the transaction, so this BEGIN only warns
BEGIN; -- expect: nested-transaction
ALTER TABLE orders ADD COLUMN qty integer;

-- next migration
ALTER TABLE orders ADD COLUMN qty integer;
ROLLBACK; -- expect: nested-transaction
ALTER TABLE orders ADD COLUMN qty integer;

-- next migration
SAVEPOINT one;
ALTER TABLE orders ADD COLUMN qty integer;
ROLLBACK TO one;
RELEASE one;

-- next migration
-- BEGIN and END of a body do not control transactions
DO $$ BEGIN PERFORM 1; END $$;
CREATE FUNCTION one() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END;

-- next migration
-- divided into two transactions, of which the runner ends the second
ALTER TABLE orders ADD COLUMN IF NOT EXISTS divided bigint;
COMMIT;
BEGIN;
ALTER TABLE customers ADD COLUMN IF NOT EXISTS divided bigint;

-- next migration
-- between the two transactions a statement runs in none
ALTER TABLE orders ADD COLUMN IF NOT EXISTS loose bigint;
COMMIT; -- expect: nested-transaction
UPDATE orders SET loose = 0 WHERE id < 10;
BEGIN;
ALTER TABLE customers ADD COLUMN IF NOT EXISTS loose bigint;

-- next migration
DO $$
BEGIN
    UPDATE orders SET loose = 0 WHERE id < 10;
    COMMIT; -- expect: concurrently-in-transaction
END $$;
