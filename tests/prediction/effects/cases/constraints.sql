-- Constraints: added, validated, dropped, altered.

-- case: add a foreign key
ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons;
-- case: add a foreign key, not valid
ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons NOT VALID;
-- case: add a foreign key to itself
ALTER TABLE employees ADD FOREIGN KEY (boss) REFERENCES employees;
-- case: add a foreign key, deferrable
ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs DEFERRABLE INITIALLY DEFERRED;
-- case: add a foreign key to a partitioned table
ALTER TABLE event_notes ADD FOREIGN KEY (event_id, day) REFERENCES events (id, day) ON DELETE CASCADE;
-- case: add a foreign key to a partitioned table, not valid
ALTER TABLE event_notes ADD FOREIGN KEY (event_id, day) REFERENCES events (id, day) NOT VALID;
-- case: add a foreign key from a partitioned table
ALTER TABLE visits ADD FOREIGN KEY (hits) REFERENCES customers;
-- case: add a foreign key from a partitioned table, not valid
-- versions: 18-
ALTER TABLE visits ADD FOREIGN KEY (hits) REFERENCES customers NOT VALID;
-- case: add a foreign key from a partitioned table, not valid, as long as it was refused
-- versions: 14-17
-- refused
ALTER TABLE visits ADD FOREIGN KEY (hits) REFERENCES customers NOT VALID;
-- case: add a foreign key from a partition
ALTER TABLE visits_eu ADD FOREIGN KEY (hits) REFERENCES customers;
-- case: add a foreign key from a parent
ALTER TABLE animals ADD FOREIGN KEY (id) REFERENCES customers;
-- case: add a foreign key, no unique constraint there
-- refused
ALTER TABLE orders ADD FOREIGN KEY (quantity) REFERENCES loose (a);
-- case: add a foreign key, not enforced
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons NOT ENFORCED;
-- case: enforce a foreign key of a partitioned table
-- versions: 18-
CREATE TABLE refs (id int PRIMARY KEY);
INSERT INTO refs SELECT generate_series(0, 400);
CREATE TABLE parts (id int, ref int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (200);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (200) TO (400);
INSERT INTO parts SELECT n, n FROM generate_series(0, 399) AS n;
ALTER TABLE parts ADD CONSTRAINT parts_fk FOREIGN KEY (ref) REFERENCES refs NOT ENFORCED;
ALTER TABLE parts ALTER CONSTRAINT parts_fk ENFORCED;
-- case: enforce a foreign key that is enforced
-- versions: 18-
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk ENFORCED;
-- case: enforce a foreign key to the same table
-- versions: 18-
ALTER TABLE employees ADD CONSTRAINT mentor FOREIGN KEY (boss) REFERENCES employees NOT ENFORCED;
ALTER TABLE employees ALTER CONSTRAINT mentor ENFORCED;
-- case: enforce a foreign key and add a column
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons NOT ENFORCED;
ALTER TABLE orders ADD COLUMN extra int, ALTER CONSTRAINT orders_coupon_fk ENFORCED;
-- case: enforce a foreign key
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons NOT ENFORCED;
ALTER TABLE orders ALTER CONSTRAINT orders_coupon_fk ENFORCED;
-- case: stop enforcing a foreign key
-- versions: 18-
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk NOT ENFORCED;
-- case: add a foreign key between new tables
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int);
INSERT INTO a SELECT generate_series(1, 300);
INSERT INTO b SELECT generate_series(1, 300);
ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a;
-- case: add a foreign key of two columns
ALTER TABLE returns ADD FOREIGN KEY (order_id, id) REFERENCES items (order_id, line) NOT VALID;
-- case: add two foreign keys
ALTER TABLE returns ADD FOREIGN KEY (coupon) REFERENCES coupons, ADD FOREIGN KEY (id) REFERENCES customers NOT VALID;
-- case: validate a foreign key
ALTER TABLE returns VALIDATE CONSTRAINT returns_order_fk;
-- case: validate a foreign key that is valid
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fk;
-- case: validate a foreign key to a partitioned table
ALTER TABLE event_notes ADD CONSTRAINT e FOREIGN KEY (event_id, day) REFERENCES events (id, day) NOT VALID;
ALTER TABLE event_notes VALIDATE CONSTRAINT e;
-- case: validate a foreign key to itself
ALTER TABLE employees ADD CONSTRAINT e FOREIGN KEY (boss) REFERENCES employees NOT VALID;
ALTER TABLE employees VALIDATE CONSTRAINT e;
-- case: validate a foreign key of a partitioned table
-- versions: 18-
ALTER TABLE visits ADD CONSTRAINT c FOREIGN KEY (hits) REFERENCES customers NOT VALID;
ALTER TABLE visits VALIDATE CONSTRAINT c;
-- case: alter a foreign key
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk DEFERRABLE;
-- case: alter a foreign key, initially deferred
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk DEFERRABLE INITIALLY DEFERRED;
-- case: alter a foreign key to a partitioned table
ALTER TABLE event_notes ALTER CONSTRAINT event_notes_event_id_day_fkey DEFERRABLE;
-- case: alter a foreign key of a partitioned table
ALTER TABLE events ALTER CONSTRAINT events_customer_id_fkey DEFERRABLE;
-- case: alter a foreign key to what it is
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk NOT DEFERRABLE;
-- case: drop a foreign key
ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;
-- case: drop a foreign key that is not valid
ALTER TABLE returns DROP CONSTRAINT returns_order_fk;
-- case: drop a foreign key to itself
ALTER TABLE employees DROP CONSTRAINT employees_boss_fkey;
-- case: drop a foreign key to a partitioned table
ALTER TABLE event_notes DROP CONSTRAINT event_notes_event_id_day_fkey;
-- case: drop a foreign key of a partitioned table
ALTER TABLE events DROP CONSTRAINT events_customer_id_fkey;
-- case: drop a constraint that is not there
-- refused
ALTER TABLE orders DROP CONSTRAINT nothing;
-- case: drop a constraint if there
ALTER TABLE orders DROP CONSTRAINT IF EXISTS nothing;

