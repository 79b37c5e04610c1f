-- a primary key of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
-- refused: primary key constraints are not supported on foreign tables
CREATE FOREIGN TABLE vans (id bigint PRIMARY KEY) SERVER depot;

-- a unique constraint of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
-- refused: unique constraints are not supported on foreign tables
CREATE FOREIGN TABLE vans (id bigint, code text, UNIQUE (code)) SERVER depot;

-- a CHECK of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
-- accepted
CREATE FOREIGN TABLE vans (id bigint NOT NULL CHECK (id > 0)) SERVER depot;

-- a foreign key of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE TABLE people (id bigint PRIMARY KEY);
CREATE FOREIGN TABLE vans (id bigint, driver bigint) SERVER depot;
-- refused: foreign key constraints are not supported on foreign tables
ALTER FOREIGN TABLE vans ADD FOREIGN KEY (driver) REFERENCES people (id);

-- a unique column that a foreign table gets
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused: unique constraints are not supported on foreign tables
ALTER TABLE vans ADD COLUMN code text UNIQUE;

-- an exclusion constraint of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint, used tsrange) SERVER depot;
-- refused: exclusion constraints are not supported on foreign tables
ALTER TABLE vans ADD EXCLUDE USING gist (used WITH &&);

-- an index of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused before 15: cannot create index on foreign table "vans"
-- refused: cannot create index on relation "vans"
CREATE INDEX ON vans (id);

-- a constraint trigger of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: "vans" is a foreign table
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON vans FOR EACH ROW EXECUTE FUNCTION note();

-- a trigger of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- accepted
CREATE TRIGGER t AFTER INSERT ON vans FOR EACH ROW EXECUTE FUNCTION note();

-- DROP TABLE of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused: "vans" is not a table
DROP TABLE vans;

-- the server of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused: cannot drop server depot because other objects depend on it
DROP SERVER depot;

-- the server of a foreign table that is gone
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
DROP FOREIGN TABLE vans;
-- accepted
DROP SERVER depot;

-- row security of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused before 15: "vans" is not a table
-- refused: ALTER action ENABLE ROW SECURITY cannot be performed on relation "vans"
ALTER TABLE vans ENABLE ROW LEVEL SECURITY;

-- the replica identity of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused before 15: "vans" is not a table or materialized view
-- refused: ALTER action REPLICA IDENTITY cannot be performed on relation "vans"
ALTER TABLE vans REPLICA IDENTITY FULL;

-- a foreign table that becomes unlogged
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused before 15: "vans" is not a table
-- refused: ALTER action SET UNLOGGED cannot be performed on relation "vans"
ALTER TABLE vans SET UNLOGGED;

-- a policy of a foreign table
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE FOREIGN TABLE vans (id bigint) SERVER depot;
-- refused: "vans" is not a table
CREATE POLICY own ON vans USING (id > 0);

-- a foreign partition of a table with a primary key
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE TABLE trips (day date PRIMARY KEY) PARTITION BY RANGE (day);
-- refused: cannot create foreign partition of partitioned table "trips"
CREATE FOREIGN TABLE trips_old PARTITION OF trips FOR VALUES FROM ('2000-01-01') TO ('2020-01-01') SERVER depot;

-- a foreign partition of a table with an index
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE TABLE trips (day date) PARTITION BY RANGE (day);
CREATE INDEX ON trips (day);
-- accepted
CREATE FOREIGN TABLE trips_old PARTITION OF trips FOR VALUES FROM ('2000-01-01') TO ('2020-01-01') SERVER depot;

-- a foreign table that becomes a partition of a table with a primary key
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE TABLE trips (day date PRIMARY KEY) PARTITION BY RANGE (day);
CREATE FOREIGN TABLE trips_old (day date NOT NULL) SERVER depot;
-- refused: cannot attach foreign table "trips_old" as partition of partitioned table "trips"
ALTER TABLE trips ATTACH PARTITION trips_old FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');

-- a unique index over a foreign partition
DROP FOREIGN DATA WRAPPER IF EXISTS wires CASCADE;
CREATE FOREIGN DATA WRAPPER wires;
CREATE SERVER depot FOREIGN DATA WRAPPER wires;
CREATE TABLE trips (day date NOT NULL) PARTITION BY RANGE (day);
CREATE FOREIGN TABLE trips_old PARTITION OF trips FOR VALUES FROM ('2000-01-01') TO ('2020-01-01') SERVER depot;
-- refused: cannot create unique index on partitioned table "trips"
ALTER TABLE trips ADD PRIMARY KEY (day);
