CREATE TABLE trips (id bigint PRIMARY KEY, zone_id bigint, fare integer, note varchar(10), CONSTRAINT zone_nn CHECK (zone_id IS NOT NULL));

-- next migration
-- PostgreSQL drops first, so SET NOT NULL would scan again
ALTER TABLE trips ALTER COLUMN zone_id SET NOT NULL;
ALTER TABLE trips DROP CONSTRAINT zone_nn;

-- next migration
ALTER TABLE trips DROP COLUMN note;
ALTER TABLE trips ALTER COLUMN fare SET NOT NULL; -- expect: combine-alter-tables

-- next migration
-- DROP DEFAULT comes before ADD COLUMN
ALTER TABLE trips ADD COLUMN a integer DEFAULT 1;
ALTER TABLE trips ALTER COLUMN a DROP DEFAULT;

-- next migration
ALTER TABLE trips ADD COLUMN b integer DEFAULT 1;
ALTER TABLE trips ALTER COLUMN b SET DEFAULT 2; -- expect: combine-alter-tables
ALTER TABLE trips ALTER COLUMN fare DROP DEFAULT;

-- next migration
ALTER TABLE trips ALTER COLUMN fare TYPE bigint;
ALTER TABLE trips ALTER COLUMN fare TYPE numeric;

-- next migration
ALTER TABLE trips ADD CONSTRAINT c CHECK (fare > 0) NOT VALID;
ALTER TABLE trips DROP COLUMN fare;

-- next migration
BEGIN;
-- one transaction waits once
ALTER TABLE trips ADD COLUMN d bigint;
ALTER TABLE trips ADD COLUMN e bigint;
COMMIT;
BEGIN;
ALTER TABLE trips ALTER COLUMN id SET DEFAULT 1;
ALTER TABLE trips ADD CONSTRAINT f CHECK (id > 0); -- expect: combine-alter-tables
-- which reads the rows again
ALTER TABLE trips ADD CONSTRAINT g CHECK (id > 0);
COMMIT;

-- next migration
BEGIN;
-- each foreign key is checked by a query of its own
ALTER TABLE trips ADD CONSTRAINT j FOREIGN KEY (d) REFERENCES trips (id);
ALTER TABLE trips ADD CONSTRAINT k FOREIGN KEY (e) REFERENCES trips (id);
COMMIT;

-- next migration
ALTER TABLE trips ADD COLUMN h integer;
ALTER TABLE IF EXISTS trips ADD COLUMN i integer;
