CREATE TABLE orders (id bigint PRIMARY KEY, a bigint, b bigint, c text, UNIQUE (a, b));
CREATE INDEX i1 ON orders (a); -- expect: redundant-index
CREATE INDEX i2 ON orders (b); -- expect: redundant-index
CREATE INDEX i3 ON orders (b DESC, c);
CREATE INDEX i4 ON orders (c); -- expect: redundant-index
CREATE INDEX i5 ON orders (c text_pattern_ops);
CREATE INDEX i6 ON orders (c) WHERE a > 0;
CREATE INDEX i7 ON orders (lower(c));
CREATE INDEX i8 ON orders (lower(c), a) WHERE a > 0;
CREATE INDEX i9 ON orders USING hash (c);
CREATE INDEX j1 ON orders (c) INCLUDE (a);
CREATE UNIQUE INDEX j2 ON orders (id); -- expect: redundant-index
CREATE INDEX j3 ON orders (b, a);
CREATE UNIQUE INDEX j4 ON orders (b, c, a);

-- next migration
-- corrected by the end of the migration
CREATE TABLE items (a bigint, b bigint);
CREATE INDEX items_a ON items (a);

-- next migration
CREATE INDEX CONCURRENTLY items_a_b ON items (a, b);
DROP INDEX CONCURRENTLY items_a;

-- next migration
-- a unique index also forbids duplicates
CREATE TABLE codes (a bigint, b bigint, UNIQUE (a));
CREATE UNIQUE INDEX ON codes (a, b);
CREATE INDEX IF NOT EXISTS codes_a_key ON codes (a);

-- next migration
CREATE INDEX CONCURRENTLY ON codes (a); -- expect: redundant-index
CREATE INDEX codes_b ON codes (b);

-- next migration
-- a later migration drops codes_b
CREATE INDEX CONCURRENTLY codes_b_a ON codes (b, a);

-- next migration
-- the indexes of partitions are not reported again
CREATE TABLE events (id bigint, at date) PARTITION BY LIST (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE INDEX ON events (at);

-- next migration
-- PostgreSQL refuses a second primary key
CREATE TABLE rooms (id bigint PRIMARY KEY, taken text NOT NULL, UNIQUE (id, taken));
CREATE INDEX ON rooms (taken);
ALTER TABLE rooms ADD PRIMARY KEY (taken, id);
ALTER TABLE rooms ADD PRIMARY KEY (id, taken);

-- next migration
-- another key that replaces the first one
CREATE TABLE desks (id bigint PRIMARY KEY, taken text NOT NULL);
CREATE INDEX ON desks (taken); -- expect: redundant-index
ALTER TABLE desks ADD PRIMARY KEY (taken, id), DROP CONSTRAINT desks_pkey;
