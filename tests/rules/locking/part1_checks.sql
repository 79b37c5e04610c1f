ALTER TABLE orders ADD CHECK (qty > 0); -- expect: check-validates
ALTER TABLE orders ADD CHECK (qty > 0) NOT VALID;
ALTER TABLE orders ADD CHECK (qty > 0) NOT ENFORCED;
ALTER TABLE orders
    ADD CONSTRAINT a CHECK (qty > 0) NOT VALID,
    ADD CONSTRAINT b CHECK (qty < 1000), -- expect: check-validates
    ALTER COLUMN qty SET DEFAULT 1;
ALTER TABLE orders ADD COLUMN a bigint CHECK (a > 0); -- expect: check-validates
ALTER TABLE orders ADD COLUMN b bigint DEFAULT 1 CHECK (b > 0) CHECK (b < 9); -- expect: check-validates

-- one cause, one finding: the rewrite also checks every row
ALTER TABLE orders ADD COLUMN c uuid DEFAULT gen_random_uuid() CHECK (c IS NOT NULL); -- expect: add-column-rewrites

-- next migration
CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint);
ALTER TABLE parcels ADD CHECK (weight > 0);
CREATE TABLE IF NOT EXISTS boxes (id bigint PRIMARY KEY, weight bigint);
ALTER TABLE boxes ADD CHECK (weight > 0); -- expect: check-validates
CREATE TEMPORARY TABLE found AS SELECT * FROM parcels;
ALTER TABLE found ADD CHECK (weight > 0);
ALTER TABLE IF EXISTS found ADD CHECK (weight < 10);

-- next migration
ALTER TABLE parcels ADD CHECK (weight < 100); -- expect: check-validates
DROP TABLE boxes;
ALTER TABLE IF EXISTS boxes ADD CHECK (weight < 100);
CREATE TABLE copies AS SELECT * FROM parcels;
ALTER TABLE copies ADD CHECK (weight > 0); -- expect: check-validates

-- next migration
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits (id bigint, day date) PARTITION BY RANGE (day);
ALTER TABLE events ADD CHECK (id > 0);

-- next migration
ALTER TABLE events ADD CHECK (id > 1); -- expect: check-validates
-- a program creates its partitions
ALTER TABLE visits ADD CHECK (id > 1); -- expect: check-validates
