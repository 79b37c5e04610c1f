CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint, code text);
CREATE INDEX parcels_weight_idx ON parcels (weight);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id_idx ON events (id);
CREATE TABLE visits (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE MATERIALIZED VIEW totals AS SELECT weight, count(*) AS number FROM parcels GROUP BY weight;
DROP INDEX parcels_weight_idx;
CREATE INDEX parcels_weight_idx ON parcels (weight);
REINDEX TABLE parcels;

-- next migration
CREATE INDEX ON events (day); -- expect: index-not-concurrent
CREATE INDEX ON ONLY events (day);
CREATE INDEX ON visits (day); -- expect: index-not-concurrent
CREATE INDEX ON totals (weight); -- expect: index-not-concurrent
CREATE INDEX IF NOT EXISTS parcels_weight_idx ON parcels (weight);
CREATE INDEX IF NOT EXISTS parcels_code_idx ON parcels (code); -- expect: index-not-concurrent
CREATE TEMPORARY TABLE found AS SELECT 1 AS id;
CREATE INDEX ON found (id);

-- next migration
REINDEX INDEX parcels_code_idx; -- expect: reindex-not-concurrent
REINDEX TABLE parcels; -- expect: reindex-not-concurrent
REINDEX (VERBOSE) TABLE app.unknown; -- expect: reindex-not-concurrent
REINDEX (CONCURRENTLY) TABLE parcels;
REINDEX TABLE CONCURRENTLY parcels;
REINDEX (CONCURRENTLY false) TABLE parcels; -- expect: reindex-not-concurrent
REINDEX SCHEMA public; -- expect: reindex-not-concurrent
REINDEX DATABASE shop; -- expect: reindex-not-concurrent

-- next migration
DROP INDEX events_id_idx;
DROP INDEX CONCURRENTLY parcels_weight_idx;
DROP INDEX IF EXISTS parcels_weight_idx;
DROP INDEX parcels_code_idx; -- expect: drop-index-not-concurrent
DROP INDEX IF EXISTS app.unknown_idx, app.other_idx; -- expect: drop-index-not-concurrent

-- next migration
CREATE TABLE reports (id bigint PRIMARY KEY, day date, title text);
CREATE INDEX reports_day_idx ON reports (day);
CREATE INDEX reports_title_idx ON reports (title);

-- next migration
DROP INDEX reports_title_idx; -- expect: drop-index-not-concurrent
CREATE INDEX CONCURRENTLY reports_title_idx ON reports (title);

-- next migration
-- the ALTER TABLE has the lock already, so the DROPs wait for nothing
BEGIN;
ALTER TABLE reports ADD COLUMN author text;
DROP INDEX reports_title_idx;
COMMIT;

-- next migration
-- DROP TABLE takes the same lock
DROP INDEX reports_day_idx;
DROP TABLE reports;

-- next migration
-- another statement of the transaction locks the table as much
CREATE TABLE shelves (id bigint PRIMARY KEY, room text, colour text);
CREATE INDEX shelves_room_idx ON shelves (room);
CREATE INDEX shelves_colour_idx ON shelves (colour);
CREATE TABLE walls (id bigint PRIMARY KEY, colour text);
CREATE INDEX walls_colour_idx ON walls (colour);

-- next migration
BEGIN;
DROP INDEX shelves_room_idx;
DROP INDEX walls_colour_idx; -- expect: drop-index-not-concurrent -- expect: many-tables-locked
ALTER TABLE shelves DROP COLUMN room;
COMMIT;
DROP INDEX shelves_colour_idx; -- expect: drop-index-not-concurrent
ALTER TABLE shelves DROP COLUMN colour;

-- next migration
CREATE TABLE lamps (id bigint PRIMARY KEY, room text, colour text, price int);
CREATE INDEX lamps_room_idx ON lamps (room);
CREATE INDEX lamps_colour_idx ON lamps (colour);
CREATE INDEX lamps_price_idx ON lamps (price);

-- next migration
-- the index that replaces it is reported with the DROP in its safe way; that of another index is not
BEGIN;
DROP INDEX lamps_room_idx;
DROP INDEX lamps_colour_idx; -- expect: drop-index-not-concurrent
CREATE INDEX lamps_room_idx ON lamps (room, price); -- expect: index-not-concurrent
COMMIT;
DROP INDEX lamps_price_idx; -- expect: drop-index-not-concurrent
CREATE INDEX lamps_price_idx ON lamps (price, room); -- expect: index-not-concurrent
