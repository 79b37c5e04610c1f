-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 002_stops.sql now
CREATE TABLE stops (id bigint PRIMARY KEY, parcel_id bigint NOT NULL, note text, spare text);
CREATE INDEX stops_parcel_idx ON stops (parcel_id);
INSERT INTO stops (id, parcel_id) SELECT id, id FROM parcels;
CREATE TYPE stop_kind AS ENUM ('pickup', 'delivery');
CREATE VIEW open_stops AS SELECT id, parcel_id FROM stops;
CREATE FUNCTION stop_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM stops';
-- 003_stops_again.sql now
ALTER TABLE stops DROP COLUMN spare;
ALTER TABLE stops RENAME COLUMN note TO remark;
ALTER TABLE stops ADD CONSTRAINT stops_remark_check CHECK (length(remark) < 100);
ALTER TABLE stops ALTER COLUMN remark SET NOT NULL;
CREATE INDEX stops_remark_idx ON stops (remark);
ALTER TYPE stop_kind RENAME VALUE 'pickup' TO 'collection';
DROP VIEW open_stops;
DROP FUNCTION stop_count();
-- 004_stop_kinds.sql now
ALTER TABLE stops ADD COLUMN kind stop_kind NOT NULL;
ALTER TABLE stops RENAME TO visits;
-- 005_no_visits.sql now
DROP TABLE visits;
DROP TYPE stop_kind;
-- what is old remains in use
DROP TABLE parcels; -- expect: drop-table
