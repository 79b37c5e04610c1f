-- round of a floating-point number
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision, fee numeric(8, 2));
-- refused: function round(double precision, integer) does not exist
CREATE VIEW loads AS SELECT id, round(load, 2) AS load FROM vans;

-- round of a numeric, and of a number without decimals
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision, fee numeric(8, 2));
-- accepted
CREATE VIEW loads AS SELECT round(fee, 1) AS fee, round(load) AS load, round(load::numeric, 2) AS rounded FROM vans;

-- lower of a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20));
-- refused: function lower(bigint) does not exist
CREATE MATERIALIZED VIEW names AS SELECT lower(id) AS name FROM vans;

-- lower of texts
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20), code char(3), title text);
-- accepted
CREATE VIEW names AS SELECT lower(plate) AS a, upper(code) AS b, lower(title || plate) AS c, lower('X') AS d, lower(id::text) AS e FROM vans;

-- sum of truth values
CREATE TABLE vans (id bigint PRIMARY KEY, active boolean, city text);
-- refused: function sum(boolean) does not exist
CREATE VIEW sums AS SELECT city, sum(active) AS active FROM vans GROUP BY city;

-- sum of numbers that a CASE gives
CREATE TABLE vans (id bigint PRIMARY KEY, active boolean, city text, at interval);
-- accepted
CREATE VIEW sums AS SELECT city, sum(CASE WHEN active THEN 1 ELSE 0 END) AS active, sum(at) AS at, bool_and(active) AS b FROM vans GROUP BY city;

-- avg of a text in a sub-query
CREATE TABLE vans (id bigint PRIMARY KEY, city text);
-- refused: function avg(text) does not exist
CREATE VIEW sums AS SELECT * FROM (SELECT avg(city) AS mean FROM vans) AS inner_query;

-- a function for jsonb of a json column
CREATE TABLE vans (id bigint PRIMARY KEY, doors json, wheels jsonb);
-- refused: function jsonb_array_length(json) does not exist
CREATE VIEW doors AS SELECT jsonb_array_length(doors) AS n FROM vans;

-- functions for json and jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, doors json, wheels jsonb);
-- accepted
CREATE VIEW doors AS SELECT json_array_length(doors) AS n, jsonb_array_length(wheels) AS m, jsonb_array_length('[1]') AS k FROM vans;

-- a function of the project with the name
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision);
CREATE FUNCTION round(n double precision, digits integer) RETURNS numeric LANGUAGE sql AS $$ SELECT pg_catalog.round(n::numeric, digits) $$;
-- accepted
CREATE VIEW loads AS SELECT round(load, 2) AS load FROM vans;

-- a sum of dates
CREATE TABLE vans (id bigint PRIMARY KEY, since date);
-- refused: function sum(date) does not exist
CREATE TABLE sums AS SELECT sum(DISTINCT since) AS since FROM vans;

-- a JSON operator on a string
CREATE TABLE vans (id bigint PRIMARY KEY, doors varchar(400));
-- refused: operator does not exist: character varying -> unknown
DELETE FROM vans WHERE jsonb_array_length(doors -> 'left') = 1;

-- a JSON operator on a string that is cast
CREATE TABLE vans (id bigint PRIMARY KEY, doors varchar(400));
-- accepted
DELETE FROM vans WHERE jsonb_array_length(doors::jsonb -> 'left') = 1;

-- a JSON operator on a string that is set
CREATE TABLE vans (id bigint PRIMARY KEY, doors text, color text);
-- refused: operator does not exist: text ->> unknown
UPDATE vans v SET color = v.doors ->> 'color' WHERE id = 1;

-- JSON operators on json and jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, doors json, wheels jsonb, color text);
-- accepted
UPDATE vans SET color = doors -> 'left' ->> 'color', wheels = (wheels #> '{a,b}') - 'c' || '{}' WHERE wheels @> '{"a": 1}' AND doors #>> '{x}' = 'y';

-- a number is added to jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, wheels jsonb);
-- refused: operator does not exist: jsonb + integer
UPDATE vans SET wheels = (wheels -> 'count') + 1 WHERE id = 1;

-- an array is added to jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, wheels jsonb);
-- refused: operator does not exist: jsonb + unknown
UPDATE vans SET wheels = wheels + '[1]' WHERE id = 1;

-- a key is removed from json
CREATE TABLE vans (id bigint PRIMARY KEY, doors json);
-- refused: operator does not exist: json - unknown
UPDATE vans SET doors = doors - 'left' WHERE id = 1;

