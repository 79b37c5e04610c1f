SET LOCAL lock_timeout = '2s';
ALTER TABLE customers ADD COLUMN note text;
ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE items ADD COLUMN note text;
UPDATE items SET quantity = 1;
