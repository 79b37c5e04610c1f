-- Partitions: made, attached, detached; and what runs over a tree of them.

-- case: create one
CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: create one beside a default
CREATE TABLE visits_pl PARTITION OF visits FOR VALUES IN ('pl');
-- case: create the default
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- case: create a second default
-- refused
CREATE TABLE visits_rest2 PARTITION OF visits DEFAULT;
-- case: create one that overlaps
-- refused
CREATE TABLE events_2020b PARTITION OF events FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
-- case: create one whose rows are in the default
-- refused
CREATE TABLE visits_br PARTITION OF visits FOR VALUES IN ('br');
-- case: create one of a partition
CREATE TABLE logs_2020_top PARTITION OF logs_2020 FOR VALUES IN (5);
-- case: create one that is partitioned itself
CREATE TABLE logs_2030 PARTITION OF logs FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') PARTITION BY LIST (level);
-- case: create a hash partition that overlaps
-- refused
CREATE TABLE parcels_2 PARTITION OF parcels FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- case: create one with a constraint
CREATE TABLE events_2030 PARTITION OF events (kind NOT NULL, CHECK (amount > 0)) FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: create one if not exists, and it exists
CREATE TABLE IF NOT EXISTS events_2020 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: create one beside a default with a valid check
ALTER TABLE visits_rest ADD CONSTRAINT rest CHECK (region IS NOT NULL AND region <> 'pl');
CREATE TABLE visits_pl PARTITION OF visits FOR VALUES IN ('pl');
-- case: create a partitioned table
CREATE TABLE parts (id int) PARTITION BY LIST (id);
-- case: attach
ALTER TABLE logs ATTACH PARTITION logs_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
-- case: attach, proved by a check
ALTER TABLE logs ATTACH PARTITION logs_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
-- case: attach, proved by a check, but for null
ALTER TABLE logs_2023 ADD CHECK (day >= '2023-01-01' AND day < '2024-01-01');
ALTER TABLE logs ATTACH PARTITION logs_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
-- case: attach, proved by a check that is not valid
ALTER TABLE logs_2023 ADD CHECK (day IS NOT NULL AND day >= '2023-01-01' AND day < '2024-01-01') NOT VALID;
ALTER TABLE logs ATTACH PARTITION logs_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
-- case: attach beside a default
ALTER TABLE visits ATTACH PARTITION visits_asia FOR VALUES IN ('jp');
-- case: attach beside a default, proved by a check
ALTER TABLE visits ATTACH PARTITION visits_africa FOR VALUES IN ('eg', 'ke');
-- case: attach beside a default that has a check
ALTER TABLE visits_rest ADD CONSTRAINT rest CHECK (region IS NOT NULL AND region <> 'jp');
ALTER TABLE visits ATTACH PARTITION visits_asia FOR VALUES IN ('jp');
-- case: attach as the default
ALTER TABLE logs ATTACH PARTITION logs_2023 DEFAULT;
-- case: attach a table whose unique index stands behind no constraint
CREATE TABLE trips (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE trips_2025 (id int NOT NULL, day date NOT NULL, CHECK (day >= '2025-01-01' AND day < '2026-01-01'));
INSERT INTO trips_2025 SELECT n, '2025-06-01' FROM generate_series(1, 500) AS n;
CREATE UNIQUE INDEX ON trips_2025 (id, day);
ALTER TABLE trips ATTACH PARTITION trips_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- case: attach a table that has the primary key
CREATE TABLE trips (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE trips_2025 (id int, day date, CHECK (day >= '2025-01-01' AND day < '2026-01-01'), PRIMARY KEY (id, day));
INSERT INTO trips_2025 SELECT n, '2025-06-01' FROM generate_series(1, 500) AS n;
ALTER TABLE trips ATTACH PARTITION trips_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- case: attach an empty table to one with a foreign key
-- apart from: trips_2025
CREATE TABLE trips (id int, day date NOT NULL, customer_id int REFERENCES customers) PARTITION BY RANGE (day);
CREATE TABLE trips_2025 (id int, day date NOT NULL, customer_id int);
ALTER TABLE trips ATTACH PARTITION trips_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- case: attach a table that was made alike
CREATE TABLE logs_2030 (LIKE logs);
INSERT INTO logs_2030 SELECT '2030-05-05', 1, 'x' FROM generate_series(1, 300);
ALTER TABLE logs ATTACH PARTITION logs_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach a table with other columns
-- refused
ALTER TABLE logs ATTACH PARTITION visits_asia FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach what is attached
-- refused
ALTER TABLE logs ATTACH PARTITION logs_2021 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach rows that break the bound
-- refused
ALTER TABLE visits ATTACH PARTITION visits_asia FOR VALUES IN ('cn');
-- case: attach where an index is to be made
CREATE TABLE events_2030 (id bigint NOT NULL, day date NOT NULL, kind text, amount int, customer_id int, padding text);
INSERT INTO events_2030 SELECT n, '2030-05-05', 'kind', 1, 1 FROM generate_series(1, 300) AS n;
ALTER TABLE events ATTACH PARTITION events_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach where the indexes are there
CREATE TABLE events_2030 (LIKE events INCLUDING INDEXES, CHECK (day >= '2030-01-01' AND day < '2031-01-01'));
INSERT INTO events_2030 SELECT n, '2030-05-05', 'kind', 1, 1 FROM generate_series(1, 300) AS n;
ALTER TABLE events ATTACH PARTITION events_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach where the indexes and the foreign key are there
CREATE TABLE events_2030 (LIKE events INCLUDING INDEXES, FOREIGN KEY (customer_id) REFERENCES customers, CHECK (day >= '2030-01-01' AND day < '2031-01-01'));
INSERT INTO events_2030 SELECT n, '2030-05-05', 'kind', 1, 1 FROM generate_series(1, 300) AS n;
ALTER TABLE events ATTACH PARTITION events_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach a partitioned table
CREATE TABLE logs_2030 (LIKE logs) PARTITION BY LIST (level);
CREATE TABLE logs_2030_low PARTITION OF logs_2030 FOR VALUES IN (1);
INSERT INTO logs_2030 SELECT '2030-05-05', 1, 'x' FROM generate_series(1, 300);
ALTER TABLE logs ATTACH PARTITION logs_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: attach to a partition
CREATE TABLE top (LIKE logs);
INSERT INTO top SELECT '2020-05-05', 9, 'x' FROM generate_series(1, 300);
ALTER TABLE logs_2020 ATTACH PARTITION top FOR VALUES IN (9);
-- case: attach beside a default that is partitioned
CREATE TABLE tree (a int, b int) PARTITION BY LIST (a);
CREATE TABLE tree_rest PARTITION OF tree DEFAULT PARTITION BY LIST (b);
CREATE TABLE tree_rest_1 PARTITION OF tree_rest FOR VALUES IN (1);
INSERT INTO tree SELECT 5, 1 FROM generate_series(1, 300);
CREATE TABLE tree_1 (a int, b int);
INSERT INTO tree_1 SELECT 1, 1 FROM generate_series(1, 300);
ALTER TABLE tree ATTACH PARTITION tree_1 FOR VALUES IN (1);
-- case: attach, proved by a check over a larger range
CREATE TABLE logs_2030 (LIKE logs, CHECK (day IS NOT NULL AND day >= '2030-03-01' AND day < '2030-04-01'));
INSERT INTO logs_2030 SELECT '2030-03-05', 1, 'x' FROM generate_series(1, 300);
ALTER TABLE logs ATTACH PARTITION logs_2030 FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
-- case: detach
ALTER TABLE logs DETACH PARTITION logs_2021;
-- case: detach beside a default
ALTER TABLE visits DETACH PARTITION visits_eu;
-- case: detach the default
ALTER TABLE visits DETACH PARTITION visits_rest;
-- case: detach with a foreign key
DROP TABLE event_notes;
ALTER TABLE events DETACH PARTITION events_2020;
-- case: detach what a foreign key refers to
-- refused
ALTER TABLE events DETACH PARTITION events_2020;
-- case: detach an unreferenced part of what a foreign key refers to
ALTER TABLE events DETACH PARTITION events_2021;
-- case: detach partitions of partitions
ALTER TABLE logs DETACH PARTITION logs_2020;
-- case: detach from a partition
ALTER TABLE logs_2020 DETACH PARTITION logs_2020_low;
-- case: detach what is no partition
-- refused
ALTER TABLE logs DETACH PARTITION logs_2022;
-- case: detach concurrently
ALTER TABLE logs DETACH PARTITION logs_2021 CONCURRENTLY;
-- case: detach concurrently beside a default
-- refused
ALTER TABLE visits DETACH PARTITION visits_eu CONCURRENTLY;
-- case: detach concurrently with a foreign key
DROP TABLE event_notes;
ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY;
-- case: detach, finalize, and nothing is pending
-- refused
ALTER TABLE logs DETACH PARTITION logs_2021 FINALIZE;
-- case: drop one
DROP TABLE logs_2021;
-- case: drop one beside a default
DROP TABLE visits_eu;
-- case: drop the default
DROP TABLE visits_rest;
-- case: drop one with indexes and a foreign key
DROP TABLE event_notes;
DROP TABLE events_2021;
-- case: drop one that a foreign key refers to
-- refused
DROP TABLE events_2020;
-- case: drop the tree
DROP TABLE visits;
-- case: drop the tree of trees
DROP TABLE logs;
-- case: drop a tree inside
DROP TABLE logs_2020;
-- case: drop the tree that a foreign key refers to, cascade
DROP TABLE events CASCADE;
-- case: truncate the tree
TRUNCATE visits;
-- case: truncate only the root
-- refused
TRUNCATE ONLY visits;
-- case: truncate one of a tree that a foreign key refers to
-- refused
TRUNCATE events_2020;
-- case: truncate one of a tree that a foreign key refers to, cascade
TRUNCATE events_2020 CASCADE;
-- case: truncate one
TRUNCATE visits_eu;
-- case: rename the tree
ALTER TABLE visits RENAME TO v;
-- case: rename one
ALTER TABLE visits_eu RENAME TO v;
-- case: rename a column of the tree
ALTER TABLE visits RENAME COLUMN page TO url;
-- case: rename a column of one
-- refused
ALTER TABLE visits_eu RENAME COLUMN page TO url;
-- case: schema of the tree
ALTER TABLE visits SET SCHEMA archive;
-- case: schema of one
ALTER TABLE visits_eu SET SCHEMA archive;
-- case: owner of the tree
ALTER TABLE visits OWNER TO clerk;
-- case: owner of one
ALTER TABLE visits_eu OWNER TO clerk;
-- case: tablespace of the tree
ALTER TABLE visits SET TABLESPACE shelf;
-- case: tablespace of one
ALTER TABLE visits_eu SET TABLESPACE shelf;
-- case: options of one
ALTER TABLE visits_eu SET (fillfactor = 80);
-- case: options of the tree
-- refused
ALTER TABLE visits SET (fillfactor = 80);
-- case: logged
ALTER TABLE visits_eu SET UNLOGGED;
-- case: row security of the tree
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
-- case: replica identity of the tree
ALTER TABLE visits REPLICA IDENTITY FULL;
-- case: a trigger on the tree
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION touch();
-- case: a statement trigger on the tree
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH STATEMENT EXECUTE FUNCTION touch();
-- case: a trigger on partitions of partitions
CREATE TRIGGER t AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION touch();
-- case: a trigger on one
CREATE TRIGGER t AFTER INSERT ON visits_eu FOR EACH ROW EXECUTE FUNCTION touch();
-- case: drop a trigger of the tree
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION touch();
DROP TRIGGER t ON visits;
-- case: rename a trigger of the tree
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TRIGGER t ON visits RENAME TO u;
-- case: disable a trigger of the tree
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE visits DISABLE TRIGGER t;
-- case: disable a trigger of only the root
CREATE TRIGGER t AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE ONLY visits DISABLE TRIGGER t;
-- case: a policy on the tree
CREATE POLICY p ON visits USING (true);
-- case: grant on the tree
GRANT SELECT ON visits TO clerk;
-- case: comment on the tree
COMMENT ON TABLE visits IS 'x';
-- case: publish the tree
CREATE PUBLICATION all_visits FOR TABLE visits;
-- case: statistics on the tree
CREATE STATISTICS s ON region, page FROM visits;
-- case: cluster the tree
-- versions: 15-
CLUSTER events USING events_kind_idx;
-- case: cluster one
CLUSTER events_2020 USING events_2020_kind_idx;
-- case: vacuum the tree
VACUUM visits;
-- case: vacuum fully the tree
VACUUM FULL visits;
-- case: vacuum fully partitions of partitions
VACUUM FULL logs;
-- case: analyze the tree
ANALYZE visits;
-- case: analyze only the root
-- versions: 18-
-- apart from: visits_eu, visits_rest, visits_us
ANALYZE ONLY visits;
-- case: vacuum and analyze the tree
VACUUM ANALYZE visits;
-- case: lock the tree
LOCK TABLE visits;
-- case: lock only the root
LOCK TABLE ONLY visits IN SHARE MODE;
-- case: attach to no partitioned table
-- refused
ALTER TABLE animals ATTACH PARTITION cats FOR VALUES IN (1);
