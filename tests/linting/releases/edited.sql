-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
DROP TABLE boxes;
DROP TABLE crates;
ALTER TABLE depots DROP COLUMN place;
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- this comment is new
drop table boxes;
DROP TABLE crates, sacks; -- expect: merged-migration-changed, drop-table
ALTER TABLE depots DROP COLUMN place;
-- 002_parcels.sql now
-- the table is one of the running release, although its file has changed
CREATE INDEX parcels_weight_idx ON parcels (weight); -- expect: index-not-concurrent
