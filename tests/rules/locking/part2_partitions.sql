CREATE TABLE events (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 (id bigint NOT NULL, at date NOT NULL);
CREATE TABLE events_2027 (id bigint NOT NULL, at date NOT NULL, CHECK (at >= '2027-01-01' AND at < '2028-01-01'));
CREATE TABLE events_2028 (id bigint NOT NULL, at date NOT NULL);
ALTER TABLE events_2028 ADD CONSTRAINT bound CHECK (at >= '2028-01-01' AND at < '2029-01-01') NOT VALID;
CREATE TABLE events_2029 (id bigint NOT NULL, at date NOT NULL);
CREATE TABLE logs (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
CREATE TABLE logs_2023 PARTITION OF logs FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE regions (id bigint, code text NOT NULL) PARTITION BY LIST (code);
CREATE TABLE regions_eu (id bigint, code text NOT NULL, CHECK (code IN ('de', 'fr')));
CREATE TABLE halves (id bigint) PARTITION BY HASH (id);
CREATE TABLE halves_0 (id bigint);

-- next migration
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); -- expect: partition-of-locks-parent
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); -- expect: attach-partition-scans
CREATE TABLE events_2026 (LIKE events);
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
ALTER TABLE events ATTACH PARTITION events_2028 FOR VALUES FROM ('2028-01-01') TO ('2029-01-01'); -- expect: attach-partition-scans
ALTER TABLE events DETACH PARTITION events_2023; -- expect: detach-not-concurrent
ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;
ALTER TABLE events DETACH PARTITION events_2025 FINALIZE;
CREATE TABLE IF NOT EXISTS events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE IF NOT EXISTS events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01'); -- expect: partition-of-locks-parent
CREATE TABLE events_2031 PARTITION OF app.unknown FOR VALUES IN (1); -- expect: partition-of-locks-parent
ALTER TABLE app.unknown ATTACH PARTITION app.other FOR VALUES IN (2); -- expect: attach-partition-scans
ALTER TABLE app.unknown DETACH PARTITION app.other; -- expect: detach-not-concurrent

-- next migration
-- a default partition is scanned for rows that belong to the new one, and PostgreSQL refuses CONCURRENTLY
ALTER TABLE logs DETACH PARTITION logs_2023;
CREATE TABLE logs_2024 (LIKE logs);
ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); -- expect: attach-partition-scans
CREATE TABLE logs_2025 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); -- expect: partition-of-locks-parent

-- next migration
ALTER TABLE logs_rest ADD CONSTRAINT not_2026 CHECK (at IS NULL OR at < '2026-01-01' OR at >= '2027-01-01') NOT VALID;

-- next migration
ALTER TABLE logs_rest VALIDATE CONSTRAINT not_2026;
CREATE TABLE logs_2026 (LIKE logs);
ALTER TABLE logs ATTACH PARTITION logs_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- next migration
ALTER TABLE regions ATTACH PARTITION regions_eu FOR VALUES IN ('de', 'fr', 'it');
ALTER TABLE halves ATTACH PARTITION halves_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); -- expect: attach-partition-scans

-- next migration
-- for an unknown table, a CHECK that matches the bound counts as proof
ALTER TABLE orders_2023 ADD CONSTRAINT bound CHECK (at IS NOT NULL AND at >= '2023-01-01' AND at < '2024-01-01') NOT VALID;
ALTER TABLE orders_2025 ADD CONSTRAINT bound CHECK (at >= '2025-01-01' AND at < '2026-01-01') NOT VALID;
ALTER TABLE places_eu ADD CONSTRAINT bound CHECK (code IS NOT NULL AND code IN ('de', 'fr')) NOT VALID;
ALTER TABLE pairs_1 ADD CONSTRAINT bound CHECK (b IS NOT NULL AND a IS NOT NULL AND (a > 1 OR a = 1 AND b >= 1) AND (a < 2 OR a = 2 AND b < 1)) NOT VALID;
ALTER TABLE orders_2026 ADD CONSTRAINT bound CHECK (at IS NOT NULL AND at >= '2026-01-01' AND at < '2027-01-01') NOT VALID;

-- next migration
ALTER TABLE orders_2023 VALIDATE CONSTRAINT bound;
ALTER TABLE orders ATTACH PARTITION orders_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
-- null is in no range
ALTER TABLE orders_2025 VALIDATE CONSTRAINT bound;
ALTER TABLE orders ATTACH PARTITION orders_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); -- expect: attach-partition-scans
ALTER TABLE places_eu VALIDATE CONSTRAINT bound;
ALTER TABLE places ATTACH PARTITION places_eu FOR VALUES IN ('de', 'fr');
ALTER TABLE pairs_1 VALIDATE CONSTRAINT bound;
ALTER TABLE pairs ATTACH PARTITION pairs_1 FOR VALUES FROM (1, 1) TO (2, 1);
-- it was never validated
ALTER TABLE orders ATTACH PARTITION orders_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); -- expect: attach-partition-scans

-- next migration
CREATE TABLE visits (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE visits DETACH PARTITION visits_2025;
ALTER TABLE visits ATTACH PARTITION visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO visits SELECT id, at FROM events;
CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE visits DETACH PARTITION visits_2024;

-- next migration
-- an index of the parent is built on the new partition
CREATE INDEX CONCURRENTLY events_2029_at_idx ON events_2029 (at);
ALTER TABLE events_2029 ADD CONSTRAINT bound CHECK (at >= '2029-01-01' AND at < '2030-01-01'); -- expect: check-validates
CREATE INDEX events_at_idx ON ONLY events (at);
CREATE INDEX events_id_idx ON ONLY events (id);
ALTER TABLE events ATTACH PARTITION events_2029 FOR VALUES FROM ('2029-01-01') TO ('2030-01-01'); -- expect: attach-partition-scans

-- next migration
DO $$
BEGIN
    CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); -- expect: partition-of-locks-parent
    ALTER TABLE visits DETACH PARTITION visits_2025; -- expect: detach-not-concurrent
END $$;
CREATE FUNCTION more_visits() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE visits_2027 PARTITION OF visits FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
END $$;
