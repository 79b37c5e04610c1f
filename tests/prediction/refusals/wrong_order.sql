-- tables, a view
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id bigint REFERENCES depots);
CREATE VIEW depot_ids AS SELECT id FROM depots;
-- then
DROP TABLE depots; -- refused
DROP TABLE parcels;
DROP VIEW depot_ids;

-- a unique constraint before the foreign key that needs it
CREATE TABLE depots (id bigint, code text CONSTRAINT depots_code UNIQUE);
CREATE TABLE parcels (id bigint, code text CONSTRAINT parcels_code REFERENCES depots (code));
-- then
ALTER TABLE depots DROP CONSTRAINT depots_code; -- refused
ALTER TABLE parcels DROP CONSTRAINT parcels_code;

-- a unique index before the foreign key that needs it
CREATE TABLE depots (id bigint, code text);
CREATE UNIQUE INDEX depots_code ON depots (code);
CREATE TABLE parcels (id bigint, code text CONSTRAINT parcels_code REFERENCES depots (code));
-- then
DROP INDEX depots_code; -- refused
ALTER TABLE parcels DROP CONSTRAINT parcels_code;

-- a column before the view that uses it
CREATE TABLE depots (id bigint PRIMARY KEY, note text, mark text);
CREATE VIEW notes AS SELECT id, note FROM depots;
-- then
ALTER TABLE depots DROP COLUMN note; -- refused
DROP VIEW notes;
ALTER TABLE depots DROP COLUMN mark;
ALTER TABLE depots DROP COLUMN nothing; -- refused

-- a column before the column that is computed from it
CREATE TABLE depots (id bigint PRIMARY KEY, price numeric, tax numeric, total numeric GENERATED ALWAYS AS (price + tax) STORED);
-- then
ALTER TABLE depots DROP COLUMN tax; -- refused
ALTER TABLE depots DROP COLUMN total;

-- an enum before the columns that have it
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE parcels (id bigint PRIMARY KEY, size size, other size);
CREATE INDEX parcels_size ON parcels (size);
-- then
DROP TYPE size; -- refused
DROP INDEX parcels_size;
ALTER TABLE parcels DROP COLUMN size;
ALTER TABLE parcels ALTER COLUMN other TYPE text;

-- a function before its trigger and the policy that calls it
CREATE TABLE parcels (id bigint PRIMARY KEY, owner text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION may_read(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = current_user';
CREATE POLICY readers ON parcels USING (may_read(owner));
-- then
DROP FUNCTION touch(); -- refused
DROP TRIGGER touched ON parcels;
DROP FUNCTION may_read(text); -- refused
DROP POLICY readers ON parcels;
DROP POLICY writers ON parcels; -- refused

-- a domain before the function that has it
CREATE DOMAIN code AS text;
CREATE FUNCTION to_code(text) RETURNS code LANGUAGE sql AS 'SELECT $1::code';
-- then
DROP DOMAIN code; -- refused
DROP FUNCTION to_code(text);

-- a schema before its table
CREATE SCHEMA app;
CREATE TABLE app.parcels (id bigint PRIMARY KEY);
-- then
DROP SCHEMA app; -- refused
DROP TABLE app.parcels;
