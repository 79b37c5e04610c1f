-- assignments, accepted
CREATE TYPE e AS ENUM ('x', 'y');
CREATE DOMAIN pos AS int CHECK (VALUE > 0);
CREATE SEQUENCE s;
CREATE TABLE a (id int, b bigint, sm smallint, n numeric(8,2), f real, t text, v varchar(50), c char(3), d date, ts timestamp, tz timestamptz, tm time, i interval, u uuid, j jsonb, js json, bo boolean, k e, p pos, arr text[], nums int[], by bytea, ip inet);
UPDATE a SET b = (SELECT count(*) FROM a), id = (SELECT count(*) FROM a), sm = length(t), n = round(f), f = n * 2, t = now(), v = id, c = upper(t), d = now(), ts = now(), tz = d, tm = now(), i = ts - d, u = gen_random_uuid(), j = json_build_object('a', 1), js = jsonb_build_object('a', 1), bo = id > 1, k = 'x'::e, p = id + 1, arr = ARRAY[t], nums = ARRAY[1, id];
UPDATE a SET id = nextval('s'), b = extract(epoch FROM tz), n = extract(epoch FROM tz - ts), t = j ->> 'x', v = j -> 'x', d = date_trunc('day', tz), ts = date_trunc('day', ts), u = md5(t)::uuid, j = to_jsonb(t), js = to_json(id), bo = (j ->> 'x')::boolean, k = (t)::e, p = coalesce(p, 1), arr = string_to_array(t, ','), by = decode(t, 'hex'), ip = t::inet;
UPDATE a SET j = j || '{"a": 1}', t = t || id, v = coalesce(t, 'x'), n = coalesce(n, 0), id = coalesce(id, 0) + 1, bo = coalesce(bo, false), tz = coalesce(tz, now()), k = coalesce(k, 'x'), d = coalesce(d, CURRENT_DATE), u = coalesce(u, gen_random_uuid());
-- accepted
UPDATE a SET id = CASE WHEN bo THEN 1 ELSE b END, t = CASE WHEN bo THEN 'a' ELSE v END, bo = NOT bo, sm = id, k = CASE WHEN bo THEN k ELSE 'x' END, n = CASE WHEN bo THEN 1 END, tz = CASE WHEN bo THEN now() ELSE tz END;

-- insert select values, accepted
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id int, t text, k e, b boolean, d date, j jsonb, u uuid);
INSERT INTO a SELECT 1, 'x', 'x', 'true', '2020-01-01', '{}', '00000000-0000-0000-0000-000000000000';
INSERT INTO a (k, b, d, id) SELECT 'y', true, now(), '5';
INSERT INTO a (k, t) SELECT CASE WHEN id = 1 THEN 'x' ELSE 'y' END::e, CASE WHEN id = 1 THEN 'p' ELSE 'q' END FROM a;
INSERT INTO a (id, t, b) SELECT count(*), max(t), bool_or(b) FROM a GROUP BY k;
INSERT INTO a (id, d) SELECT a.id, a.d FROM a WHERE t = 'x';
INSERT INTO a (t, id) SELECT id, length(t) FROM a;
INSERT INTO a (t) SELECT 'a' UNION SELECT 'b';
INSERT INTO a (id) SELECT generate_series(1, 3);
INSERT INTO a (id, t) SELECT x, 'n' || x FROM generate_series(1, 3) AS x;
-- accepted
INSERT INTO a (id, t) SELECT (x).id, 'k' FROM (SELECT a AS x FROM a) q;

-- regex and extract, accepted
CREATE TABLE a (id int, t text, v varchar(5), d date, ts timestamptz, i interval, tm time, c char(3));
ALTER TABLE a ADD CHECK (t ~ '^x' AND v !~ 'y' AND t ~* 'x' AND c ~ 'x' AND id::text ~ '^1');
CREATE VIEW v AS SELECT extract(year FROM d) a, extract(epoch FROM ts - ts) b, extract(epoch FROM i) c, extract(hour FROM tm) e, date_trunc('day', d) f, date_trunc('day', i) g, extract(year FROM t::date) h, extract(epoch FROM now() - ts) k, date_trunc('month', ts) l, string_agg(t, ',') OVER () m, date_part('year', d) n FROM a;
-- accepted
CREATE VIEW w AS SELECT string_agg(t, ',') a, string_agg(v, ',' ORDER BY id) b, string_agg(id::text, ',') c, string_agg(DISTINCT t, ', ') d FROM a;

-- own functions with foreign names, accepted
CREATE TABLE a (id int, t text, k text);
CREATE FUNCTION ifnull(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, $2)';
CREATE FUNCTION getdate() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()';
UPDATE a SET t = ifnull(k, 'x');
-- accepted
ALTER TABLE a ADD COLUMN c timestamptz DEFAULT getdate();

-- date_add, accepted
CREATE TABLE a (id int, t timestamptz);
-- accepted
CREATE VIEW v AS SELECT t + interval '1 day' AS x, id / 2 AS y FROM a;

-- extract from difference of dates
CREATE TABLE a (id int, d date);
-- refused: function pg_catalog.extract(unknown, integer) does not exist
CREATE VIEW v AS SELECT extract(day FROM d - d) FROM a;

-- assigned md5
CREATE TABLE a (id int, u uuid, t text);
-- refused: column "u" is of type uuid but expression is of type text
UPDATE a SET u = md5(t);

