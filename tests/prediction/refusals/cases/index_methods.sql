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
