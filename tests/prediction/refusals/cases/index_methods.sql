-- a hash index has one column
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "hash" does not support multicolumn indexes
CREATE INDEX ON orders USING hash (id, code);

-- a hash index is not unique
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "hash" does not support unique indexes
CREATE UNIQUE INDEX ON orders USING hash (code);

-- a GIN index includes no columns
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "gin" does not support included columns
CREATE INDEX ON orders USING gin (data) INCLUDE (code);

-- a GIN index has no order
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "gin" does not support ASC/DESC options
CREATE INDEX ON orders USING gin (data DESC);

-- a GIN index has no order, not even the default one
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "gin" does not support ASC/DESC options
CREATE INDEX ON orders USING gin (data ASC);

-- a GiST index has no place for NULLs
CREATE TABLE areas (id bigint, shape box);
-- refused: access method "gist" does not support NULLS FIRST/LAST options
CREATE INDEX ON areas USING gist (shape NULLS FIRST);

-- a hash index has no place for NULLs at the end
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: access method "hash" does not support NULLS FIRST/LAST options
CREATE INDEX ON orders USING hash (code NULLS LAST);

-- an ascending key of a B-tree
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- accepted
CREATE INDEX ON orders (code ASC NULLS FIRST);

-- a GiST index includes columns
CREATE TABLE areas (id bigint, shape box);
-- accepted
CREATE INDEX ON areas USING gist (shape) INCLUDE (id);

-- a pattern of a date
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: operator class "text_pattern_ops" does not accept data type date
CREATE INDEX ON orders (day text_pattern_ops);

-- a path class of a text
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: operator class "jsonb_path_ops" does not accept data type text
CREATE INDEX ON orders USING gin (code jsonb_path_ops);

-- a pattern of a varchar
CREATE TABLE orders (id bigint, code varchar(20));
-- accepted
CREATE INDEX ON orders (code text_pattern_ops);

-- trigrams of a number
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: operator class "gin_trgm_ops" does not accept data type bigint
CREATE INDEX ON orders USING gin (id gin_trgm_ops);

-- GIN over a text without an operator class
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- refused: data type text has no default operator class for access method "gin"
CREATE INDEX ON orders USING gin (code);

-- GIN over a text with an extension
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public;
CREATE TABLE orders (id bigint, code text, day date, data jsonb);
-- accepted
CREATE INDEX ON orders USING gin (code);

-- an exclusion of equal numbers without an extension
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE TABLE stays (room bigint, during tstzrange);
-- refused: data type bigint has no default operator class for access method "gist"
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&);

-- an exclusion with a method that finds no single rows
CREATE TABLE stays (room bigint, tags int[]);
-- refused: access method "gin" does not support exclusion constraints
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE USING gin (tags WITH &&);

-- an exclusion of ranges that contain each other
CREATE TABLE stays (room bigint, during tstzrange);
-- refused: operator @>(anyrange,anyrange) is not commutative
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH @>);

-- an exclusion of overlapping ranges without gist
CREATE TABLE stays (room bigint, during tstzrange);
-- refused: operator &&(anyrange,anyrange) is not a member of operator family "range_ops"
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE (during WITH &&);

-- an exclusion of different numbers without gist
CREATE TABLE stays (room bigint, during tstzrange);
-- refused: operator <>(bigint,bigint) is not a member of operator family "integer_ops"
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE (room WITH <>);

-- an exclusion of smaller names
CREATE TABLE stays (guest varchar(20), during tstzrange);
-- refused: operator <(text,text) is not commutative
ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE (guest WITH <);

-- an exclusion of numbers that overlap
SELECT 1;
-- refused: operator does not exist: bigint && bigint
CREATE TABLE stays (room bigint, EXCLUDE USING btree (room WITH &&));

-- an exclusion of names that overlap, in a new table
SELECT 1;
-- refused: data type text has no default operator class for access method "gist"
CREATE TABLE stays (guest text, during daterange, EXCLUDE USING gist (guest WITH &&, during WITH =));

-- exclusions of ranges
CREATE TABLE stays (room bigint, during tstzrange, area box);
-- accepted
ALTER TABLE stays ADD EXCLUDE USING gist (during WITH &&, area WITH &&), ADD EXCLUDE USING gist (during WITH =), ADD EXCLUDE USING gist (during WITH -|-);

-- exclusions of equal values
CREATE TABLE stays (room bigint, guest text, during tstzrange);
-- accepted
ALTER TABLE stays ADD EXCLUDE (room WITH =, guest WITH =), ADD EXCLUDE USING hash (guest WITH =), ADD EXCLUDE (during WITH =);

-- an exclusion of a document
CREATE TABLE stays (room bigint, data jsonb);
-- refused: data type jsonb has no default operator class for access method "gist"
ALTER TABLE stays ADD EXCLUDE USING gist (data WITH =);

-- GiST over names in an array
CREATE TABLE stays (tags text[]);
-- refused: data type text[] has no default operator class for access method "gist"
CREATE INDEX ON stays USING gist (tags);

-- SP-GiST over numbers
CREATE TABLE stays (room int);
-- refused: data type integer has no default operator class for access method "spgist"
CREATE INDEX ON stays USING spgist (room);

-- BRIN over documents
CREATE TABLE stays (data jsonb);
-- refused: data type jsonb has no default operator class for access method "brin"
CREATE INDEX ON stays USING brin (data);

-- BRIN over truth values
CREATE TABLE stays (paid boolean);
-- refused: data type boolean has no default operator class for access method "brin"
CREATE INDEX ON stays USING brin (paid);

-- GIN over ranges
CREATE TABLE stays (during tstzrange);
-- refused: data type tstzrange has no default operator class for access method "gin"
CREATE INDEX ON stays USING gin (during);

-- hash over money
CREATE TABLE stays (fee money);
-- refused: data type money has no default operator class for access method "hash"
CREATE INDEX ON stays USING hash (fee);

-- the types that have an operator class
CREATE TABLE stays (tags text[], words tsvector, guest varchar(20), address inet, area polygon, during tstzrange);
-- accepted
CREATE INDEX ON stays USING gist (words, area, during);

-- the types that have one for GIN
CREATE TABLE stays (tags text[], words tsvector, data jsonb);
-- accepted
CREATE INDEX ON stays USING gin (tags, words, data);

-- the types that have one for SP-GiST
CREATE TABLE stays (guest varchar(20), address inet);
-- accepted
CREATE INDEX ON stays USING spgist (guest);

-- the types that have one for BRIN
CREATE TABLE stays (guest varchar(20), address inet, during tstzrange, id uuid, at timestamptz, area box);
-- accepted
CREATE INDEX ON stays USING brin (guest, address, during, id, at, area);

-- an exclusion of networks that overlap
-- refused before 19: data type cidr has no default operator class for access method "gist"
-- accepted
CREATE TABLE networks (id bigint PRIMARY KEY, block cidr NOT NULL, EXCLUDE USING gist (block WITH &&));

-- an exclusion of addresses that overlap, with its operator class
-- accepted
CREATE TABLE networks (id bigint PRIMARY KEY, block inet NOT NULL, EXCLUDE USING gist (block inet_ops WITH &&));
