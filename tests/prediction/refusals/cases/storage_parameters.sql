-- a value below the limit
-- refused: value 5 out of bounds for option "fillfactor"
CREATE TABLE orders (id bigint) WITH (fillfactor = 5);

-- a parameter that does not exist
-- refused: unrecognized parameter "fillfactr"
CREATE TABLE orders (id bigint) WITH (fillfactr = 50);

-- a misspelt parameter
CREATE TABLE orders (id bigint);
-- refused: unrecognized parameter "parallel_worker"
ALTER TABLE orders SET (parallel_worker = 0.1);

-- a value above the limit
CREATE TABLE orders (id bigint);
-- refused: value 101 out of bounds for option "fillfactor"
ALTER TABLE orders SET (fillfactor = 101);

-- a word for a number
CREATE TABLE orders (id bigint);
-- refused: invalid value for integer option "fillfactor": high
ALTER TABLE orders SET (fillfactor = 'high');

-- a word that is no truth value
CREATE TABLE orders (id bigint);
-- refused: invalid value for boolean option "autovacuum_enabled": maybe
ALTER TABLE orders SET (autovacuum_enabled = maybe);

-- all kinds of parameters
CREATE TABLE orders (id bigint);
-- accepted
ALTER TABLE orders SET (autovacuum_enabled = off, autovacuum_vacuum_scale_factor = 0.01, fillfactor = 90, toast.autovacuum_enabled = false, parallel_workers = 4, toast_tuple_target = 4096, log_autovacuum_min_duration = 0, user_catalog_table = false, vacuum_truncate = on, vacuum_index_cleanup = auto);

-- a parameter of an index
CREATE TABLE orders (id bigint);
-- refused: unrecognized parameter "deduplicate_items"
ALTER TABLE orders SET (deduplicate_items = off);

-- an index's value below the limit
CREATE TABLE orders (id bigint);
-- refused: value 5 out of bounds for option "fillfactor"
CREATE INDEX ON orders (id) WITH (fillfactor = 5);

-- a parameter of another index method
CREATE TABLE orders (id bigint);
-- refused: unrecognized parameter "fastupdate"
CREATE INDEX ON orders (id) WITH (fastupdate = off);

-- GIN has no fillfactor
CREATE TABLE orders (id bigint, tags text[]);
-- refused: unrecognized parameter "fillfactor"
CREATE INDEX ON orders USING gin (tags) WITH (fillfactor = 70);

-- pages of BRIN
CREATE TABLE orders (id bigint);
-- refused: value 0 out of bounds for option "pages_per_range"
CREATE INDEX ON orders USING brin (id) WITH (pages_per_range = 0);

-- parameters of BRIN
CREATE TABLE orders (id bigint);
-- accepted
CREATE INDEX ON orders USING brin (id) WITH (pages_per_range = 32, autosummarize = on);

-- a misspelt option of a view
-- refused: unrecognized parameter "security_barier"
CREATE VIEW v WITH (security_barier = true) AS SELECT 1 AS a;

-- security_invoker of a view
-- refused before 15: unrecognized parameter "security_invoker"
-- accepted
CREATE VIEW v WITH (security_invoker = true) AS SELECT 1 AS a;

-- RESET of a parameter that does not exist
CREATE TABLE orders (id bigint);
-- accepted
ALTER TABLE orders RESET (fillfactr);

-- TOAST has no fillfactor
CREATE TABLE orders (id bigint, n text);
-- refused: unrecognized parameter "fillfactor"
ALTER TABLE orders SET (toast.fillfactor = 80);

-- a factor above the limit
CREATE TABLE orders (id bigint);
-- refused: value 120 out of bounds for option "autovacuum_vacuum_scale_factor"
ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 120);

-- a negative threshold
CREATE TABLE orders (id bigint);
-- refused: value -1 out of bounds for option "autovacuum_vacuum_threshold"
ALTER TABLE orders SET (autovacuum_vacuum_threshold = -1);

-- a parameter twice
-- refused: parameter "fillfactor" specified more than once
CREATE TABLE orders (id bigint) WITH (fillfactor = 70, fillfactor = 80);

-- n_distinct below the limit
CREATE TABLE orders (id bigint);
-- refused: value -2 out of bounds for option "n_distinct"
ALTER TABLE orders ALTER COLUMN id SET (n_distinct = -2);

-- a column's parameter that does not exist
CREATE TABLE orders (id bigint);
-- refused: unrecognized parameter "distinct"
ALTER TABLE orders ALTER COLUMN id SET (distinct = 5);

-- a high statistics target
CREATE TABLE orders (id bigint);
-- accepted
ALTER TABLE orders ALTER COLUMN id SET STATISTICS 20000;

-- a negative statistics target
CREATE TABLE orders (id bigint);
-- refused: statistics target -2 is too low
ALTER TABLE orders ALTER COLUMN id SET STATISTICS -2;

