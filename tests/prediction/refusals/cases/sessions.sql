-- CREATE INDEX CONCURRENTLY in a transaction block
CREATE TABLE orders (id bigint);
BEGIN;
-- refused: CREATE INDEX CONCURRENTLY cannot run inside a transaction block
CREATE INDEX CONCURRENTLY ON orders (id);

-- CREATE INDEX CONCURRENTLY in a DO block
CREATE TABLE orders (id bigint);
-- refused before 19: CREATE INDEX CONCURRENTLY cannot be executed from a function
-- refused since 19: CREATE INDEX CONCURRENTLY cannot be executed from a function or procedure
DO $$ BEGIN CREATE INDEX CONCURRENTLY ON orders (id); END $$;

-- VACUUM in a DO block in a transaction block
CREATE TABLE orders (id bigint);
BEGIN;
-- refused: VACUUM cannot run inside a transaction block
DO $$ BEGIN VACUUM orders; END $$;

-- DETACH CONCURRENTLY in a transaction block
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9);
BEGIN;
-- refused: ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block
ALTER TABLE orders DETACH PARTITION orders_1 CONCURRENTLY;

-- REINDEX CONCURRENTLY in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY);
BEGIN;
-- refused: REINDEX CONCURRENTLY cannot run inside a transaction block
REINDEX INDEX CONCURRENTLY orders_pkey;

-- REINDEX of a partitioned table in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
BEGIN;
-- refused: REINDEX TABLE cannot run inside a transaction block
REINDEX TABLE orders;

-- REINDEX of a partitioned index in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
BEGIN;
-- refused: REINDEX INDEX cannot run inside a transaction block
REINDEX INDEX orders_pkey;

-- REINDEX of a table in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY);
BEGIN;
-- accepted
REINDEX TABLE orders;

-- CLUSTER of all tables in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY);
BEGIN;
-- refused: CLUSTER cannot run inside a transaction block
CLUSTER;

