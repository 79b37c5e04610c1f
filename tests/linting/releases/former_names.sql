-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
CREATE VIEW heavy_parcels AS SELECT id FROM parcels WHERE weight > 1000;
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
CREATE VIEW heavy_parcels AS SELECT id FROM parcels WHERE weight > 1000;
-- 002_replaced.sql now
DROP VIEW heavy_parcels; -- expect: drop-object
-- 003_replaced.sql now
CREATE VIEW heavy_parcels AS SELECT id, weight FROM parcels WHERE weight > 1000;
ALTER TABLE parcels RENAME TO old_parcels; -- expect: rename-table
-- 004_replaced.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL, note text);
ALTER TABLE old_parcels RENAME COLUMN weight TO old_weight; -- expect: rename-column
ALTER TABLE old_parcels ADD COLUMN weight bigint;
-- 005_used_under_their_names.sql now
DROP VIEW heavy_parcels; -- expect: drop-object
CREATE INDEX parcels_weight_idx ON parcels (weight); -- expect: index-not-concurrent
ALTER TABLE old_parcels DROP COLUMN weight; -- expect: drop-column