-- the storage of a number
CREATE TABLE orders (id bigint);
-- refused: column data type bigint can only have storage PLAIN
ALTER TABLE orders ALTER COLUMN id SET STORAGE EXTERNAL;

-- the compression of a number
CREATE TABLE orders (id bigint);
-- refused: column data type bigint does not support compression
ALTER TABLE orders ALTER COLUMN id SET COMPRESSION pglz;

-- a compression method that does not exist
CREATE TABLE orders (id bigint, n text);
-- refused: invalid compression method "zstd"
ALTER TABLE orders ALTER COLUMN n SET COMPRESSION zstd;

-- an index gets a value above the limit
CREATE TABLE orders (id bigint);
CREATE INDEX orders_id_idx ON orders (id);
-- refused: value 120 out of bounds for option "fillfactor"
ALTER INDEX orders_id_idx SET (fillfactor = 120);

-- the value of a unique constraint
CREATE TABLE orders (id bigint);
-- refused: value 9 out of bounds for option "fillfactor"
ALTER TABLE orders ADD CONSTRAINT u UNIQUE (id) WITH (fillfactor = 9);

-- a partitioned table with a parameter
-- refused before 16: unrecognized parameter "fillfactor"
-- refused since 16: cannot specify storage parameters for a partitioned table
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id) WITH (fillfactor = 70);

-- a partitioned table gets a parameter
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
-- refused before 16: unrecognized parameter "autovacuum_enabled"
-- refused since 16: cannot specify storage parameters for a partitioned table
ALTER TABLE orders SET (autovacuum_enabled = off);

-- a partitioned table gets a parameter that does not exist
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
-- refused before 16: unrecognized parameter "nonsense"
-- refused since 16: cannot specify storage parameters for a partitioned table
ALTER TABLE orders SET (nonsense = off);

-- a partitioned table loses a parameter
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
-- accepted
ALTER TABLE orders RESET (fillfactor);

-- an index of a partitioned table
CREATE TABLE orders (id bigint) PARTITION BY RANGE (id);
-- accepted
CREATE INDEX ON orders (id) WITH (fillfactor = 90);

-- a view gets options
CREATE VIEW v AS SELECT 1 AS a;
-- refused before 15: unrecognized parameter "security_invoker"
-- accepted
ALTER VIEW v SET (security_barrier = false, security_invoker = on);

-- a view gets a parameter of tables
CREATE VIEW v AS SELECT 1 AS a;
-- refused: unrecognized parameter "fillfactor"
ALTER TABLE v SET (fillfactor = 10);

-- a materialized view with parameters
-- accepted
CREATE MATERIALIZED VIEW v WITH (fillfactor = 70, autovacuum_enabled) AS SELECT 1 AS a;

-- values in quotes
-- accepted
CREATE TABLE orders (id bigint) WITH (fillfactor = '70', "autovacuum_enabled" = 'FALSE');

-- upper case
-- accepted
CREATE TABLE orders (id bigint) WITH (FILLFACTOR = 70, AUTOVACUUM_ENABLED = Off);

-- a number without a value
-- refused: invalid value for integer option "fillfactor": true
CREATE TABLE orders (id bigint) WITH (fillfactor);

-- a parameter of 18
-- refused before 18: unrecognized parameter "vacuum_max_eager_freeze_failure_rate"
-- accepted
CREATE TABLE orders (id bigint) WITH (vacuum_max_eager_freeze_failure_rate = 0.1);

-- the storage of a text
CREATE TABLE orders (id text);
-- accepted
ALTER TABLE orders ALTER id SET STORAGE PLAIN;

-- the storage of an enum
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE orders (id mood);
-- refused: column data type mood can only have storage PLAIN
ALTER TABLE orders ALTER id SET STORAGE EXTENDED;

-- the storage of an array
CREATE TABLE orders (id int[]);
-- accepted
ALTER TABLE orders ALTER id SET STORAGE EXTERNAL, ALTER id SET COMPRESSION pglz;

-- a column's parameters
CREATE TABLE orders (id numeric);
-- accepted
ALTER TABLE orders ALTER id SET (n_distinct = -0.5, n_distinct_inherited = 100);

-- no OIDs
-- accepted
CREATE TABLE orders (id numeric) WITH (oids = false, fillfactor = 50);

-- CREATE TABLE AS with a value below the limit
-- refused: value 1 out of bounds for option "fillfactor"
CREATE TABLE orders WITH (fillfactor = 1) AS SELECT 1 AS id;

-- a table that exists
CREATE TABLE orders (id numeric);
-- accepted
CREATE TABLE IF NOT EXISTS orders (id numeric) WITH (fillfactor = 1);

-- a column's parameters of a partitioned table
CREATE TABLE orders (id numeric) PARTITION BY RANGE (id);
-- accepted
ALTER TABLE orders ALTER id SET (n_distinct_inherited = 100), ALTER id SET STATISTICS 500;
