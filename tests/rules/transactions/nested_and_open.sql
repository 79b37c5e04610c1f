BEGIN;
ALTER TABLE orders ADD COLUMN a text;
START TRANSACTION; -- expect: nested-transaction
ALTER TABLE orders ADD COLUMN b text;
COMMIT;
ALTER TABLE orders ADD COLUMN c text;

-- next migration
-- COMMIT without a transaction only warns
COMMIT;
ALTER TABLE orders ADD COLUMN d text;

-- next migration
BEGIN; -- expect: transaction-not-closed
ALTER TABLE orders ADD COLUMN e text;

-- next migration
BEGIN;
COMMIT;
BEGIN; -- expect: transaction-not-closed
SAVEPOINT one;
RELEASE one;

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN f text;
COMMIT AND CHAIN; -- expect: transaction-not-closed
ALTER TABLE orders ADD COLUMN g text;

-- next migration
BEGIN;
ROLLBACK AND CHAIN;
END;

-- next migration
BEGIN;
PREPARE TRANSACTION 'one';

-- next migration
BEGIN; -- expect: transaction-not-closed
ALTER TABLE orders ADD COLUMN h text;
BEGIN; -- expect: nested-transaction

-- next migration
BEGIN;
ALTER TABLE orders ADD COLUMN z text;
COMMIT:;
