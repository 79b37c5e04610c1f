-- What PostgreSQL 19 adds. The counters of a partition that is dropped are lost, so those that are merged or split are left out.

-- case: repack a table
-- versions: 19-
REPACK orders;
-- case: repack a table by an index
-- versions: 19-
REPACK orders USING INDEX orders_customer_idx;
-- case: repack a table, concurrently off
-- versions: 19-
REPACK (CONCURRENTLY off) orders;
-- case: repack a table concurrently that has no primary key
-- versions: 19-
-- refused
REPACK (CONCURRENTLY) loose;
-- case: repack a partitioned table concurrently
-- versions: 19-
-- refused
REPACK (CONCURRENTLY) events;
-- case: repack every table concurrently
-- versions: 19-
-- refused
REPACK (CONCURRENTLY);
-- case: repack a table and analyze it
-- versions: 19-
REPACK (ANALYZE) orders;
-- case: repack a table by the index of an earlier CLUSTER
-- versions: 19-
REPACK ledger USING INDEX;
-- case: repack a table that was never clustered by its index
-- versions: 19-
-- refused
REPACK loose USING INDEX;
-- case: repack a materialized view
-- versions: 19-
REPACK sales;
-- case: repack a view
-- versions: 19-
-- refused
REPACK order_totals;
-- case: repack a partitioned table
-- versions: 19-
REPACK events;
-- case: repack a partitioned table by an index
-- versions: 19-
REPACK events USING INDEX events_kind_idx;
-- case: repack a partition
-- versions: 19-
REPACK events_2020;
-- case: repack a table that others inherit from
-- versions: 19-
REPACK animals;
-- case: enforce a check
-- versions: 19-
ALTER TABLE orders ADD CONSTRAINT cheap CHECK (total < 1000) NOT ENFORCED;
ALTER TABLE orders ALTER CONSTRAINT cheap ENFORCED;
-- case: no longer enforce a check
-- versions: 19-
ALTER TABLE orders ALTER CONSTRAINT orders_price_positive NOT ENFORCED;
-- case: enforce a check of a partitioned table
-- versions: 19-
ALTER TABLE events ADD CONSTRAINT few CHECK (amount < 1000) NOT ENFORCED;
ALTER TABLE events ALTER CONSTRAINT few ENFORCED;
-- case: validate a check of a domain on 19
-- versions: 19-
ALTER DOMAIN short_label ADD CONSTRAINT short CHECK (length(VALUE) < 20) NOT VALID;
ALTER DOMAIN short_label VALIDATE CONSTRAINT short;
-- case: merge two partitions
-- versions: 19-
-- apart from: events_2020, events_2021
ALTER TABLE events MERGE PARTITIONS (events_2020, events_2021) INTO events_old;
-- case: merge two partitions into one of them
-- versions: 19-
-- apart from: visits_eu, visits_us
ALTER TABLE visits MERGE PARTITIONS (visits_eu, visits_us) INTO visits_eu;
-- case: merge a partition into the default
-- versions: 19-
-- apart from: visits_us, visits_rest
ALTER TABLE visits MERGE PARTITIONS (visits_us, visits_rest) INTO visits_rest;
-- case: merge partitions that are not neighbours
-- versions: 19-
-- refused
CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
ALTER TABLE events MERGE PARTITIONS (events_2020, events_2030) INTO events_both;
-- case: merge hash partitions
-- versions: 19-
-- refused
ALTER TABLE parcels MERGE PARTITIONS (parcels_0, parcels_1) INTO parcels_all;
-- case: merge one partition
-- versions: 19-
-- refused
ALTER TABLE events MERGE PARTITIONS (events_2020) INTO events_all;
-- case: split a partition
-- versions: 19-
-- apart from: events_2020
ALTER TABLE events SPLIT PARTITION events_2020 INTO (
    PARTITION events_2020a FOR VALUES FROM ('2020-01-01') TO ('2020-07-01'),
    PARTITION events_2020b FOR VALUES FROM ('2020-07-01') TO ('2021-01-01')
);
-- case: split a partition that keeps its name
-- versions: 19-
-- apart from: visits_eu
ALTER TABLE visits SPLIT PARTITION visits_eu INTO (
    PARTITION visits_eu FOR VALUES IN ('de'),
    PARTITION visits_fr FOR VALUES IN ('fr')
);
-- case: split the default
-- versions: 19-
-- apart from: visits_rest
ALTER TABLE visits SPLIT PARTITION visits_rest INTO (
    PARTITION visits_br FOR VALUES IN ('br'),
    PARTITION visits_rest DEFAULT
);
-- case: split a partition, and a value is left out
-- versions: 19-
-- refused
ALTER TABLE visits SPLIT PARTITION visits_eu INTO (
    PARTITION visits_de FOR VALUES IN ('de'),
    PARTITION visits_it FOR VALUES IN ('it')
);
-- case: split a partition of a table that others refer to
-- versions: 19-
-- apart from: events_2021
ALTER TABLE events SPLIT PARTITION events_2021 INTO (
    PARTITION events_2021a FOR VALUES FROM ('2021-01-01') TO ('2021-03-01'),
    PARTITION events_2021b FOR VALUES FROM ('2021-03-01') TO ('2022-01-01')
);
-- case: on conflict do select
-- versions: 19-
INSERT INTO coupons VALUES ('c1', 5) ON CONFLICT (code) DO SELECT RETURNING discount;
-- case: create a property graph
-- versions: 19-
-- gap: the tables of a property graph are not read
CREATE PROPERTY GRAPH trade VERTEX TABLES (customers KEY (id), coupons KEY (code));
-- case: group by all, which 19beta2 took back
-- versions: 19-
-- refused
SELECT status, count(*) FROM orders GROUP BY ALL;
-- case: grant on a property graph
-- versions: 19-
CREATE PROPERTY GRAPH trade VERTEX TABLES (customers KEY (id));
GRANT SELECT ON PROPERTY GRAPH trade TO clerk;
-- case: drop a property graph
-- versions: 19-
CREATE PROPERTY GRAPH trade VERTEX TABLES (customers KEY (id));
DROP PROPERTY GRAPH trade;
