-- a table in a dropped schema
CREATE SCHEMA app;
DROP SCHEMA app;
-- refused: schema "app" does not exist
CREATE TABLE app.a (id bigint);

-- a schema renamed to another one
CREATE SCHEMA app;
CREATE SCHEMA app2;
-- refused: schema "app2" already exists
ALTER SCHEMA app RENAME TO app2;

-- a comment on a missing column
CREATE TABLE a (id bigint);
-- refused: column "title" of relation "a" does not exist
COMMENT ON COLUMN a.title IS 'x';

-- a sequence for a table of another schema
CREATE SCHEMA app;
CREATE TABLE app.a (id bigint);
-- refused: sequence must be in same schema as table it is linked to
CREATE SEQUENCE s OWNED BY app.a.id;

-- a column with the name of a system column
CREATE TABLE a (id bigint);
-- refused: column name "xmin" conflicts with a system column name
ALTER TABLE a ADD COLUMN xmin bigint;

-- a default partition by hash
CREATE TABLE a (id bigint) PARTITION BY HASH (id);
-- refused: a hash-partitioned table may not have a default partition
CREATE TABLE b PARTITION OF a DEFAULT;

-- a function that a policy calls
CREATE TABLE a (id bigint, owner uuid);
CREATE FUNCTION may_see(owner uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE POLICY p ON a USING (may_see(owner));
-- refused: cannot drop function may_see(uuid) because other objects depend on it
DROP FUNCTION may_see(uuid);

-- a type of an argument, renamed before
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE FUNCTION of_kind(k kind) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
ALTER TYPE kind RENAME TO kind_old;
-- refused: cannot drop type kind_old because other objects depend on it
DROP TYPE kind_old;

-- a view whose rows are an argument
CREATE TABLE a (id bigint);
CREATE VIEW v AS SELECT id FROM a;
CREATE FUNCTION f(r v) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
-- refused: cannot drop view v because other objects depend on it
DROP VIEW v;

-- a materialized view dropped as a view
CREATE TABLE a (id bigint);
CREATE MATERIALIZED VIEW v AS SELECT id FROM a;
-- refused: "v" is not a view
DROP VIEW v;

-- an index on JSON
CREATE TABLE a (id bigint, j json);
-- refused: data type json has no default operator class for access method "btree"
CREATE INDEX i ON a (j);

-- a unique key of points
CREATE TABLE a (id bigint, p point);
-- refused: data type point has no default operator class for access method "btree"
ALTER TABLE a ADD CONSTRAINT u UNIQUE (p);

-- an index on JSONB
CREATE TABLE a (id bigint, j jsonb);
-- accepted
CREATE INDEX i ON a USING gin (j);

-- a type of another database system
CREATE TABLE a (id bigint);
-- refused: type "datetime" does not exist
ALTER TABLE a ADD COLUMN at datetime;

-- CLUSTER of a table that was never clustered
CREATE TABLE a (id bigint PRIMARY KEY);
-- refused: there is no previously clustered index for table "a"
CLUSTER a;

-- CLUSTER of a table that was clustered before
CREATE TABLE a (id bigint PRIMARY KEY);
CLUSTER a USING a_pkey;
-- accepted
CLUSTER a;

-- CLUSTER of a table whose index is marked
CREATE TABLE a (id bigint PRIMARY KEY);
ALTER TABLE a CLUSTER ON a_pkey;
-- accepted
CLUSTER a;

-- CLUSTER of a table whose marked index was dropped
CREATE TABLE a (id bigint PRIMARY KEY, n int);
CREATE INDEX a_n ON a (n);
CLUSTER a USING a_n;
DROP INDEX a_n;
-- refused: there is no previously clustered index for table "a"
CLUSTER a;
