CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, day date);
CREATE MATERIALIZED VIEW totals AS SELECT day, sum(total) AS total FROM orders GROUP BY day;
CREATE MATERIALIZED VIEW days AS SELECT day FROM orders GROUP BY day;
CREATE UNIQUE INDEX days_day_key ON days (day);
REFRESH MATERIALIZED VIEW totals;
REFRESH MATERIALIZED VIEW totals WITH NO DATA;
-- new or not, it is refused
REFRESH MATERIALIZED VIEW CONCURRENTLY totals; -- expect: refresh-not-concurrent

-- next migration
REFRESH MATERIALIZED VIEW totals; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW totals WITH NO DATA; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW days; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW CONCURRENTLY days;
REFRESH MATERIALIZED VIEW CONCURRENTLY totals; -- expect: refresh-not-concurrent

-- next migration
CREATE UNIQUE INDEX CONCURRENTLY totals_some_key ON totals (day) WHERE total > 0;
CREATE UNIQUE INDEX CONCURRENTLY totals_rounded_key ON totals (round(total));
CREATE INDEX CONCURRENTLY totals_total_idx ON totals (total);
REFRESH MATERIALIZED VIEW CONCURRENTLY totals; -- expect: refresh-not-concurrent
CREATE UNIQUE INDEX CONCURRENTLY totals_key ON totals (day);
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- next migration
DROP INDEX CONCURRENTLY totals_key;
REFRESH MATERIALIZED VIEW CONCURRENTLY totals; -- expect: refresh-not-concurrent

-- next migration
-- an index that is built while it runs may be such an index
DO $$
DECLARE
    one text;
BEGIN
    FOR one IN SELECT ddl FROM todo LOOP
        EXECUTE one;
    END LOOP;
END $$;
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- next migration
REFRESH MATERIALIZED VIEW app.unknown; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW CONCURRENTLY app.unknown;
CREATE MATERIALIZED VIEW IF NOT EXISTS maybe AS SELECT 1 AS id;
REFRESH MATERIALIZED VIEW maybe; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW CONCURRENTLY maybe;

-- next migration
CREATE FUNCTION refresh_all() RETURNS void LANGUAGE sql AS 'REFRESH MATERIALIZED VIEW days';
DO $$
BEGIN
    REFRESH MATERIALIZED VIEW days; -- expect: refresh-not-concurrent
END $$;
SELECT refresh_all(); -- expect: refresh-not-concurrent

-- next migration
CREATE MATERIALIZED VIEW months AS SELECT day FROM orders GROUP BY day WITH NO DATA;

-- next migration
-- no SELECT can read a view without data
REFRESH MATERIALIZED VIEW months;
REFRESH MATERIALIZED VIEW months; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW months WITH NO DATA; -- expect: refresh-not-concurrent
REFRESH MATERIALIZED VIEW months WITH NO DATA;
