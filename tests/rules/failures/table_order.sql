-- a table is used before the statement of the migration that creates it
CREATE TABLE shops (id bigint PRIMARY KEY);

-- next migration
CREATE TABLE repairs (id bigint PRIMARY KEY, van bigint REFERENCES vans (id)); -- expect: statement-fails
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
CREATE INDEX repairs_van ON repairs (van);

-- next migration
CREATE INDEX CONCURRENTLY tyres_size ON tyres (size); -- expect: statement-fails
CREATE TABLE tyres (id bigint PRIMARY KEY, size int);

-- next migration
ALTER TABLE shops ADD COLUMN city bigint REFERENCES cities (id); -- expect: statement-fails
CREATE VIEW names AS SELECT name FROM cities; -- expect: statement-fails
CREATE TABLE cities (id bigint PRIMARY KEY, name text);

-- next migration
CREATE TABLE nodes (id bigint PRIMARY KEY, parent bigint REFERENCES nodes (id));
CREATE INDEX nodes_parent ON nodes (parent);
CREATE FUNCTION count_stops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO stops (id) VALUES (1); RETURN NEW; END $$;
CREATE TABLE stops (id bigint PRIMARY KEY);

-- next migration
INSERT INTO shops (id) SELECT id FROM depots WHERE id = 7;
CREATE TABLE IF NOT EXISTS depots (id bigint PRIMARY KEY);

-- next migration
INSERT INTO shops (id) SELECT id FROM garages WHERE id = 8;
ALTER TABLE garages RENAME TO older_garages;
CREATE TABLE garages (id bigint CONSTRAINT garages_key PRIMARY KEY);

-- next migration
INSERT INTO shops (id) SELECT id FROM routes WHERE id = 9;
DO $$ BEGIN EXECUTE (SELECT code FROM todo); END $$;
CREATE TABLE routes (id bigint CONSTRAINT routes_key PRIMARY KEY);
