-- a column has the type of an extension
CREATE EXTENSION citext SCHEMA public;
CREATE TABLE orders (id bigint, code citext);
-- refused: cannot drop extension citext because other objects depend on it
DROP EXTENSION citext;

-- the column was dropped
CREATE EXTENSION citext SCHEMA public;
CREATE TABLE orders (id bigint, code citext);
ALTER TABLE orders DROP COLUMN code;
-- accepted
DROP EXTENSION citext;

-- a default calls a function of an extension
CREATE EXTENSION "uuid-ossp" SCHEMA public;
CREATE TABLE orders (id uuid DEFAULT uuid_generate_v4());
-- refused: cannot drop extension uuid-ossp because other objects depend on it
DROP EXTENSION "uuid-ossp";

-- the function is built in, too
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE TABLE orders (id uuid DEFAULT gen_random_uuid());
-- accepted
DROP EXTENSION pgcrypto;

-- a generated column calls a function of an extension
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE TABLE orders (code text, hash bytea GENERATED ALWAYS AS (digest(code, 'sha256')) STORED);
-- refused since 15: cannot drop extension pgcrypto because other objects depend on it
DROP EXTENSION pgcrypto;

-- an index has an operator class of an extension
CREATE EXTENSION pg_trgm SCHEMA public;
CREATE TABLE orders (id bigint, code text);
CREATE INDEX ON orders USING gin (code gin_trgm_ops);
-- refused: cannot drop extension pg_trgm because other objects depend on it
DROP EXTENSION pg_trgm;

-- a constraint compares plain values
CREATE EXTENSION btree_gist SCHEMA public;
CREATE TABLE stays (room bigint, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
-- refused: cannot drop extension btree_gist because other objects depend on it
DROP EXTENSION btree_gist;

-- a constraint compares ranges
CREATE EXTENSION btree_gist SCHEMA public;
CREATE TABLE stays (room bigint, during tstzrange, EXCLUDE USING gist (during WITH &&));
-- accepted
DROP EXTENSION btree_gist;

-- a function of an extension was declared immutable
CREATE EXTENSION unaccent SCHEMA public;
ALTER FUNCTION unaccent(text) IMMUTABLE;
CREATE TABLE orders (id bigint, code text);
-- accepted
CREATE INDEX ON orders (unaccent(code));

-- a function of an extension is stable
CREATE EXTENSION unaccent SCHEMA public;
CREATE TABLE orders (id bigint, code text);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX ON orders (unaccent(code));

-- a domain has the type of an extension
CREATE EXTENSION citext SCHEMA public;
CREATE DOMAIN email AS citext;
-- refused: cannot drop extension citext because other objects depend on it
DROP EXTENSION citext;

-- a composite type has the type of an extension
CREATE EXTENSION citext SCHEMA public;
CREATE TYPE contact AS (name text, email citext);
-- refused: cannot drop extension citext because other objects depend on it
DROP EXTENSION citext;

-- a function has a parameter of the type of an extension
CREATE EXTENSION hstore SCHEMA public;
CREATE FUNCTION keys(h hstore) RETURNS text[] LANGUAGE plpgsql AS 'BEGIN RETURN akeys(h); END';
-- refused: cannot drop extension hstore because other objects depend on it
DROP EXTENSION hstore;

-- a function returns an array of the type of an extension
CREATE EXTENSION citext SCHEMA public;
CREATE FUNCTION codes() RETURNS citext[] LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: cannot drop extension citext because other objects depend on it
DROP EXTENSION citext;

-- the body of a function has the type of an extension
CREATE EXTENSION citext SCHEMA public;
CREATE FUNCTION codes() RETURNS text LANGUAGE plpgsql AS 'DECLARE c citext; BEGIN RETURN c; END';
-- accepted
DROP EXTENSION citext;

-- the domain was dropped
CREATE EXTENSION citext SCHEMA public;
CREATE DOMAIN email AS citext;
DROP DOMAIN email;
-- accepted
DROP EXTENSION citext;
