CREATE TABLE item (id bigint PRIMARY KEY, note text);
CREATE TABLE measure (at date, amount int) PARTITION BY RANGE (at);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE measure_2 PARTITION OF measure FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');

-- next migration
REPACK item; -- expect: maintenance-rewrites
REPACK (VERBOSE) item USING INDEX item_pkey; -- expect: maintenance-rewrites
REPACK; -- expect: maintenance-rewrites
REPACK (CONCURRENTLY) item;
REPACK (CONCURRENTLY true, ANALYZE) item USING INDEX;
ALTER TABLE measure MERGE PARTITIONS (measure_1, measure_2) INTO measure_12; -- expect: maintenance-rewrites

-- next migration
ALTER TABLE measure SPLIT PARTITION measure_12 INTO ( -- expect: maintenance-rewrites
    PARTITION measure_1 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'),
    PARTITION measure_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')
);
CREATE TABLE fresh (id bigint PRIMARY KEY);
REPACK fresh;
