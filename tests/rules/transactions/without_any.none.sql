VACUUM orders;
CREATE INDEX CONCURRENTLY a ON orders (qty);
BEGIN;
VACUUM orders; -- expect: concurrently-in-transaction
END;
