CREATE TABLE customers (id bigint PRIMARY KEY, region text, UNIQUE (id, region));
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    a bigint REFERENCES customers, -- expect: foreign-key-without-index
    b bigint REFERENCES customers,
    c bigint,
    region text,
    d bigint REFERENCES customers,
    e bigint UNIQUE REFERENCES customers,
    CONSTRAINT pair FOREIGN KEY (c, region) REFERENCES customers (id, region),
    CONSTRAINT other FOREIGN KEY (a, region) REFERENCES customers (id, region) -- expect: foreign-key-without-index
);
CREATE INDEX ON orders (b) WHERE b IS NOT NULL;
-- in any order
CREATE INDEX ON orders (region, c, d);
CREATE INDEX ON orders USING hash (d);

-- next migration
-- a partial index that excludes rows does not count, nor does a BRIN index
CREATE TABLE items (
    x bigint REFERENCES orders, -- expect: foreign-key-without-index
    y bigint REFERENCES orders, -- listed by the first finding
    gone boolean
);
CREATE INDEX ON items (x) WHERE NOT gone;
CREATE INDEX ON items USING brin (y);

-- next migration
-- the foreign key, the column or the table was dropped again
ALTER TABLE items ADD COLUMN z bigint CONSTRAINT z_fk REFERENCES orders;
ALTER TABLE items DROP CONSTRAINT z_fk;
ALTER TABLE items ADD COLUMN zz bigint REFERENCES orders;
ALTER TABLE items DROP COLUMN zz;
CREATE TABLE passing (a bigint REFERENCES orders);
DROP TABLE passing;
CREATE TEMP TABLE unseen (a bigint REFERENCES orders);

-- next migration
-- a table that no migration created may have unknown indexes
ALTER TABLE unknown ADD FOREIGN KEY (a) REFERENCES orders NOT VALID;
ALTER TABLE unknown ADD COLUMN b bigint REFERENCES orders;
ALTER TABLE items ADD CONSTRAINT z FOREIGN KEY (z) REFERENCES orders; -- expect: foreign-key-without-index
CREATE TABLE IF NOT EXISTS items (x bigint REFERENCES orders);
ALTER TABLE items ADD COLUMN IF NOT EXISTS x bigint REFERENCES orders;

-- next migration
-- partitions inherit the indexes of their parent
CREATE TABLE events (id bigint, order_id bigint REFERENCES orders) PARTITION BY LIST (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE INDEX ON events (order_id);

-- next migration
-- a unique index on some of the columns finds one row
CREATE TABLE places (id bigint PRIMARY KEY, day date, UNIQUE (id, day));
CREATE TABLE stays (
    id bigint,
    day date,
    place bigint,
    room bigint,
    PRIMARY KEY (id),
    UNIQUE (place, room),
    CONSTRAINT by_key FOREIGN KEY (id, day) REFERENCES places (id, day),
    CONSTRAINT by_part FOREIGN KEY (place, day) REFERENCES places (id, day) -- expect: foreign-key-without-index
);

-- next migration
-- a table with one row needs no index
CREATE TABLE settings (id boolean PRIMARY KEY DEFAULT true CHECK (id), buyer bigint REFERENCES customers (id));
CREATE TABLE limits (id integer PRIMARY KEY CHECK (id = 1), buyer bigint REFERENCES customers (id));
CREATE TABLE options (id integer PRIMARY KEY CHECK (id > 0), buyer bigint REFERENCES customers (id)); -- expect: foreign-key-without-index
