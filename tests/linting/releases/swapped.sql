-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint NOT NULL);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint NOT NULL);
-- 002_copied.sql now
CREATE TABLE new_parcels (id bigint PRIMARY KEY, weight bigint NOT NULL, note text);
INSERT INTO new_parcels SELECT id, weight FROM parcels;
-- 003_swapped.sql now
BEGIN;
ALTER TABLE parcels RENAME TO old_parcels; -- expect: rename-table
ALTER TABLE new_parcels RENAME TO parcels;
COMMIT;
-- 004_dropped.sql now
DROP TABLE old_parcels; -- expect: drop-table
