-- a unique constraint without the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused before 19: unique constraint on partitioned table must include all partitioning columns
-- refused since 19: UNIQUE constraint on partitioned table must include all partitioning columns
ALTER TABLE events ADD CONSTRAINT events_id_key UNIQUE (id);

-- a primary key without the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused before 19: unique constraint on partitioned table must include all partitioning columns
-- refused since 19: PRIMARY KEY constraint on partitioned table must include all partitioning columns
ALTER TABLE events ADD PRIMARY KEY (id);

-- a unique constraint with the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- accepted
ALTER TABLE events ADD CONSTRAINT events_id_key UNIQUE (day, id);

-- a unique constraint of a partition
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
ALTER TABLE events_2025 ADD CONSTRAINT events_id_key UNIQUE (id);

-- a unique index without the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused before 19: unique constraint on partitioned table must include all partitioning columns
-- refused since 19: UNIQUE constraint on partitioned table must include all partitioning columns
CREATE UNIQUE INDEX events_id_idx ON events (id);

-- an index without the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- accepted
CREATE INDEX events_id_idx ON events (id);

-- CREATE TABLE with a key without the partition key
-- refused before 19: unique constraint on partitioned table must include all partitioning columns
-- refused since 19: PRIMARY KEY constraint on partitioned table must include all partitioning columns
CREATE TABLE events (id bigint PRIMARY KEY, day date) PARTITION BY RANGE (day);

-- a column with a unique constraint is added
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused before 19: unique constraint on partitioned table must include all partitioning columns
-- refused since 19: UNIQUE constraint on partitioned table must include all partitioning columns
ALTER TABLE events ADD COLUMN code text UNIQUE;

-- the partition key is an expression
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE ((extract(year FROM day)));
-- refused: unsupported PRIMARY KEY constraint with partition key definition
ALTER TABLE events ADD PRIMARY KEY (id, day);

-- a foreign key NOT VALID
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused before 18: cannot add NOT VALID foreign key on partitioned table "events" referencing relation "depots"
ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES depots NOT VALID;

-- a foreign key that is checked
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- accepted
ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES depots;

-- USING INDEX on a partitioned table
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE UNIQUE INDEX events_idx ON events (day, id);
-- refused: ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables
ALTER TABLE events ADD CONSTRAINT events_key UNIQUE USING INDEX events_idx;

-- DETACH CONCURRENTLY beside a default partition
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- refused: cannot detach partitions concurrently when a default partition exists
ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;

-- DETACH CONCURRENTLY without a default partition
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;

-- DETACH of a table that is no partition
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id bigint, day date);
-- refused: relation "events_2025" is not a partition of relation "events"
ALTER TABLE events DETACH PARTITION events_2025;

-- ATTACH of a table with another column
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id bigint, day date, note text);
-- refused: table "events_2025" contains column "note" not found in parent "events"
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a table that lacks a column
CREATE TABLE events (id bigint, day date, note text) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id bigint, day date);
-- refused: child table is missing column "note"
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a table with another type
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id integer, day date);
-- refused: child table "events_2025" has different type for column "id"
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a table whose column may be null
CREATE TABLE events (id bigint NOT NULL, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id bigint, day date);
-- refused before 18: column "id" in child table must be marked NOT NULL
-- refused since 18: column "id" in child table "events_2025" must be marked NOT NULL
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a table that lacks a CHECK
CREATE TABLE events (id bigint, day date, CONSTRAINT positive CHECK (id > 0)) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (id bigint, day date);
-- refused: child table is missing constraint "positive"
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a fitting table
CREATE TABLE events (id bigint NOT NULL, day date, CONSTRAINT positive CHECK (id > 0)) PARTITION BY RANGE (day);
CREATE TABLE events_2025 (day date, id bigint NOT NULL, CONSTRAINT positive CHECK (id > 0));
-- accepted
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH to a table that is not partitioned
CREATE TABLE events (id bigint, day date);
CREATE TABLE events_2025 (id bigint, day date);
-- refused before 18: table "events" is not partitioned
-- refused since 18: ALTER action ATTACH PARTITION cannot be performed on relation "events"
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- ATTACH of a partition of another table
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: "events_2025" is already a partition
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- a second default partition
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- refused: partition "events_other" conflicts with existing default partition "events_rest"
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- bounds that overlap
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: partition "events_june" would overlap partition "events_2025"
CREATE TABLE events_june PARTITION OF events FOR VALUES FROM ('2025-06-01') TO ('2025-07-01');