-- case: add a check
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0);
-- case: add a check without a name
ALTER TABLE orders ADD CHECK (quantity > 0);
-- case: add a check, not valid
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
-- case: add a check, not enforced
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT ENFORCED;
-- case: add a check that rows break
-- refused
ALTER TABLE orders ADD CONSTRAINT quantity_negative CHECK (quantity < 0);
-- case: add a check to a partitioned table
ALTER TABLE events ADD CHECK (amount > 0);
-- case: add a check to a partitioned table, not valid
ALTER TABLE events ADD CHECK (amount > 0) NOT VALID;
-- case: add a check to a partition
ALTER TABLE events_2020 ADD CHECK (amount > 0);
-- case: add a check to only a partitioned table
-- refused
ALTER TABLE ONLY events ADD CHECK (amount > 0);
-- case: add a check to a parent
ALTER TABLE animals ADD CHECK (id > 0);
-- case: add a check to a parent, not inherited
ALTER TABLE animals ADD CHECK (id > 0) NO INHERIT;
-- case: add a check to only a parent
-- refused
ALTER TABLE ONLY animals ADD CHECK (id > 0);
-- case: add a check to a foreign table
ALTER FOREIGN TABLE far_orders ADD CHECK (id > 0);
-- case: validate a check
ALTER TABLE returns VALIDATE CONSTRAINT returns_reason_known;
-- case: validate a check that is valid
ALTER TABLE orders VALIDATE CONSTRAINT orders_price_positive;
-- case: validate a check of a partitioned table
ALTER TABLE events ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT positive;
-- case: validate a check of a parent
ALTER TABLE animals ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
ALTER TABLE animals VALIDATE CONSTRAINT positive;
-- case: validate a check of only a parent
-- refused
ALTER TABLE animals ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
ALTER TABLE ONLY animals VALIDATE CONSTRAINT positive;
-- case: validate two constraints
ALTER TABLE returns VALIDATE CONSTRAINT returns_reason_known, VALIDATE CONSTRAINT returns_order_fk;
-- case: add a check and validate another
ALTER TABLE returns ADD CHECK (id > 0) NOT VALID, VALIDATE CONSTRAINT returns_reason_known;
-- case: validate a unique constraint
-- refused
ALTER TABLE customers VALIDATE CONSTRAINT customers_email_key;
-- case: drop a check
ALTER TABLE orders DROP CONSTRAINT orders_price_positive;
-- case: drop a check of a parent
ALTER TABLE animals DROP CONSTRAINT animals_legs_check;
-- case: drop an inherited check
-- refused
ALTER TABLE dogs DROP CONSTRAINT animals_legs_check;
-- case: rename a check
ALTER TABLE orders RENAME CONSTRAINT orders_price_positive TO positive;
-- case: rename a check of a parent
ALTER TABLE animals RENAME CONSTRAINT animals_legs_check TO positive;
-- case: rename a foreign key
ALTER TABLE orders RENAME CONSTRAINT orders_customer_fk TO fk;
-- case: rename a primary key
ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO pk;
-- case: alter a check
-- refused
ALTER TABLE orders ALTER CONSTRAINT orders_price_positive DEFERRABLE;

