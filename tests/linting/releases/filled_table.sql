-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 002_weights.sql now
CREATE TABLE weights (id bigint PRIMARY KEY, grams integer, measured timestamptz);
INSERT INTO weights (id, grams) SELECT id, weight FROM parcels;
-- each statement is committed by itself, and no session uses the table yet, as in the next file
CREATE INDEX weights_grams_idx ON weights (grams);
ALTER TABLE weights ALTER COLUMN grams SET NOT NULL;
ALTER TABLE weights ADD COLUMN note text DEFAULT random()::text;
-- 003_weights.sql now
CREATE INDEX weights_measured_idx ON weights (measured);
-- 004_swap.sql now
CREATE TABLE other_parcels (id bigint PRIMARY KEY, weight bigint NOT NULL);
INSERT INTO other_parcels SELECT id, weight FROM parcels;
DROP TABLE parcels; -- expect: drop-table
ALTER TABLE other_parcels RENAME TO parcels;
-- the running release uses the name
CREATE INDEX parcels_weight_idx ON parcels (weight); -- expect: index-not-concurrent