-- bounds that touch
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- a value of a list that another partition has
CREATE TABLE events (id bigint, kind text) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a', 'b');
-- refused: partition "events_b" would overlap partition "events_a"
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');

-- a column of the partition key is dropped
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused: cannot drop column "day" because it is part of the partition key of relation "events"
ALTER TABLE events DROP COLUMN day;

-- the type of a column of the partition key
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused: cannot alter column "day" because it is part of the partition key of relation "events"
ALTER TABLE events ALTER COLUMN day TYPE timestamptz;

-- a column of the key's expression
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE ((extract(year FROM day)));
-- refused: cannot drop column "day" because it is part of the partition key of relation "events"
ALTER TABLE events DROP COLUMN day;

-- another column of a partitioned table
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- accepted
ALTER TABLE events DROP COLUMN id;

-- an inherited column
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot drop inherited column "id"
ALTER TABLE events_2025 DROP COLUMN id;

-- the type of an inherited column
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot alter inherited column "id"
ALTER TABLE events_2025 ALTER COLUMN id TYPE bigint;

-- the name of an inherited column
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot rename inherited column "id"
ALTER TABLE events_2025 RENAME COLUMN id TO number;

-- a column is added to a partition
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot add column to a partition
ALTER TABLE events_2025 ADD COLUMN note text;

-- an inherited constraint
CREATE TABLE events (id integer, day date, CONSTRAINT positive CHECK (id > 0)) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot drop inherited constraint "positive" of relation "events_2025"
ALTER TABLE events_2025 DROP CONSTRAINT positive;

-- only the parent gets a column
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: column must be added to child tables too
ALTER TABLE ONLY events ADD COLUMN note text;

-- only the parent gets a constraint
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: constraint must be added to child tables too
ALTER TABLE ONLY events ADD CONSTRAINT positive CHECK (id > 0);

-- only the parent loses a column
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: cannot drop column from only the partitioned table when partitions exist
ALTER TABLE ONLY events DROP COLUMN id;

-- the index of a partition is dropped with its parent
CREATE TABLE events (id integer, day date) PARTITION BY RANGE (day);
CREATE INDEX events_id_idx ON events (id);
-- accepted
DROP INDEX events_id_idx;

-- an exclusion constraint
CREATE TABLE orders (id integer, during int4range) PARTITION BY RANGE (id);
-- refused before 17: exclusion constraints are not supported on partitioned tables
-- refused since 19: EXCLUDE constraint on partitioned table must include all partitioning columns
-- refused since 17: unique constraint on partitioned table must include all partitioning columns
ALTER TABLE orders ADD EXCLUDE USING gist (during WITH &&);

-- an exclusion constraint with the partition key
CREATE TABLE orders (id integer, qty integer) PARTITION BY RANGE (id);
-- refused before 17: exclusion constraints are not supported on partitioned tables
-- accepted
ALTER TABLE orders ADD EXCLUDE (qty WITH =, id WITH =);

-- an exclusion constraint that compares the partition key otherwise
CREATE TABLE orders (id integer, during int4range) PARTITION BY RANGE (during);
-- refused before 17: exclusion constraints are not supported on partitioned tables
-- refused since 17: cannot match partition key to index on column "during" using non-equal operator "&&"
ALTER TABLE orders ADD EXCLUDE USING gist (during WITH &&);

-- an exclusion constraint of a new partitioned table
CREATE TABLE persons (id integer);
-- refused before 17: exclusion constraints are not supported on partitioned tables
-- refused since 19: EXCLUDE constraint on partitioned table must include all partitioning columns
-- refused since 17: unique constraint on partitioned table must include all partitioning columns
CREATE TABLE orders (id integer, qty integer, EXCLUDE (qty WITH =)) PARTITION BY RANGE (id);

-- an exclusion constraint with an expression as partition key
CREATE TABLE orders (id integer, qty integer) PARTITION BY RANGE ((id + 1));
-- refused before 17: exclusion constraints are not supported on partitioned tables
-- refused since 17: unsupported EXCLUDE constraint with partition key definition
ALTER TABLE orders ADD EXCLUDE (qty WITH =);

