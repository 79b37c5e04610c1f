-- several statements in one query are one transaction
CREATE TABLE orders (id bigint PRIMARY KEY, qty integer);
CREATE INDEX CONCURRENTLY a ON orders (qty); -- expect: concurrently-in-transaction

-- next migration
CREATE INDEX CONCURRENTLY a ON orders (qty);

-- next migration
-- BEGIN makes the implicit transaction an explicit one, and COMMIT ends it: later statements are in an implicit one again
SET lock_timeout = '2s';
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
COMMIT;
VACUUM orders; -- expect: concurrently-in-transaction

-- next migration
SELECT 1;
BEGIN;
BEGIN; -- expect: nested-transaction
COMMIT;

-- next migration
SELECT 1;
BEGIN; -- expect: transaction-not-closed
ALTER TABLE orders ADD COLUMN more text;
