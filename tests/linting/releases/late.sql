-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 003_depots.sql at the revision
CREATE TABLE depots (id bigint PRIMARY KEY, place text);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- 002_stops.sql now
CREATE TABLE stops (id bigint PRIMARY KEY, note text); -- expect: out-of-order
-- 003_depots.sql now
CREATE TABLE depots (id bigint PRIMARY KEY, place text);
-- 004_indexes.sql now
CREATE INDEX stops_note_idx ON stops (note);
CREATE INDEX depots_place_idx ON depots (place); -- expect: index-not-concurrent