-- json contains
CREATE TABLE vans (id bigint PRIMARY KEY, doors json);
-- refused: operator does not exist: json @> unknown
CREATE VIEW found AS SELECT id FROM vans WHERE doors @> '{"left": 1}';

-- arrays contain
CREATE TABLE vans (id bigint PRIMARY KEY, doors text[]);
-- accepted
CREATE VIEW found AS SELECT id FROM vans WHERE doors @> '{left}';

-- a JSON operator on the text of another table
CREATE TABLE vans (id bigint PRIMARY KEY, doors jsonb);
CREATE TABLE logs (van bigint, body text);
-- refused: operator does not exist: text -> unknown
UPDATE vans SET doors = l.body -> 'doors' FROM logs l WHERE l.van = vans.id;

-- a function for jsonb of text, in a condition
CREATE TABLE vans (id bigint PRIMARY KEY, doors text);
-- refused: function jsonb_array_length(text) does not exist
DELETE FROM vans WHERE jsonb_array_length(doors) = 0;

-- arithmetic with numbers of a JSON value
CREATE TABLE vans (id bigint PRIMARY KEY, wheels jsonb, n integer);
-- accepted
UPDATE vans SET n = (wheels ->> 'count')::integer + 1 - n * 2 WHERE id = 1;

-- a policy that compares the result of a function with another type
CREATE SCHEMA app;
CREATE FUNCTION app.reader() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT NULL::uuid $$;
CREATE TABLE notes (id bigint PRIMARY KEY, reader text);
-- refused: operator does not exist: uuid = text
CREATE POLICY own ON notes USING (app.reader() = reader);

-- a policy that compares the result of a function in a sub-query
CREATE FUNCTION reader() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT NULL::uuid $$;
CREATE TABLE notes (id bigint PRIMARY KEY, reader varchar(40));
-- refused: operator does not exist: character varying = uuid
CREATE POLICY own ON notes FOR INSERT WITH CHECK (reader = (SELECT reader()));

-- a policy that compares the result of a function with its type
CREATE FUNCTION reader() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT NULL::uuid $$;
CREATE TABLE notes (id bigint PRIMARY KEY, reader uuid, owner text);
-- accepted
CREATE POLICY own ON notes USING (reader = (SELECT reader()) OR reader()::text = owner OR owner = reader()::varchar);

