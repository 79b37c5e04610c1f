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
ALTER TABLE events RENAME TO events_old; -- expect: rename-table
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

-- next migration
CREATE TABLE vans (id bigint PRIMARY KEY, plate text, city text);
CREATE TABLE depots (id bigint PRIMARY KEY, name text);
CREATE TABLE trips (id bigint PRIMARY KEY, van_id bigint);
CREATE TABLE loads (id bigint PRIMARY KEY, weight bigint);
CREATE FUNCTION write_load() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

-- next migration
-- views under the old name that do not pass everything on
BEGIN;
ALTER TABLE vans RENAME TO vehicles; -- expect: rename-table
CREATE VIEW vans AS SELECT id, plate FROM vehicles;
ALTER TABLE depots RENAME TO places; -- expect: rename-table
CREATE MATERIALIZED VIEW depots AS SELECT * FROM places;
ALTER TABLE trips RENAME TO journeys; -- expect: rename-table
CREATE VIEW trips AS SELECT DISTINCT id, van_id FROM journeys;
ALTER TABLE loads RENAME TO cargo;
CREATE VIEW loads AS SELECT c.id, max(c.weight) AS weight FROM cargo c GROUP BY c.id;
CREATE TRIGGER writing INSTEAD OF INSERT OR UPDATE OR DELETE ON loads FOR EACH ROW EXECUTE FUNCTION write_load();
COMMIT;

-- next migration
CREATE TABLE ships (id bigint PRIMARY KEY, city text);
CREATE TABLE boats (id bigint PRIMARY KEY);

-- next migration
-- all columns, under the names that the running release uses
BEGIN;
ALTER TABLE ships RENAME TO vessels;
ALTER TABLE vessels RENAME COLUMN city TO town;
CREATE VIEW ships AS SELECT id, town AS city FROM vessels;
ALTER TABLE boats RENAME TO dinghies;
ALTER TABLE dinghies ADD COLUMN length bigint;
CREATE VIEW boats AS SELECT id FROM dinghies WHERE length IS NULL;
COMMIT;

-- next migration
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer);
CREATE TABLE crates (id bigint PRIMARY KEY, weight integer);
CREATE TABLE sacks (id bigint PRIMARY KEY, weight integer);
CREATE TABLE tubs (id bigint PRIMARY KEY, weight integer);

-- next migration
-- a new table gets the name: rows that are written after it was filled are lost to the running release
BEGIN;
CREATE TABLE new_parcels (id bigint PRIMARY KEY, weight bigint);
INSERT INTO new_parcels SELECT id, weight FROM parcels;
ALTER TABLE parcels RENAME TO old_parcels; -- expect: rename-table
ALTER TABLE new_parcels RENAME TO parcels;
-- an empty one
ALTER TABLE crates RENAME TO old_crates; -- expect: rename-table
CREATE TABLE crates (id bigint PRIMARY KEY, weight bigint);
-- one that is filled after the rename
ALTER TABLE sacks RENAME TO old_sacks;
CREATE TABLE sacks (id bigint PRIMARY KEY, weight bigint);
INSERT INTO sacks SELECT id, weight FROM old_sacks;
COMMIT;
-- one that is filled while writes wait
BEGIN;
LOCK TABLE tubs IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE new_tubs (id bigint PRIMARY KEY, weight bigint);
INSERT INTO new_tubs SELECT id, weight FROM tubs;
ALTER TABLE tubs RENAME TO old_tubs;
ALTER TABLE new_tubs RENAME TO tubs;
COMMIT;

-- next migration
CREATE TABLE pallets (id bigint PRIMARY KEY, depot_id bigint, weight bigint);

-- next migration
-- a new table gets the name and all rows, but not all columns
BEGIN;
ALTER TABLE pallets RENAME TO old_pallets; -- expect: rename-table
CREATE TABLE pallets (id bigint PRIMARY KEY, weight bigint);
INSERT INTO pallets SELECT id, weight FROM old_pallets WHERE id > 0;
COMMIT;