-- a list key of two columns
-- refused: cannot use "list" partition strategy with more than one column
CREATE TABLE events (id bigint, kind text) PARTITION BY LIST (id, kind);

-- a key of no column
-- refused: column "day" named in partition key does not exist
CREATE TABLE events (id bigint, kind text) PARTITION BY RANGE (day);

-- values for a range
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused: invalid bound specification for a range partition
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN ('2026-01-01');

-- an empty range
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
-- refused: empty range bound specified for partition "events_1"
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-01-01');

-- a bound of too few values
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day, id);
-- refused: FROM must specify exactly one value per partitioning column
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');

-- a bound of another type
CREATE TABLE events (id bigint, kind integer) PARTITION BY LIST (kind);
-- refused: invalid input syntax for type integer: "small"
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN ('small');

-- NULL in two partitions
CREATE TABLE events (id bigint, kind integer) PARTITION BY LIST (kind);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1, NULL);
-- refused: partition "events_2" would overlap partition "events_1"
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2, NULL);

-- the same remainder
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- refused: partition "events_2" would overlap partition "events_1"
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- another remainder
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- accepted
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 4, REMAINDER 2);

-- a remainder that counts from 1
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
-- refused: remainder for hash partition must be less than modulus
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 2);

-- a modulus that is no multiple
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- refused: every hash partition modulus must be a factor of the next larger modulus
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 3, REMAINDER 0);

-- CLUSTER ON of a partitioned table
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
CREATE INDEX events_id ON events (id);
-- refused: cannot mark index clustered in partitioned table
ALTER TABLE events CLUSTER ON events_id;

-- a child of a partitioned table
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
-- refused: cannot inherit from partitioned table "events"
CREATE TABLE others () INHERITS (events);

-- ONLY with the rename of a column
CREATE TABLE events (id bigint, kind text) PARTITION BY HASH (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
-- refused: inherited column "kind" must be renamed in child tables too
ALTER TABLE ONLY events RENAME COLUMN kind TO sort;

-- DETACH of a dropped table
CREATE TABLE events (id bigint) PARTITION BY HASH (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
DROP TABLE events_1;
-- refused: relation "events_1" does not exist
ALTER TABLE events DETACH PARTITION events_1;

-- VALIDATE of a primary key
CREATE TABLE orders (id bigint CONSTRAINT orders_key PRIMARY KEY);
-- refused before 18: constraint "orders_key" of relation "orders" is not a foreign key or check constraint
-- refused since 18: cannot validate constraint "orders_key" of relation "orders"
ALTER TABLE orders VALIDATE CONSTRAINT orders_key;

-- DETACH of a table that was dropped
CREATE TABLE events (id bigint) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events DEFAULT;
DROP TABLE events_1;
-- refused: relation "events_1" does not exist
ALTER TABLE events DETACH PARTITION events_1;

-- DETACH from a table that IF EXISTS does not find
CREATE TABLE events (id bigint) PARTITION BY RANGE (id);
DROP TABLE events;
-- accepted
ALTER TABLE IF EXISTS events DETACH PARTITION events_1;

-- a range whose end is before its start
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
-- refused: empty range bound specified for partition "trips_2026"
CREATE TABLE trips_2026 PARTITION OF trips FOR VALUES FROM ('2026-12-01') TO ('2026-01-01');

-- a range of numbers whose end is before its start
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE trips_1 (id bigint NOT NULL, at date NOT NULL);
-- refused: empty range bound specified for partition "trips_1"
ALTER TABLE trips ATTACH PARTITION trips_1 FOR VALUES FROM (1000) TO (1);

-- a range that ends in the same year
CREATE TABLE trips (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
-- accepted
CREATE TABLE trips_2026 PARTITION OF trips FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');

-- a range on several columns whose second value is smaller
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at, id);
-- accepted
CREATE TABLE trips_2026 PARTITION OF trips FOR VALUES FROM ('2026-01-01', 5) TO ('2026-01-02', 1);

-- a partition of a plain table
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL);
-- refused: "trips" is not partitioned
CREATE TABLE trips_2026 PARTITION OF trips FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- a default partition of a plain table
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL);
-- refused: "trips" is not partitioned
CREATE TABLE trips_rest PARTITION OF trips DEFAULT;

