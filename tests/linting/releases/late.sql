-- V001__parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- V003__depots.sql at the revision
CREATE TABLE depots (id bigint PRIMARY KEY, place text);
-- V001__parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer NOT NULL);
-- V002__stops.sql now
CREATE TABLE stops (id bigint PRIMARY KEY, note text); -- expect: out-of-order
-- V003__depots.sql now
CREATE TABLE depots (id bigint PRIMARY KEY, place text);
-- V004__indexes.sql now
CREATE INDEX stops_note_idx ON stops (note);
CREATE INDEX depots_place_idx ON depots (place); -- expect: index-not-concurrent
