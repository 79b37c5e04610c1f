-- the type of a column of ONLY a parent
CREATE TABLE vehicles (id integer NOT NULL, plate text);
CREATE TABLE vans () INHERITS (vehicles);
-- refused: type of inherited column "id" must be changed in child tables too
ALTER TABLE ONLY vehicles ALTER COLUMN id TYPE bigint;

-- the type of a column of a parent
CREATE TABLE vehicles (id integer NOT NULL, plate text);
CREATE TABLE vans () INHERITS (vehicles);
-- accepted
ALTER TABLE vehicles ALTER COLUMN id TYPE bigint;

-- the type of a column of ONLY a table without children
CREATE TABLE vehicles (id integer NOT NULL, plate text);
-- accepted
ALTER TABLE ONLY vehicles ALTER COLUMN id TYPE bigint;

-- the type of a column of ONLY a partitioned table
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: type of inherited column "id" must be changed in child tables too
ALTER TABLE ONLY trips ALTER COLUMN id TYPE bigint;

-- DROP NOT NULL of a partition
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: column "id" is marked NOT NULL in parent table
ALTER TABLE trips_2025 ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of a partition whose parent allows NULL
CREATE TABLE trips (id integer, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE trips_2025 ALTER COLUMN id SET NOT NULL;
-- accepted
ALTER TABLE trips_2025 ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of a detached partition
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE trips DETACH PARTITION trips_2025;
-- accepted
ALTER TABLE trips_2025 ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of ONLY a partitioned table with partitions
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused before 18: cannot remove constraint from only the partitioned table when partitions exist
-- accepted
ALTER TABLE ONLY trips ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of ONLY a partitioned table without partitions
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
-- accepted
ALTER TABLE ONLY trips ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of a child
CREATE TABLE vehicles (id integer NOT NULL, plate text);
CREATE TABLE vans () INHERITS (vehicles);
-- refused since 18: cannot drop inherited constraint "vehicles_id_not_null" of relation "vans"
-- accepted
ALTER TABLE vans ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of a child whose own constraint it is
CREATE TABLE vehicles (id integer, plate text);
CREATE TABLE vans () INHERITS (vehicles);
ALTER TABLE vans ALTER COLUMN id SET NOT NULL;
-- accepted
ALTER TABLE vans ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of the replica identity
CREATE TABLE vans (id bigint NOT NULL, plate text);
CREATE UNIQUE INDEX vans_id_key ON vans (id);
ALTER TABLE vans REPLICA IDENTITY USING INDEX vans_id_key;
-- refused: column "id" is in index used as replica identity
ALTER TABLE vans ALTER COLUMN id DROP NOT NULL;

-- DROP NOT NULL of the replica identity before
CREATE TABLE vans (id bigint NOT NULL, plate text);
CREATE UNIQUE INDEX vans_id_key ON vans (id);
ALTER TABLE vans REPLICA IDENTITY USING INDEX vans_id_key;
ALTER TABLE vans REPLICA IDENTITY FULL;
-- accepted
ALTER TABLE vans ALTER COLUMN id DROP NOT NULL;

-- DROP of a CHECK of ONLY a partitioned table with partitions
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL, CONSTRAINT positive CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused before 18: cannot remove constraint from only the partitioned table when partitions exist
-- accepted
ALTER TABLE ONLY trips DROP CONSTRAINT positive;

-- DROP of a CHECK of ONLY a parent
CREATE TABLE vehicles (id integer NOT NULL, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE vans () INHERITS (vehicles);
-- accepted
ALTER TABLE ONLY vehicles DROP CONSTRAINT positive;

-- RENAME of an inherited CHECK
CREATE TABLE vehicles (id integer NOT NULL, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE vans () INHERITS (vehicles);
-- refused: cannot rename inherited constraint "positive"
ALTER TABLE vans RENAME CONSTRAINT positive TO above_zero;

-- RENAME of a CHECK of ONLY a parent
CREATE TABLE vehicles (id integer NOT NULL, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE vans () INHERITS (vehicles);
-- refused: inherited constraint "positive" must be renamed in child tables too
ALTER TABLE ONLY vehicles RENAME CONSTRAINT positive TO above_zero;

-- RENAME of a CHECK of a parent
CREATE TABLE vehicles (id integer NOT NULL, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE vans () INHERITS (vehicles);
-- accepted
ALTER TABLE vehicles RENAME CONSTRAINT positive TO above_zero;

-- RENAME of a CHECK that children do not have
CREATE TABLE vehicles (id integer NOT NULL, CONSTRAINT positive CHECK (id > 0) NO INHERIT);
CREATE TABLE vans () INHERITS (vehicles);
-- accepted
ALTER TABLE ONLY vehicles RENAME CONSTRAINT positive TO above_zero;

-- SET UNLOGGED of a materialized view
CREATE TABLE vans (id integer NOT NULL);
CREATE MATERIALIZED VIEW van_ids AS SELECT id FROM vans;
-- refused before 15: "van_ids" is not a table
-- refused: ALTER action SET UNLOGGED cannot be performed on relation "van_ids"
ALTER MATERIALIZED VIEW van_ids SET UNLOGGED;

-- SET LOGGED of a partitioned table
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
-- refused since 18: ALTER action SET LOGGED cannot be performed on relation "trips"
-- accepted
ALTER TABLE trips SET LOGGED;

-- SET UNLOGGED of a partition
CREATE TABLE trips (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
ALTER TABLE trips_2025 SET UNLOGGED;

-- DROP NOT NULL of the primary key of a partition
CREATE TABLE trips (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused before 18: column "id" is in a primary key
-- refused: column "id" is marked NOT NULL in parent table
ALTER TABLE trips_2025 ALTER COLUMN id DROP NOT NULL;

-- a child without a column of its new parent
CREATE TABLE a (id bigint, code text);
CREATE TABLE b (id bigint, age text);
-- refused: child table is missing column "code"
ALTER TABLE b INHERIT a;

-- a child with more columns than its new parent
CREATE TABLE a (id bigint, code text);
CREATE TABLE b (age text, code text, id bigint);
-- accepted
ALTER TABLE b INHERIT a;

-- a child with another type than its new parent
CREATE TABLE a (id bigint, code text);
CREATE TABLE b (id bigint, code varchar);
-- refused: child table "b" has different type for column "code"
ALTER TABLE b INHERIT a;

-- a child whose column may be null
CREATE TABLE a (id bigint, code text NOT NULL);
CREATE TABLE b (id bigint, code text);
-- refused before 18: column "code" in child table must be marked NOT NULL
-- refused since 18: column "code" in child table "b" must be marked NOT NULL
ALTER TABLE b INHERIT a;

-- a child without a CHECK of its new parent
CREATE TABLE a (id bigint, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE b (id bigint);
-- refused: child table is missing constraint "positive"
ALTER TABLE b INHERIT a;

-- a child with the CHECK of its new parent
CREATE TABLE a (id bigint, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE b (id bigint, CONSTRAINT positive CHECK (id > 0));
-- accepted
ALTER TABLE b INHERIT a;

-- a child that is an identity column, and its parent is not
CREATE TABLE a (id bigint NOT NULL);
CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY);
-- accepted
ALTER TABLE b INHERIT a;

-- a second time the same parent
CREATE TABLE a (id bigint);
CREATE TABLE b (id bigint) INHERITS (a);
-- refused: relation "a" would be inherited from more than once
ALTER TABLE b INHERIT a;