-- case: add a primary key
ALTER TABLE keyed ADD PRIMARY KEY (b);
-- case: add a primary key on a column that may be null
ALTER TABLE keyed ADD PRIMARY KEY (c);
-- case: add a primary key on a column with a valid check
ALTER TABLE loose ADD CONSTRAINT known CHECK (a IS NOT NULL);
ALTER TABLE loose ADD PRIMARY KEY (a);
-- case: add a primary key on two columns
ALTER TABLE keyed ADD PRIMARY KEY (b, e);
-- case: add a second primary key
-- refused
ALTER TABLE customers ADD PRIMARY KEY (name);
-- case: add a primary key using an index
ALTER TABLE keyed ADD CONSTRAINT keyed_pk PRIMARY KEY USING INDEX keyed_b;
-- case: add a primary key using an index on a column that may be null
ALTER TABLE keyed ADD CONSTRAINT keyed_pk PRIMARY KEY USING INDEX keyed_c;
-- case: add a primary key using an index, proved by a check
ALTER TABLE keyed ADD CONSTRAINT known CHECK (c IS NOT NULL);
ALTER TABLE keyed ADD PRIMARY KEY USING INDEX keyed_c;
-- case: add a primary key to a partitioned table
ALTER TABLE parcels ADD PRIMARY KEY (id);
-- case: add a primary key to a parent
ALTER TABLE animals ADD PRIMARY KEY (id);
-- case: add a unique constraint
ALTER TABLE keyed ADD CONSTRAINT keyed_e UNIQUE (e);
-- case: add a unique constraint, nulls not distinct
-- versions: 15-
ALTER TABLE keyed ADD CONSTRAINT keyed_e UNIQUE NULLS NOT DISTINCT (e);
-- case: add a unique constraint, with columns
ALTER TABLE keyed ADD CONSTRAINT keyed_e UNIQUE (e) INCLUDE (d) WITH (fillfactor = 80);
-- case: add a unique constraint, deferrable
ALTER TABLE keyed ADD CONSTRAINT keyed_e UNIQUE (e) DEFERRABLE;
-- case: add a unique constraint using an index
ALTER TABLE keyed ADD CONSTRAINT keyed_u UNIQUE USING INDEX keyed_a;
-- case: add a unique constraint using an index, keeping its name
ALTER TABLE keyed ADD UNIQUE USING INDEX keyed_a;
-- case: add a unique constraint that rows break
-- refused
ALTER TABLE orders ADD UNIQUE (status);
-- case: add a unique constraint to a partitioned table
ALTER TABLE events ADD UNIQUE (day, id);
-- case: add a unique constraint to a partition
ALTER TABLE events_2020 ADD UNIQUE (id);
-- case: add a unique constraint and a foreign key
ALTER TABLE keyed ADD UNIQUE (e), ADD FOREIGN KEY (a) REFERENCES customers;
-- case: add an exclusion constraint
ALTER TABLE keyed ADD CONSTRAINT ex EXCLUDE (e WITH =);
-- case: add an exclusion constraint with a predicate
ALTER TABLE keyed ADD CONSTRAINT ex EXCLUDE (e WITH =) WHERE (a > 5);
-- case: drop a primary key
ALTER TABLE notices DROP CONSTRAINT notices_pkey;
-- case: drop a primary key that others refer to
-- refused
ALTER TABLE customers DROP CONSTRAINT customers_pkey;
-- case: drop a primary key that others refer to, cascade
ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE;
-- case: drop a primary key of a partitioned table, cascade
ALTER TABLE events DROP CONSTRAINT events_pkey CASCADE;
-- case: drop a unique constraint
ALTER TABLE customers DROP CONSTRAINT customers_email_key;
-- case: drop an exclusion constraint
ALTER TABLE bookings DROP CONSTRAINT bookings_apart;
-- case: drop a constraint and add another
ALTER TABLE customers DROP CONSTRAINT customers_score_check, ADD CONSTRAINT customers_score_check CHECK (score >= 1);
-- case: drop a foreign key and add it again
ALTER TABLE orders DROP CONSTRAINT orders_customer_fk, ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE NOT VALID;
-- case: set constraints
SET CONSTRAINTS ALL DEFERRED;
-- case: add a unique constraint to a partitioned table only
ALTER TABLE ONLY events ADD CONSTRAINT u UNIQUE (day, id);
-- case: add a foreign key that the partitions have
ALTER TABLE visits_eu ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers (id);
ALTER TABLE visits_us ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers (id);
ALTER TABLE visits_rest ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers (id);
ALTER TABLE visits ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers (id);
-- case: add a foreign key that a partition has
ALTER TABLE visits_eu ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers;
ALTER TABLE visits ADD CONSTRAINT f FOREIGN KEY (hits) REFERENCES customers (id);
-- case: validate a check that proves NOT NULL, in the same statement
ALTER TABLE returns VALIDATE CONSTRAINT returns_reason_known, ALTER COLUMN reason SET NOT NULL;
-- case: validate a constraint and add a column
ALTER TABLE returns ADD COLUMN remark text, VALIDATE CONSTRAINT returns_reason_known;
