-- a function that returns a text instead of a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate text, city varchar(50), fee numeric(8, 2));
-- refused: return type mismatch in function declared to return bigint
CREATE FUNCTION van(a bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT plate FROM vans WHERE id = a $$;

-- a function that returns a constant with another type
SELECT 1;
-- refused: return type mismatch in function declared to return integer
CREATE FUNCTION fee() RETURNS integer LANGUAGE sql AS $$ SELECT 'a'::text $$;

-- a function whose result has an automatic cast
CREATE TABLE vans (id bigint PRIMARY KEY, plate text, city varchar(50), fee numeric(8, 2));
-- accepted
CREATE FUNCTION van(a bigint) RETURNS integer LANGUAGE sql AS $$ SELECT fee FROM vans WHERE id = a $$;

-- a function that returns a number as a text
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION van(a bigint) RETURNS text LANGUAGE sql AS $$ SELECT id FROM vans WHERE id = a $$;

-- a function that returns a constant without a type
SELECT 1;
-- refused: return type mismatch in function declared to return integer
CREATE FUNCTION fee() RETURNS integer LANGUAGE sql AS $$ SELECT '12' $$;

-- a function that returns NULL without a type
SELECT 1;
-- refused: return type mismatch in function declared to return integer
CREATE FUNCTION fee() RETURNS integer LANGUAGE sql AS $$ SELECT NULL $$;

-- a function that computes a number
SELECT 1;
-- accepted
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT a * 2 + 1 $$;

-- a function that reads a setting
SELECT 1;
-- refused: return type mismatch in function declared to return uuid
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('app.tenant', true), '') $$;

-- a function that casts a setting
SELECT 1;
-- accepted
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;

-- a function that returns json instead of jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION as_json() RETURNS jsonb LANGUAGE sql AS $$ SELECT row_to_json(vans) FROM vans $$;

-- a function that returns a parameter
SELECT 1;
-- accepted
CREATE FUNCTION same(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT a $$;

-- a function whose last statement returns nothing
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: return type mismatch in function declared to return integer
CREATE FUNCTION clean() RETURNS integer LANGUAGE sql AS $$ UPDATE vans SET plate = '' WHERE id = 1 $$;

-- a function whose last statement has RETURNING
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION clean() RETURNS bigint LANGUAGE sql AS $$ UPDATE vans SET plate = '' WHERE id = 1 RETURNING id $$;

-- a function that returns nothing
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION clean() RETURNS void LANGUAGE sql AS $$ DELETE FROM vans WHERE id = 1; $$;

-- a procedure
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE PROCEDURE clean() LANGUAGE sql AS $$ DELETE FROM vans WHERE id = 1; $$;

-- a function that returns two columns instead of one
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: return type mismatch in function declared to return text
CREATE FUNCTION plates() RETURNS SETOF text LANGUAGE sql AS $$ SELECT id, plate FROM vans $$;

-- a function that returns two columns in another order
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: return type mismatch in function declared to return record
CREATE FUNCTION plates() RETURNS TABLE (van bigint, name text) LANGUAGE sql AS $$ SELECT plate, id FROM vans $$;

-- a function that returns fewer columns
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: return type mismatch in function declared to return record
CREATE FUNCTION plates(OUT van bigint, OUT name text) LANGUAGE sql AS $$ SELECT id FROM vans $$;

-- a function that returns the columns that it declares
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION plates() RETURNS TABLE (van bigint, name text) LANGUAGE sql AS $$ SELECT id, plate FROM vans; $$;

-- a function that returns one column of a table
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION plates() RETURNS TABLE (name text) LANGUAGE sql AS $$ SELECT plate FROM vans $$;

-- a function that returns rows of a table
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION all_vans() RETURNS SETOF vans LANGUAGE sql AS $$ SELECT * FROM vans $$;

-- a function that returns an enum
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE vans (id bigint PRIMARY KEY, mood mood, plate text);
-- refused: return type mismatch in function declared to return mood
CREATE FUNCTION mood_of(a bigint) RETURNS mood LANGUAGE sql AS $$ SELECT plate FROM vans WHERE id = a $$;

-- a function that counts
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE FUNCTION number_of_vans() RETURNS integer LANGUAGE sql STABLE AS $$ SELECT count(*) FROM vans $$;

-- a function with several statements
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: return type mismatch in function declared to return boolean
CREATE FUNCTION clean() RETURNS boolean LANGUAGE sql AS $$ DELETE FROM vans WHERE id = 1; SELECT plate FROM vans; $$;

-- a function that returns the current user of a setting
SELECT 1;
-- refused: return type mismatch in function declared to return uuid
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT 'a'::varchar $$;
