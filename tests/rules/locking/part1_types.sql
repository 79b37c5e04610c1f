ALTER TABLE orders ALTER COLUMN qty TYPE bigint; -- expect: type-change-rewrites
CREATE DOMAIN amount AS numeric;
CREATE DOMAIN weight AS numeric;
CREATE TABLE parcels (
    id bigint PRIMARY KEY, code varchar(20), name text, number integer, price numeric(8, 2), at timestamp, zoned timestamptz(3), weight weight,
    net cidr, short varchar(20), checked varchar(20) CHECK (checked <> '')
);
CREATE INDEX parcels_name_idx ON parcels (name);
ALTER TABLE parcels ALTER COLUMN number TYPE bigint;
ALTER DOMAIN weight ADD CHECK (VALUE > 0);

-- next migration
ALTER TABLE parcels ALTER COLUMN code TYPE varchar(50);
ALTER TABLE parcels ALTER COLUMN code TYPE text;
ALTER TABLE parcels ALTER COLUMN code TYPE varchar;
ALTER TABLE parcels ALTER COLUMN code TYPE varchar(30); -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN price TYPE numeric(10, 2);
ALTER TABLE parcels ALTER COLUMN price TYPE numeric;
ALTER TABLE parcels ALTER COLUMN price TYPE numeric(10, 3); -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN zoned TYPE timestamptz;
ALTER TABLE parcels ALTER COLUMN at TYPE timestamptz; -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN net TYPE inet;
ALTER TABLE parcels ALTER COLUMN name TYPE text COLLATE "C"; -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN short TYPE varchar(40) USING short || ''; -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN checked TYPE varchar(40); -- expect: type-change-rewrites
ALTER DOMAIN weight ADD CONSTRAINT heavy CHECK (VALUE > 1); -- expect: domain-constraint-validates
ALTER DOMAIN weight ADD CONSTRAINT heavier CHECK (VALUE > 2) NOT VALID;
ALTER DOMAIN weight SET NOT NULL; -- expect: domain-constraint-validates
ALTER DOMAIN weight SET NOT NULL;
ALTER DOMAIN amount SET NOT NULL;
ALTER DOMAIN app.unknown SET NOT NULL; -- expect: domain-constraint-validates
ALTER DOMAIN app.unknown DROP NOT NULL;

-- next migration
SET timezone = 'UTC';
ALTER TABLE parcels ALTER COLUMN at TYPE timestamp;

-- next migration
CREATE TABLE boxes (id bigint PRIMARY KEY, code varchar(20) CONSTRAINT boxes_code_known CHECK (code <> ''));

-- next migration
ALTER TABLE boxes
    DROP CONSTRAINT boxes_code_known,
    ALTER COLUMN code TYPE varchar(40),
    ADD CONSTRAINT boxes_code_known CHECK (code <> '') NOT VALID;

-- next migration
-- CREATE TABLE AS gives the columns the types of the query; a type that is unknown is no rewrite
CREATE TABLE copied AS SELECT code, name, 1 AS state, own_function(id) AS odd FROM boxes CROSS JOIN (SELECT name FROM parcels) p;

-- next migration
ALTER TABLE copied ALTER COLUMN code TYPE varchar(40), ALTER COLUMN name TYPE text;
ALTER TABLE copied ALTER COLUMN state TYPE bigint; -- expect: type-change-rewrites
ALTER TABLE copied ALTER COLUMN odd TYPE bigint; -- expect: type-change-rewrites
