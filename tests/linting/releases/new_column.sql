-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL, colour text);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL, colour text);
-- 002_columns.sql now
ALTER TABLE parcels ADD COLUMN depth integer, ADD COLUMN height integer, ADD COLUMN region text NOT NULL DEFAULT 'eu';
ALTER TABLE parcels RENAME COLUMN colour TO shade; -- expect: rename-column
-- 003_columns_again.sql now
ALTER TABLE parcels DROP COLUMN height;
ALTER TABLE parcels RENAME COLUMN shade TO tint;
ALTER TABLE parcels ALTER COLUMN region DROP DEFAULT; -- expect: required-column-added
-- 004_required.sql now
ALTER TABLE parcels ALTER COLUMN depth TYPE smallint; -- expect: type-change-rewrites
ALTER TABLE parcels ALTER COLUMN depth SET NOT NULL; -- expect: required-column-added, set-not-null-scans
ALTER TABLE parcels DROP COLUMN weight; -- expect: drop-column