-- CLUSTER of a partitioned table in a transaction block
CREATE TABLE orders (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
BEGIN;
-- refused before 15: cannot cluster a partitioned table
-- refused since 15: CLUSTER cannot run inside a transaction block
CLUSTER orders USING orders_pkey;

-- CLUSTER of a partitioned table
CREATE TABLE orders (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
-- refused before 15: cannot cluster a partitioned table
-- accepted
CLUSTER orders USING orders_pkey;

-- ALTER DATABASE SET TABLESPACE in a transaction block
CREATE TABLE orders (id bigint);
BEGIN;
-- refused: ALTER DATABASE SET TABLESPACE cannot run inside a transaction block
ALTER DATABASE postgres SET TABLESPACE pg_default;

-- CREATE SUBSCRIPTION in a transaction block
CREATE TABLE orders (id bigint);
BEGIN;
-- refused: CREATE SUBSCRIPTION ... WITH (create_slot = true) cannot run inside a transaction block
CREATE SUBSCRIPTION copies CONNECTION 'host=nowhere' PUBLICATION changes;

-- LOCK TABLE outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: LOCK TABLE can only be used in transaction blocks
LOCK TABLE orders;

-- a savepoint outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: SAVEPOINT can only be used in transaction blocks
SAVEPOINT before;

-- ROLLBACK TO outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: ROLLBACK TO SAVEPOINT can only be used in transaction blocks
ROLLBACK TO before;

-- RELEASE outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: RELEASE SAVEPOINT can only be used in transaction blocks
RELEASE before;

-- a savepoint that does not exist
CREATE TABLE orders (id bigint);
BEGIN;
SAVEPOINT "Before";
-- refused: savepoint "before" does not exist
ROLLBACK TO before;

-- a savepoint in a DO block
CREATE TABLE orders (id bigint);
-- refused: unsupported transaction command in PL/pgSQL
DO $$ BEGIN SAVEPOINT before; END $$;

-- COMMIT AND CHAIN outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: COMMIT AND CHAIN can only be used in transaction blocks
COMMIT AND CHAIN;

-- ROLLBACK AND CHAIN outside a transaction block
CREATE TABLE orders (id bigint);
-- refused: ROLLBACK AND CHAIN can only be used in transaction blocks
ROLLBACK AND CHAIN;

-- COMMIT in a DO block in a transaction block
CREATE TABLE orders (id bigint);
BEGIN;
-- refused: invalid transaction termination
DO $$ BEGIN COMMIT; END $$;

-- COMMIT in a DO block
CREATE TABLE orders (id bigint);
-- accepted
DO $$ BEGIN COMMIT; END $$;

-- a duration that is none
CREATE TABLE orders (id bigint);
-- refused: invalid value for parameter "lock_timeout": "soon"
SET lock_timeout = 'soon';

-- a prepared statement that exists
PREPARE "Count" AS SELECT 1;
-- refused: prepared statement "Count" already exists
PREPARE "Count" AS SELECT 2;

-- VACUUM in a function
CREATE TABLE orders (id bigint);
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN VACUUM orders; END';
-- refused before 19: VACUUM cannot be executed from a function
-- refused since 19: VACUUM cannot be executed from a function or procedure
SELECT tidy();

-- CREATE INDEX CONCURRENTLY in a procedure
CREATE TABLE orders (id bigint);
CREATE PROCEDURE build() LANGUAGE plpgsql AS 'BEGIN CREATE INDEX CONCURRENTLY ON orders (id); END';
-- refused before 19: CREATE INDEX CONCURRENTLY cannot be executed from a function
-- refused since 19: CREATE INDEX CONCURRENTLY cannot be executed from a function or procedure
CALL build();

-- VACUUM in a function in a transaction block
CREATE TABLE orders (id bigint);
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN VACUUM orders; END';
BEGIN;
-- refused: VACUUM cannot run inside a transaction block
SELECT tidy();

-- ANALYZE in a function
CREATE TABLE orders (id bigint);
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN ANALYZE orders; END';
-- accepted
SELECT tidy();

-- a setting that is gone
SELECT 1;
-- refused since 19: unrecognized configuration parameter "escape_string_warning"
-- accepted
SET escape_string_warning = off;

-- tables with OIDs
SELECT 1;
-- refused: tables declared WITH OIDS are not supported
SET default_with_oids = true;

-- a key that the migration inserted before
CREATE TABLE orders (id bigint CONSTRAINT orders_key PRIMARY KEY, code text);
INSERT INTO orders VALUES (1, 'a');
SELECT code FROM orders;
-- refused: duplicate key value violates unique constraint "orders_key"
INSERT INTO orders VALUES (1, 'b');

-- a key that the migration inserted and deleted
CREATE TABLE orders (id bigint CONSTRAINT orders_key PRIMARY KEY, code text);
INSERT INTO orders VALUES (1, 'a');
DELETE FROM orders WHERE code = 'a';
-- accepted
INSERT INTO orders VALUES (1, 'b');

-- a key that was inserted in a transaction that was rolled back
CREATE TABLE orders (id bigint CONSTRAINT orders_key PRIMARY KEY, code text);
BEGIN;
INSERT INTO orders VALUES (1, 'a');
ROLLBACK;
-- accepted
INSERT INTO orders VALUES (1, 'b');

-- an isolation level after a query
CREATE TABLE orders (id bigint);
BEGIN;
SELECT id FROM orders;
-- refused: SET TRANSACTION ISOLATION LEVEL must be called before any query
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

-- an isolation level before a query
CREATE TABLE orders (id bigint);
BEGIN;
LOCK TABLE orders;
-- accepted
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;

-- INSERT in a READ ONLY transaction
CREATE TABLE orders (id bigint);
BEGIN READ ONLY;
-- refused: cannot execute INSERT in a read-only transaction
INSERT INTO orders VALUES (1);

-- CREATE INDEX after SET TRANSACTION READ ONLY
CREATE TABLE orders (id bigint);
BEGIN;
SET TRANSACTION READ ONLY;
-- refused: cannot execute CREATE INDEX in a read-only transaction
CREATE INDEX ON orders (id);

-- ALTER TABLE in a session whose transactions are READ ONLY
CREATE TABLE orders (id bigint);
SET default_transaction_read_only = on;
-- refused: cannot execute ALTER TABLE in a read-only transaction
ALTER TABLE orders ADD COLUMN note text;

-- UPDATE in a READ ONLY transaction of another level
CREATE TABLE orders (id bigint);
START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
-- refused: cannot execute UPDATE in a read-only transaction
UPDATE orders SET id = 2;

-- SELECT in a READ ONLY transaction
CREATE TABLE orders (id bigint);
BEGIN READ ONLY;
-- accepted
SELECT id FROM orders;

-- DROP TABLE after SET SESSION CHARACTERISTICS
CREATE TABLE orders (id bigint);
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
-- refused: cannot execute DROP TABLE in a read-only transaction
DROP TABLE orders;

-- READ WRITE against the default
CREATE TABLE orders (id bigint);
SET default_transaction_read_only = on;
BEGIN READ WRITE;
-- accepted
DROP TABLE orders;

-- the default changes in the transaction
CREATE TABLE orders (id bigint);
BEGIN;
SET default_transaction_read_only = on;
-- accepted
DROP TABLE orders;

-- after a READ ONLY transaction
CREATE TABLE orders (id bigint);
BEGIN READ ONLY;
COMMIT;
-- accepted
DROP TABLE orders;

-- a temporary table in a READ ONLY transaction
CREATE TEMPORARY TABLE orders (id bigint);
BEGIN READ ONLY;
-- accepted
INSERT INTO orders VALUES (1);

-- INSERT in a DO block in a READ ONLY transaction
CREATE TABLE orders (id bigint);
BEGIN READ ONLY;
-- refused: cannot execute INSERT in a read-only transaction
DO $$ BEGIN INSERT INTO orders VALUES (1); END $$;

-- a unique index over two rows of the migration
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, 'a'), (2, 'a');
-- refused: could not create unique index "orders_code_key"
CREATE UNIQUE INDEX orders_code_key ON orders (code);

-- a unique constraint over two rows of the migration
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, 'a'), (2, 'a');
-- refused: could not create unique index "u"
ALTER TABLE orders ADD CONSTRAINT u UNIQUE (code);

