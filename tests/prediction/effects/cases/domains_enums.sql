-- Domains, enums, composite types.

-- case: domain, add a check
ALTER DOMAIN amount ADD CONSTRAINT small CHECK (VALUE < 1000);
-- case: domain, add a check, not valid
ALTER DOMAIN amount ADD CONSTRAINT small CHECK (VALUE < 1000) NOT VALID;
-- case: domain, validate a check
ALTER DOMAIN amount ADD CONSTRAINT small CHECK (VALUE < 1000) NOT VALID;
ALTER DOMAIN amount VALIDATE CONSTRAINT small;
-- case: domain, drop a check
ALTER DOMAIN amount DROP CONSTRAINT amount_check;
-- case: domain, set not null
ALTER DOMAIN amount SET NOT NULL;
-- case: domain, drop not null
ALTER DOMAIN given DROP NOT NULL;
-- case: domain, add a not null constraint
-- versions: 17-
ALTER DOMAIN amount ADD CONSTRAINT known NOT NULL;
-- case: domain, set a default
ALTER DOMAIN amount SET DEFAULT 0;
-- case: domain, drop the default
ALTER DOMAIN amount DROP DEFAULT;
-- case: domain, owner
ALTER DOMAIN amount OWNER TO clerk;
-- case: domain without constraint, add a check
ALTER DOMAIN label ADD CHECK (VALUE <> 'x');
-- case: domain of a partitioned table's column
CREATE TABLE priced (id int, price amount) PARTITION BY LIST (id);
CREATE TABLE priced_1 PARTITION OF priced FOR VALUES IN (1);
INSERT INTO priced SELECT 1, 1 FROM generate_series(1, 300);
ALTER DOMAIN amount ADD CHECK (VALUE < 1000);
-- case: domain over a domain
CREATE DOMAIN price AS amount;
CREATE TABLE priced (id int, price price);
INSERT INTO priced SELECT 1, 1 FROM generate_series(1, 300);
ALTER DOMAIN amount ADD CHECK (VALUE < 1000);
-- case: domain in an array
-- refused
CREATE TABLE priced (id int, prices amount[]);
ALTER DOMAIN amount ADD CHECK (VALUE < 1000);
-- case: domain in an index
CREATE INDEX i ON kinds (cost);
ALTER DOMAIN amount ADD CHECK (VALUE < 1000);
-- case: domain in a materialized view
-- gap: the column types of a materialized view are not known
CREATE MATERIALIZED VIEW costs AS SELECT cost FROM kinds;
ALTER DOMAIN amount ADD CHECK (VALUE < 1000);
-- case: create a domain
CREATE DOMAIN d AS int CHECK (VALUE > 0);
-- case: create an enum
CREATE TYPE e AS ENUM ('a');
-- case: enum, add a value
ALTER TYPE mood ADD VALUE 'glad';
-- case: enum, add a value before another, if not exists
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad' BEFORE 'happy';
-- case: enum, rename a value
ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy';
-- case: enum, owner
ALTER TYPE mood OWNER TO clerk;
-- case: composite, add an attribute
-- refused
ALTER TYPE address ADD ATTRIBUTE zip text;
-- case: composite of a table, add an attribute, cascade
DROP TABLE shops;
ALTER TYPE address ADD ATTRIBUTE zip text CASCADE;
-- case: composite of a typed table, add an attribute
-- refused
CREATE TYPE point2 AS (x int, y int);
CREATE TABLE points OF point2;
ALTER TYPE point2 ADD ATTRIBUTE z int;
-- case: composite of a typed table, add an attribute, cascade
CREATE TYPE point2 AS (x int, y int);
CREATE TABLE points OF point2;
ALTER TYPE point2 ADD ATTRIBUTE z int CASCADE;
-- case: composite of a typed table, drop an attribute, cascade
CREATE TYPE point2 AS (x int, y int);
CREATE TABLE points OF point2;
ALTER TYPE point2 DROP ATTRIBUTE y CASCADE;
-- case: composite of a typed table, change an attribute, cascade
CREATE TYPE point2 AS (x int, y int);
CREATE TABLE points OF point2;
INSERT INTO points SELECT n, n FROM generate_series(1, 300) AS n;
ALTER TYPE point2 ALTER ATTRIBUTE y TYPE bigint CASCADE;
-- case: composite, drop an attribute of a function's result, cascade
CREATE TYPE point2 AS (x int, y int);
CREATE FUNCTION corners() RETURNS SETOF point2 LANGUAGE sql AS 'SELECT 1, 2';
CREATE VIEW corner_xs AS SELECT x FROM corners();
CREATE VIEW corner_ys AS SELECT x, y FROM corners();
CREATE VIEW heights AS SELECT y FROM corner_ys;
ALTER TYPE point2 DROP ATTRIBUTE y CASCADE;
-- case: composite that nothing uses
CREATE TYPE point2 AS (x int, y int);
ALTER TYPE point2 ADD ATTRIBUTE z int, DROP ATTRIBUTE x;
-- case: table of a type
CREATE TABLE place (street text, city text);
ALTER TABLE place OF address;
-- case: table no longer of a type
ALTER TABLE moods NOT OF;
-- case: comment on a type
COMMENT ON TYPE mood IS 'x';
-- case: comment on a domain's constraint
COMMENT ON CONSTRAINT amount_check ON DOMAIN amount IS 'x';
