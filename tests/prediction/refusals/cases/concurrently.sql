-- two indexes
CREATE TABLE orders (id bigint, qty bigint);
CREATE INDEX orders_id_idx ON orders (id);
CREATE INDEX orders_qty_idx ON orders (qty);
-- refused: DROP INDEX CONCURRENTLY does not support dropping multiple objects
DROP INDEX CONCURRENTLY orders_id_idx, orders_qty_idx;

-- CASCADE
CREATE TABLE orders (id bigint, qty bigint);
CREATE INDEX orders_id_idx ON orders (id);
-- refused: DROP INDEX CONCURRENTLY does not support CASCADE
DROP INDEX CONCURRENTLY orders_id_idx CASCADE;

-- one index
CREATE TABLE orders (id bigint, qty bigint);
CREATE INDEX orders_id_idx ON orders (id);
-- accepted
DROP INDEX CONCURRENTLY orders_id_idx;

-- a constraint's index
CREATE TABLE orders (id bigint CONSTRAINT orders_pkey PRIMARY KEY);
-- refused: cannot drop index orders_pkey because constraint orders_pkey on table orders requires it
DROP INDEX CONCURRENTLY orders_pkey;

-- system catalogues
CREATE TABLE orders (id bigint);
-- refused: cannot reindex system catalogs concurrently
REINDEX TABLE CONCURRENTLY pg_class;

-- an index of a system catalogue
CREATE TABLE orders (id bigint);
-- refused: cannot reindex system catalogs concurrently
REINDEX INDEX CONCURRENTLY pg_class_oid_index;

-- a system catalogue without CONCURRENTLY
CREATE TABLE orders (id bigint);
-- accepted
REINDEX TABLE pg_description;

-- a table
CREATE TABLE orders (id bigint PRIMARY KEY);
-- accepted
REINDEX TABLE CONCURRENTLY orders;

-- an exclusion constraint's index
CREATE TABLE rooms (during tsrange, CONSTRAINT rooms_free EXCLUDE USING gist (during WITH &&));
-- refused: concurrent index creation for exclusion constraints is not supported
REINDEX INDEX CONCURRENTLY rooms_free;

-- REFRESH CONCURRENTLY WITH NO DATA
CREATE MATERIALIZED VIEW totals AS SELECT 1 AS n;
CREATE UNIQUE INDEX totals_n_idx ON totals (n);
-- refused before 19: CONCURRENTLY and WITH NO DATA options cannot be used together
-- refused since 19: REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together
REFRESH MATERIALIZED VIEW CONCURRENTLY totals WITH NO DATA;

-- REFRESH of a table
CREATE TABLE orders (id bigint);
-- refused: "orders" is not a materialized view
REFRESH MATERIALIZED VIEW orders;

-- an index on a temporary table is no matter
CREATE TABLE orders (id bigint);
-- accepted
CREATE INDEX CONCURRENTLY orders_id_idx ON orders (id);