-- a view that compares a text with the number that a function returns
CREATE FUNCTION size_of(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT n $$;
CREATE TABLE notes (id bigint PRIMARY KEY, size text);
-- refused: operator does not exist: text = integer
CREATE VIEW sizes AS SELECT id FROM notes WHERE size = size_of(3);

-- a function for integers that gets texts
CREATE FUNCTION surface(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT a * b $$;
CREATE TABLE plots (id bigint PRIMARY KEY, width text, height text);
-- refused: function surface(text, text) does not exist
CREATE VIEW areas AS SELECT id, surface(width, height) AS area FROM plots;

-- a function for texts that gets a number
CREATE FUNCTION slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
CREATE TABLE plots (id bigint PRIMARY KEY, title text);
-- refused: function slug(bigint) does not exist
CREATE INDEX plots_slug ON plots (slug(id));

-- a function for texts that gets texts and constants
CREATE FUNCTION slug(title text, length integer DEFAULT 9) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
CREATE TABLE plots (id bigint PRIMARY KEY, title varchar(20), n smallint, code char(3));
-- accepted
CREATE VIEW slugs AS SELECT slug(title) AS a, slug(title, n) AS b, slug('X', '3') AS c, slug(code) AS d, slug(title || n) AS e FROM plots;

-- one of two functions accepts the argument
CREATE FUNCTION slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
CREATE FUNCTION slug(number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT number::text $$;
CREATE TABLE plots (id bigint PRIMARY KEY, title text);
-- accepted
CREATE VIEW slugs AS SELECT slug(title) AS a, slug(id) AS b FROM plots;

-- a function of another schema
CREATE SCHEMA app;
CREATE FUNCTION app.slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
CREATE TABLE plots (id bigint PRIMARY KEY, title text);
-- refused: function app.slug(bigint) does not exist
UPDATE plots SET title = app.slug(id) WHERE id = 1;

-- a function for any type
CREATE FUNCTION slug(title anyelement) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title::text) $$;
CREATE TABLE plots (id bigint PRIMARY KEY, title text);
-- accepted
CREATE VIEW slugs AS SELECT slug(title) AS a, slug(id) AS b FROM plots;

-- a policy that looks for a uuid among JSON values
CREATE TABLE notes (id bigint PRIMARY KEY, team uuid, claims jsonb);
-- refused: operator does not exist: uuid = jsonb
CREATE POLICY team ON notes USING (team IN (SELECT claims -> 'teams'));

-- a policy that looks for a number among those of another table
CREATE TABLE teams (id bigint PRIMARY KEY, login text);
CREATE TABLE notes (id bigint PRIMARY KEY, team integer);
-- accepted
CREATE POLICY team ON notes USING (team IN (SELECT t.id FROM teams t WHERE t.login = current_user));

-- a view that looks for a text among numbers
CREATE TABLE teams (id bigint PRIMARY KEY, login text);
CREATE TABLE notes (id bigint PRIMARY KEY, team text);
-- refused: operator does not exist: text = bigint
CREATE VIEW found AS SELECT n.id FROM notes n WHERE n.team IN (SELECT t.id FROM teams t);

-- btrim of an identifier in a CHECK
CREATE TABLE vans (id bigint PRIMARY KEY, owner uuid);
-- refused: function btrim(uuid) does not exist
ALTER TABLE vans ADD CONSTRAINT owned CHECK (btrim(owner) <> '');

-- TRIM of a number in a policy
CREATE TABLE vans (id bigint PRIMARY KEY, owner uuid);
-- refused: function pg_catalog.btrim(bigint, unknown) does not exist
CREATE POLICY owned ON vans USING (trim(BOTH ' ' FROM id) <> '');

-- the length of a number in a condition
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: function char_length(bigint) does not exist
DELETE FROM vans WHERE char_length(id) > 5;

-- replace in a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: function replace(bigint, unknown, unknown) does not exist
CREATE VIEW plates AS SELECT replace(id, '1', '2') AS id FROM vans;

-- a call in a CHECK of a new table
SELECT 1;
-- refused: function lower(uuid) does not exist
CREATE TABLE vans (id bigint PRIMARY KEY, owner uuid, CHECK (lower(owner) <> 'x'));

-- a call in a generated column of a new table
SELECT 1;
-- refused: function md5(jsonb) does not exist
CREATE TABLE vans (id bigint PRIMARY KEY, data jsonb, hash text GENERATED ALWAYS AS (md5(data)) STORED);

-- calls with texts
SELECT 1;
-- accepted
CREATE TABLE vans (
    id bigint PRIMARY KEY, owner uuid, plate varchar(20) CHECK (length(plate) > 2), code char(3), load bytea, words tsvector, bits bit(8),
    hash text GENERATED ALWAYS AS (md5(owner::text) || md5(load) || reverse(plate) || replace(plate, 'a', 'b') || ltrim(code, '0')) STORED,
    CHECK (btrim(owner::text) <> '' AND trim(plate) <> '' AND char_length(code) = 3 AND length(load) > 1 AND length(words) > 1 AND length(bits) > 1)
);

-- a function of the history with too many arguments, in a SELECT
CREATE FUNCTION slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
-- refused: function slug(unknown, integer) does not exist
SELECT slug('a', 2);

-- a function of the history with too many arguments, in a body
CREATE FUNCTION slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(title) $$;
-- refused: function slug(text, integer) does not exist
CREATE FUNCTION short_slug(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT slug(title, 5) $$;

-- another function of the same name that is not there yet
CREATE TABLE plots (id bigint PRIMARY KEY);
-- refused: function put(text, jsonb, unknown, timestamp with time zone) does not exist
CREATE FUNCTION put(queue text, body jsonb) RETURNS bigint LANGUAGE sql AS $$ SELECT put(queue, body, NULL, now()) $$;

-- another function of the same name
CREATE FUNCTION put(queue text, body jsonb, head jsonb, at timestamptz) RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$;
-- accepted
CREATE FUNCTION put(queue text, body jsonb) RETURNS bigint LANGUAGE sql AS $$ SELECT put(queue, body, NULL, now()) $$;

-- a function that calls itself beside one with fewer parameters
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT a $$;
-- accepted
CREATE FUNCTION total(a integer, b integer) RETURNS integer LANGUAGE sql AS $$ SELECT CASE WHEN b > 3 THEN total(a) ELSE total(a, b + 1) END $$;

-- a function with parameters that it names by their numbers
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT a $$;
-- accepted
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS $$ SELECT total($1) * 2 $$;

-- a function with VARIADIC parameters that calls itself
CREATE TABLE plots (id bigint PRIMARY KEY);
-- accepted
CREATE FUNCTION most(VARIADIC numbers integer[]) RETURNS integer LANGUAGE sql AS $$ SELECT CASE WHEN cardinality(numbers) > 2 THEN 1 ELSE most(1, 2, 3) END $$;