-- ATTACH of a table with an identity column
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2026 (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL);
-- refused since 17: table "trips_2026" being attached contains an identity column "id"
-- accepted
ALTER TABLE trips ATTACH PARTITION trips_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- ATTACH of a table with an identity column to one that has it, too
CREATE TABLE trips (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2026 (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL);
-- refused since 17: table "trips_2026" being attached contains an identity column "id"
-- accepted
ALTER TABLE trips ATTACH PARTITION trips_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- an unlogged partitioned table
-- refused since 18: partitioned tables cannot be unlogged
CREATE UNLOGGED TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);

-- a partitioned table becomes unlogged
CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
-- refused since 18: ALTER action SET UNLOGGED cannot be performed on relation "logs"
ALTER TABLE logs SET UNLOGGED;

-- a partition becomes unlogged
CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE logs_2025 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
ALTER TABLE logs_2025 SET UNLOGGED;

-- a CHECK of a partitioned table that its partitions do not have
CREATE TABLE logs (at date NOT NULL, n integer) PARTITION BY RANGE (at);
-- refused: cannot add NO INHERIT constraint to partitioned table "logs"
ALTER TABLE logs ADD CONSTRAINT positive CHECK (n > 0) NO INHERIT;

-- a CHECK in the definition of a partitioned table that its partitions do not have
-- refused: cannot add NO INHERIT constraint to partitioned table "logs"
CREATE TABLE logs (at date NOT NULL, n integer CHECK (n > 0) NO INHERIT) PARTITION BY RANGE (at);

-- a column of a partitioned table with a CHECK that its partitions do not have
CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
-- refused: cannot add NO INHERIT constraint to partitioned table "logs"
ALTER TABLE logs ADD COLUMN n integer CHECK (n > 0) NO INHERIT;

-- a NOT NULL constraint of a partitioned table that its partitions do not have
-- not before 18
CREATE TABLE logs (at date NOT NULL, n integer) PARTITION BY RANGE (at);
-- refused: not-null constraints on partitioned tables cannot be NO INHERIT
ALTER TABLE logs ADD CONSTRAINT filled NOT NULL n NO INHERIT;

-- a CHECK of an ordinary table that is not inherited
CREATE TABLE logs (at date NOT NULL, n integer);
-- accepted
ALTER TABLE logs ADD CONSTRAINT positive CHECK (n > 0) NO INHERIT;

-- TRUNCATE of a partition of a referenced table
CREATE TABLE orders (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE items (order_id integer REFERENCES orders (id));
-- refused: cannot truncate a table referenced in a foreign key constraint
TRUNCATE orders_0;

-- TRUNCATE of a partition of a table that references another
CREATE TABLE orders (id integer PRIMARY KEY);
CREATE TABLE items (order_id integer REFERENCES orders (id)) PARTITION BY HASH (order_id);
CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 1, REMAINDER 0);
-- accepted
TRUNCATE items_0;

-- TRUNCATE of a table that inherits from a referenced one
CREATE TABLE orders (id integer PRIMARY KEY);
CREATE TABLE big_orders () INHERITS (orders);
CREATE TABLE items (order_id integer REFERENCES orders (id));
-- accepted
TRUNCATE big_orders;

-- bounds of the last days of months that overlap
CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_26 PARTITION OF events FOR VALUES FROM ('2026-06-22') TO ('2026-06-29');
-- refused: partition "events_27" would overlap partition "events_26"
CREATE TABLE events_27 PARTITION OF events FOR VALUES FROM ('2026-06-28') TO ('2026-07-05');

-- midnights that overlap
CREATE TABLE events (id bigint, at timestamp) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00:00') TO ('2026-02-01 00:00:00');
-- refused: partition "events_2" would overlap partition "events_1"
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-31 00:00:00') TO ('2026-03-01 00:00:00');

-- midnights that touch
CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');
-- accepted
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-03-01 00:00Z');

-- hours of one day
CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-01-01 12:00+00');
-- accepted
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-01 12:00+00') TO ('2026-01-02 00:00+00');