-- assigned lower
CREATE TABLE a (id int, u uuid, t text);
-- refused: column "id" is of type integer but expression is of type text
UPDATE a SET id = lower(t);

-- update subquery type
CREATE TABLE a (id int, t text);
CREATE TABLE b (id int, u uuid);
-- refused: column "id" is of type integer but expression is of type uuid
UPDATE a SET id = (SELECT u FROM b WHERE b.id = a.id);

-- insert select case literals to enum
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id int, t text);
CREATE TABLE b (id int, k e);
-- refused: column "k" is of type e but expression is of type text
INSERT INTO b SELECT id, CASE WHEN t = 'a' THEN 'x' ELSE 'y' END FROM a;

-- insert select text to enum
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id int, t text);
CREATE TABLE b (id int, k e);
-- refused: column "k" is of type e but expression is of type text
INSERT INTO b SELECT id, t FROM a;

-- insert select text to int
CREATE TABLE a (id int, t text);
CREATE TABLE b (id int, k int);
-- refused: column "k" is of type integer but expression is of type text
INSERT INTO b (k) SELECT t FROM a;

-- insert select literal to int column
CREATE TABLE a (id int, t text);
CREATE TABLE b (id int, k int);
-- refused: invalid input syntax for type integer: "x"
INSERT INTO b (k) SELECT 'x' FROM a;

-- update coalesce text to enum
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id int, t text, k e);
-- refused: column "k" is of type e but expression is of type text
UPDATE a SET k = coalesce(t, 'x');

-- update concat to int
CREATE TABLE a (id int, t text);
-- refused: column "id" is of type integer but expression is of type text
UPDATE a SET id = t || '1';

-- update function result to int
CREATE TABLE a (id int, t text);
-- refused: column "id" is of type integer but expression is of type text
UPDATE a SET id = lower(t);

-- update json arrow text to int
CREATE TABLE a (id int, j jsonb);
-- refused: column "id" is of type integer but expression is of type text
UPDATE a SET id = j ->> 'x';

-- update json arrow to text
CREATE TABLE a (id int, j jsonb, b boolean);
-- refused: column "b" is of type boolean but expression is of type text
UPDATE a SET b = j ->> 'x';

-- update gen_random_uuid to int
CREATE TABLE a (id int, j jsonb);
-- refused: column "id" is of type integer but expression is of type uuid
UPDATE a SET id = gen_random_uuid();

-- update now to int
CREATE TABLE a (id int, j jsonb);
-- refused: column "id" is of type integer but expression is of type timestamp with time zone
UPDATE a SET id = now();

-- update timestamp to bigint
CREATE TABLE a (id bigint, t timestamptz);
-- refused: column "id" is of type bigint but expression is of type timestamp with time zone
UPDATE a SET id = t;

-- compare timestamp with int
CREATE TABLE a (id bigint, t timestamptz);
-- refused: operator does not exist: timestamp with time zone < integer
DELETE FROM a WHERE t < 5;

-- enum concat
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id int, k e);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a ((k || 'a'));

-- date_trunc of text
CREATE TABLE a (id int, t text);
-- refused: function date_trunc(unknown, text) does not exist
CREATE VIEW v AS SELECT date_trunc('day', t) FROM a;

-- extract from text
CREATE TABLE a (id int, t text);
-- refused: function pg_catalog.extract(unknown, text) does not exist
CREATE VIEW v AS SELECT extract(year FROM t) FROM a;

-- extract from int
CREATE TABLE a (id int, t int);
-- refused: function pg_catalog.extract(unknown, integer) does not exist
CREATE VIEW v AS SELECT extract(year FROM t) FROM a;

-- coalesce in index to_tsvector
CREATE TABLE a (id int, t text);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a USING gin (to_tsvector(t));

-- regexp on int
CREATE TABLE a (id int, t int);
-- refused: operator does not exist: integer ~ unknown
ALTER TABLE a ADD CHECK (t ~ '^[0-9]+$');

-- regexp on uuid
CREATE TABLE a (id uuid);
-- refused: operator does not exist: uuid ~ unknown
ALTER TABLE a ADD CHECK (id ~ '^x');

-- length of int
CREATE TABLE a (id int);
-- refused: function length(integer) does not exist
ALTER TABLE a ADD CHECK (length(id) > 3);

-- char_length of jsonb
CREATE TABLE a (j jsonb);
-- refused: function char_length(jsonb) does not exist
ALTER TABLE a ADD CHECK (char_length(j) > 3);

-- jsonb_array_length of text
CREATE TABLE a (j text);
-- refused: function jsonb_array_length(text) does not exist
ALTER TABLE a ADD CHECK (jsonb_array_length(j) > 3);

-- string_agg of int
CREATE TABLE a (id int, t text);
-- refused: function string_agg(integer, unknown) does not exist
CREATE VIEW v AS SELECT string_agg(id, ',') FROM a;

-- round float digits
CREATE TABLE a (id double precision);
-- refused: function round(double precision, integer) does not exist
CREATE VIEW v AS SELECT round(id, 2) FROM a;

-- min of boolean
CREATE TABLE a (b boolean);
-- refused: function min(boolean) does not exist
CREATE VIEW v AS SELECT min(b) FROM a;

-- insert into view missing
CREATE TABLE a (t int);
CREATE VIEW v AS SELECT count(*) c FROM a;
-- refused: cannot insert into view "v"
INSERT INTO v VALUES (1);
