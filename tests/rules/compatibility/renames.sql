ALTER TABLE orders RENAME TO purchases; -- expect: rename-table
ALTER INDEX orders_i RENAME TO orders_j;
ALTER TABLE orders RENAME CONSTRAINT a TO b;
ALTER VIEW open_orders RENAME TO pending; -- expect: rename-object
ALTER TYPE status RENAME TO state; -- expect: rename-object
ALTER TYPE state RENAME VALUE 'open' TO 'pending'; -- expect: rename-object
ALTER SCHEMA shop RENAME TO store; -- expect: rename-object
ALTER FUNCTION total(bigint) RENAME TO sum_of; -- expect: rename-object
ALTER TABLE items SET SCHEMA archive; -- expect: rename-object
ALTER TRIGGER t ON orders RENAME TO u;

-- next migration
-- the old name stays, or another object gets it in the same transaction
BEGIN;
ALTER TABLE items RENAME TO lines;
CREATE VIEW items AS SELECT * FROM lines;
CREATE TYPE colour_new AS ENUM ('red');
ALTER TYPE colour RENAME TO colour_old;
ALTER TYPE colour_new RENAME TO colour;
DROP TYPE colour_old;
CREATE TABLE events_new (id bigint);
INSERT INTO events_new SELECT id FROM events;
ALTER TABLE events RENAME TO events_old;
ALTER TABLE events_new RENAME TO events;
COMMIT;

-- next migration
CREATE TABLE wares (id bigint PRIMARY KEY);
CREATE TABLE new_wares (id bigint PRIMARY KEY, n bigint);

-- next migration
-- another existing table gets the name
BEGIN;
ALTER TABLE wares RENAME TO old_wares;
ALTER TABLE new_wares RENAME TO wares; -- expect: rename-table
COMMIT;

-- next migration
-- a view in another transaction leaves a gap
ALTER TABLE lines RENAME TO order_lines; -- expect: rename-table
CREATE VIEW lines AS SELECT * FROM order_lines;

-- next migration
CREATE TABLE fresh (id bigint);
ALTER TABLE fresh RENAME TO fresher;
CREATE TYPE mood AS ENUM ('good');
ALTER TYPE mood RENAME VALUE 'good' TO 'fine';
ALTER TABLE fresher SET SCHEMA archive;