-- a primary key over two rows of the migration
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, 'a'), (1, 'b');
-- refused: could not create unique index "orders_pkey"
ALTER TABLE orders ADD PRIMARY KEY (id);

-- a unique index over rows with NULL
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, NULL), (2, NULL);
-- accepted
CREATE UNIQUE INDEX orders_code_key ON orders (code);

-- a primary key over a row with NULL
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (NULL, 'a');
-- refused: column "id" of relation "orders" contains null values
ALTER TABLE orders ADD PRIMARY KEY (id);

-- NOT NULL over a row with NULL
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, NULL);
-- refused: column "code" of relation "orders" contains null values
ALTER TABLE orders ALTER COLUMN code SET NOT NULL;

-- a partial unique index over two rows of the migration
CREATE TABLE orders (id bigint, code text, gone boolean);
INSERT INTO orders VALUES (1, 'a', true), (2, 'a', false);
-- accepted
CREATE UNIQUE INDEX orders_code_key ON orders (code) WHERE NOT gone;

-- a required column for rows of the migration
CREATE TABLE orders (id bigint);
INSERT INTO orders VALUES (1);
-- refused: column "qty" of relation "orders" contains null values
ALTER TABLE orders ADD COLUMN qty integer NOT NULL;

-- a row beyond the partitions
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9);
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (10);

-- a row without partitions
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (10);

-- a value that no partition has in its list
CREATE TABLE orders (id bigint, kind text) PARTITION BY LIST (kind);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN ('a', 'b');
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (10, 'c');

-- a row for the default partition
CREATE TABLE orders (id bigint, kind text) PARTITION BY LIST (kind);
CREATE TABLE orders_1 PARTITION OF orders DEFAULT;
-- accepted
INSERT INTO orders VALUES (10, 'c');

-- a row of the day after the last partition
CREATE TABLE orders (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (10, '2026-01-01');

-- a row with NULL in the key of ranges
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9);
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (NULL);

-- a row within a partition
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (1) TO (9);
-- accepted
INSERT INTO orders VALUES (8);

-- a unique index after one of two rows was deleted
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, 'a'), (2, 'a');
DELETE FROM orders WHERE id = 2;
-- accepted
CREATE UNIQUE INDEX orders_code_key ON orders (code);

-- a unique index over two columns of two rows
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders VALUES (1, 'a'), (2, 'a');
-- accepted
CREATE UNIQUE INDEX orders_key ON orders (id, code);

-- a unique index over rows that ON CONFLICT may have left out
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
INSERT INTO orders VALUES (1, 'a'), (1, 'a') ON CONFLICT DO NOTHING;
-- accepted
CREATE UNIQUE INDEX orders_code_key ON orders (code);

-- NOT NULL over a row without a value, and with a default
CREATE TABLE orders (id bigint, code text DEFAULT 'a');
INSERT INTO orders (id) VALUES (1);
-- accepted
ALTER TABLE orders ALTER COLUMN code SET NOT NULL;

-- NOT NULL over a column that was filled
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders (id) VALUES (1);
UPDATE orders SET code = 'a';
-- accepted
ALTER TABLE orders ALTER COLUMN code SET NOT NULL;

-- NOT NULL over a new column with a default
CREATE TABLE orders (id bigint, code text);
INSERT INTO orders (id) VALUES (1);
ALTER TABLE orders RENAME COLUMN code TO label;
ALTER TABLE orders ADD COLUMN code text DEFAULT 'a';
-- accepted
ALTER TABLE orders ALTER COLUMN code SET NOT NULL;

-- a serial column for rows of the migration
CREATE TABLE orders (id bigint);
INSERT INTO orders VALUES (1);
-- accepted
ALTER TABLE orders ADD COLUMN number serial NOT NULL;

-- a point in time near the end of the last partition
CREATE TABLE orders (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
INSERT INTO orders VALUES (10, '2025-12-31 23:00');

-- a point in time long before the first partition
CREATE TABLE orders (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: no partition of relation "orders" found for row
INSERT INTO orders VALUES (10, '2024-05-03 10:00');

-- the last day of a partition
CREATE TABLE orders (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
INSERT INTO orders VALUES (10, '2025-12-31'), (11, '2025-01-01');

-- a value of the list of a partition
CREATE TABLE orders (id bigint, kind text) PARTITION BY LIST (kind);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN ('a', NULL);
-- accepted
INSERT INTO orders VALUES (10, 'a'), (11, NULL), (12, lower('A'));
