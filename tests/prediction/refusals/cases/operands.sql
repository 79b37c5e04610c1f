-- a policy that gives a function an argument that it does not take
CREATE TABLE a (id uuid);
CREATE FUNCTION f() RETURNS boolean LANGUAGE sql AS 'SELECT true';
-- refused: function f(uuid) does not exist
CREATE POLICY p ON a USING (f(id));

-- a default whose function returns another type
CREATE FUNCTION make() RETURNS boolean LANGUAGE sql AS 'SELECT true';
-- refused: column "n" is of type integer but default expression is of type boolean
CREATE TABLE a (id int, n int DEFAULT make());

-- a uuid as the default of an integer
-- refused: column "id" is of type integer but default expression is of type uuid
CREATE TABLE a (id int DEFAULT gen_random_uuid());

-- a time as the default of a boolean
CREATE TABLE a (id int);
-- refused: column "b" is of type boolean but default expression is of type timestamp with time zone
ALTER TABLE a ADD COLUMN b boolean DEFAULT now();

-- CURRENT_TIMESTAMP as the default of a number
-- refused: column "b" is of type bigint but default expression is of type timestamp with time zone
CREATE TABLE a (id int, b bigint DEFAULT CURRENT_TIMESTAMP);

-- the value of a sequence as the default of a uuid
CREATE SEQUENCE s;
-- refused: column "id" is of type uuid but default expression is of type bigint
CREATE TABLE a (id uuid DEFAULT nextval('s'));

-- a number as the default of an array
-- refused: column "id" is of type integer[] but default expression is of type integer
CREATE TABLE a (id int[] DEFAULT 5);

-- a CHECK that is a number
-- refused: argument of CHECK must be type boolean, not type integer
CREATE TABLE a (id int CHECK (id));

-- a CHECK of the table that is a text
-- refused: argument of CHECK must be type boolean, not type text
CREATE TABLE a (id int, t text, CHECK (t));

-- the predicate of an index that is a number
CREATE TABLE a (id int, t text);
-- refused: argument of WHERE must be type boolean, not type integer
CREATE INDEX i ON a (id) WHERE id;

-- the predicate of an index that is a time
CREATE TABLE a (id int, deleted_at timestamptz);
-- refused: argument of WHERE must be type boolean, not type timestamp with time zone
CREATE INDEX i ON a (id) WHERE deleted_at;

-- the condition of a policy that is a number
CREATE TABLE a (id int, deleted_at timestamptz);
-- refused: argument of POLICY must be type boolean, not type integer
CREATE POLICY p ON a USING (id);

-- a condition of UPDATE that is a time
CREATE TABLE a (id int, deleted_at timestamptz);
-- refused: argument of WHERE must be type boolean, not type timestamp with time zone
UPDATE a SET id = 1 WHERE deleted_at;

-- an operand of AND that is a number
CREATE TABLE a (id int, deleted_at timestamptz);
-- refused: argument of AND must be type boolean, not type integer
CREATE VIEW v AS SELECT id FROM a WHERE id AND deleted_at IS NULL;

-- NOT of a number
CREATE TABLE a (id int, active int);
-- refused: argument of NOT must be type boolean, not type integer
UPDATE a SET id = 1 WHERE NOT active;

-- a condition of JOIN that is a number
CREATE TABLE a (id int, active int);
-- refused: argument of JOIN/ON must be type boolean, not type integer
CREATE VIEW v AS SELECT x.id FROM a x JOIN a y ON x.id;

-- a condition of CASE that is a number
CREATE TABLE a (id int, active int);
-- refused: argument of CASE/WHEN must be type boolean, not type integer
CREATE VIEW v AS SELECT CASE WHEN active THEN 1 ELSE 0 END FROM a;

-- a constant that is no boolean, in the predicate of an index
CREATE TABLE a (id int, active boolean);
-- refused: invalid input syntax for type boolean: "x"
CREATE INDEX i ON a (id) WHERE active = 'x';

-- a constant that is no number, in a condition of UPDATE
CREATE TABLE a (id int, active boolean);
-- refused: invalid input syntax for type integer: "x"
UPDATE a SET active = true WHERE id = 'x';

-- an empty string that is compared with a number
CREATE TABLE a (id int, active boolean);
-- refused: invalid input syntax for type integer: ""
CREATE VIEW v AS SELECT id FROM a WHERE id = '';

-- an empty string that is compared with a number in a CHECK
-- refused: invalid input syntax for type integer: ""
CREATE TABLE a (id int, CHECK (id <> ''));

-- a constant that is no uuid, in a condition of DELETE
CREATE TABLE a (id uuid);
-- refused: invalid input syntax for type uuid: "abc"
DELETE FROM a WHERE id = 'abc';

-- an empty string that is compared with a time
CREATE TABLE a (id int, t timestamptz);
-- refused: invalid input syntax for type timestamp with time zone: ""
UPDATE a SET id = 1 WHERE t = '';

-- an UPDATE that sets a number to a word
CREATE TABLE a (id int, t timestamptz);
-- refused: invalid input syntax for type integer: "x"
UPDATE a SET id = 'x';

-- an UPDATE that sets an enum to a text
CREATE TYPE e AS ENUM ('a');
CREATE TABLE a (id int, k e, t text);
-- refused: column "k" is of type e but expression is of type text
UPDATE a SET k = t;

-- an UPDATE that sets an enum to the result of CASE
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE a (id int, k e, t text);
-- refused: column "k" is of type e but expression is of type text
UPDATE a SET k = CASE WHEN t = 'x' THEN 'a' ELSE 'b' END;

-- a comparison of an enum with a text
CREATE TYPE e AS ENUM ('a');
CREATE TABLE a (id int, k e, t text);
-- refused: operator does not exist: e = text
CREATE VIEW v AS SELECT id FROM a WHERE k = t;

-- a comparison of two enums
CREATE TYPE e AS ENUM ('a');
CREATE TYPE f AS ENUM ('a');
CREATE TABLE a (id int, k e, l f);
-- refused: operator does not exist: e = f
CREATE VIEW v AS SELECT id FROM a WHERE k = l;

-- LIKE of a number
CREATE TABLE a (id int, k int);
-- refused: operator does not exist: integer ~~ unknown
CREATE VIEW v AS SELECT id FROM a WHERE k LIKE 'a%';

-- || between two numbers, in an index
CREATE TABLE a (id int, k int);
-- refused: operator does not exist: integer || integer
CREATE INDEX i ON a ((id || k));

-- a text and a number that are added
CREATE TABLE a (id int, t text);
-- refused: operator does not exist: text + integer
CREATE INDEX i ON a ((t + 1));

-- two texts that are added
CREATE TABLE a (id int, t text);
-- refused: operator does not exist: text + text
CREATE INDEX i ON a ((t + t));

-- ANY of a text
CREATE TABLE a (id int, t text[], u text);
-- refused: op ANY/ALL (array) requires array on right side
CREATE VIEW v AS SELECT id FROM a WHERE id = ANY (u);

-- a number that is subtracted from a time
CREATE TABLE a (id int, d timestamptz, n int);
-- refused: operator does not exist: timestamp with time zone - integer
CREATE VIEW v AS SELECT d - n FROM a;

-- a number that is added to a time
CREATE TABLE a (id int, d timestamptz, n int);
-- refused: operator does not exist: timestamp with time zone + integer
CREATE VIEW v AS SELECT d + n FROM a;

-- COALESCE of a boolean and a number
CREATE TABLE a (id int, d boolean, n int);
-- refused: COALESCE types boolean and integer cannot be matched
CREATE VIEW v AS SELECT coalesce(d, n) FROM a;

-- COALESCE of a number and an empty string
CREATE TABLE a (id int, d boolean, n int);
-- refused: invalid input syntax for type integer: ""
CREATE VIEW v AS SELECT coalesce(n, '') FROM a;

-- CASE with a number and a text
CREATE TABLE a (id int, d boolean, n int, t text);
-- refused: CASE types text and integer cannot be matched
CREATE VIEW v AS SELECT CASE WHEN d THEN n ELSE t END FROM a;

-- a window function in a condition of DELETE
CREATE TABLE a (id int, d boolean, n int, t text);
-- refused: window functions are not allowed in WHERE
DELETE FROM a WHERE row_number() OVER (PARTITION BY n) > 1;

-- a generated column that adds a text and a number
-- refused: operator does not exist: text + integer
CREATE TABLE a (id int, n text, t text GENERATED ALWAYS AS (n + id) STORED);

-- boolean contexts that fit
CREATE TABLE a (id int, active boolean, t text, n numeric, d date, ts timestamptz, u uuid, j jsonb, arr text[], CHECK (active OR NOT active), CHECK ((active)));
CREATE INDEX i ON a (id) WHERE active;
CREATE INDEX i2 ON a (id) WHERE NOT active AND (t) IS NOT NULL;
CREATE VIEW v AS SELECT CASE WHEN active THEN 1 ELSE 0 END x FROM a WHERE active AND id > 0 ORDER BY active;
UPDATE a SET active = NOT active WHERE active OR id BETWEEN 1 AND 2 AND active;
UPDATE a SET id = 1 WHERE id BETWEEN n AND id AND t = 'x';
-- accepted
DELETE FROM a WHERE ts BETWEEN '2020-01-01' AND ts OR active;

-- shadow names that fit
CREATE TABLE a (id int, active int);
CREATE TABLE b (id int, active boolean);
CREATE VIEW v AS SELECT b.id FROM a JOIN b ON b.active AND a.id = b.id WHERE b.active;
UPDATE a SET active = 1 FROM b WHERE b.active AND b.id = a.id;
CREATE VIEW w AS SELECT * FROM (SELECT active = 1 AS active FROM a) x WHERE active;
CREATE VIEW w2 AS WITH x AS (SELECT id > 1 AS active FROM a) SELECT 1 AS one FROM x WHERE active;
-- accepted
CREATE VIEW w3 AS SELECT 1 AS one FROM a WHERE EXISTS (SELECT 1 FROM b WHERE active);

-- constants that fit
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE a (id int, active boolean, t text, n numeric, d date, ts timestamptz, u uuid, j jsonb, arr text[], k e, v varchar(3), f real, i interval, tm time, ip inet, b bytea, x xml, c char(2));
UPDATE a SET id = '5', active = 't', n = '1.5', d = 'today', ts = 'now', u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', j = '{"a": 1}', arr = '{x,y}', k = 'a', v = 'abc', f = 'NaN', i = '1 day', tm = '10:00', ip = '1.2.3.4', b = '\x00', c = 'xy';
DELETE FROM a WHERE id = '5' OR active = 'yes' OR n > '1e3' OR d < '2020-01-01' OR ts >= 'yesterday' OR u = '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}' OR j = '"x"' OR arr = '{}' OR k <> 'b' OR v = 'toolong' OR f = 'Infinity' OR i > '2 hours' OR ip = '10.0.0.0/8';
CREATE INDEX i1 ON a (id) WHERE id IN ('1', '2') AND active <> 'off' AND d > '2020-01-01';
CREATE VIEW v1 AS SELECT coalesce(id, '0') x, coalesce(t, '') y, coalesce(n, 0) z, coalesce(d, '2020-01-01') w, coalesce(ts, d) q, CASE WHEN active THEN id ELSE n END r FROM a;
CREATE VIEW v2 AS SELECT CASE WHEN active THEN 'a' ELSE t END r, CASE WHEN active THEN k ELSE 'b' END s, coalesce(v, t) u, coalesce(c, t) uu FROM a;
UPDATE a SET t = CASE WHEN active THEN 'a' ELSE 'b' END, k = (CASE WHEN active THEN 'a' ELSE 'b' END)::e, v = CASE WHEN active THEN 'a' END;
-- accepted
UPDATE a SET k = CASE WHEN active THEN 'a'::e ELSE 'b' END, id = CASE WHEN active THEN 1 ELSE 2 END;

-- constants with names that fit
CREATE TABLE a (id int, name text);
CREATE TABLE b (id text, name int);
CREATE VIEW v AS SELECT b.id FROM a JOIN b ON a.name = b.id WHERE b.id = 'x' AND a.name = 'y';
DELETE FROM a USING b WHERE b.id = 'x' AND a.id = b.name;
UPDATE a SET name = 'x' WHERE name = 'y';
CREATE VIEW w AS SELECT * FROM (SELECT id::text AS id FROM a) s WHERE id = 'abc';
CREATE VIEW w2 AS SELECT 1 one FROM a WHERE id::text = 'abc' AND (id)::text = 'x' AND CAST(id AS text) = 'y';
CREATE VIEW w3 AS SELECT 1 one FROM a WHERE id || name = 'abc' AND name || id = 'x';
CREATE VIEW w4 AS SELECT 1 one FROM a WHERE to_char(id, '999') = 'abc' AND concat(id, 'x') = 'y' AND id = length('abc');
-- accepted
UPDATE b SET id = 'new' WHERE id = 'old' AND name = 1;

-- operators that fit
CREATE TABLE a (id int, t text, d date, ts timestamp, tz timestamptz, i interval, u uuid, n numeric, j jsonb, js json, arr int[], arr2 text[], tm time, b boolean, v varchar(5));
CREATE VIEW v AS SELECT d + id x1, d - id x2, ts + i x3, tz - i x4, tz - ts x5, d + tm x6, d - d x7, d + i x8, i * id x9, i / n x10, t || id x11, id || t x12, id || '' x13, arr || id x14, j || j x15, j - 't' x16, j - t x17, j - id x18, id + n x19, -id x20, d || t x21, u || t x22, b || t x23, v || id x24, arr || arr x25, id + '1' x26, ts + '1 day' x27, id || t || id x28, t || id || id x29 FROM a;
CREATE INDEX i1 ON a ((t || v));
CREATE INDEX i2 ON a ((id + 1), (n * id));
CREATE VIEW w AS SELECT 1 one FROM a WHERE t LIKE 'a%' AND v NOT LIKE t AND id::text LIKE '1%' AND t ILIKE '%' || id || '%' AND NOT t LIKE 'x';
-- accepted
CREATE VIEW w2 AS SELECT 1 one FROM a WHERE id = ANY (arr) AND t = ANY (arr2) AND id = ANY ('{1,2}') AND t = ANY (string_to_array(t, ',')) AND id <> ALL (arr) AND id = ANY (SELECT id FROM a) AND id = ANY (ARRAY[1,2]);

-- window and where that fit
CREATE TABLE a (id int, t text);
DELETE FROM a WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY t) AS r FROM a) x WHERE r > 1);
CREATE VIEW v AS SELECT id, row_number() OVER (ORDER BY id) r FROM a WHERE id IN (SELECT first_value(id) OVER () FROM a);
-- accepted
DELETE FROM a x USING (SELECT id, row_number() OVER (PARTITION BY t) AS r FROM a WHERE t IS NOT NULL) y WHERE x.id = y.id AND y.r > 1;

-- defaults that fit
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE SEQUENCE s;
CREATE FUNCTION gen() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
CREATE FUNCTION gi() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE a (a timestamptz DEFAULT now(), b timestamp DEFAULT now(), c date DEFAULT now(), d date DEFAULT CURRENT_DATE, e time DEFAULT now(), f text DEFAULT now(), g varchar(50) DEFAULT gen_random_uuid(), h uuid DEFAULT uuid_generate_v4(), i bigint DEFAULT nextval('s'), j int DEFAULT nextval('s'::regclass), k text DEFAULT nextval('s'), l text DEFAULT gen(), m varchar DEFAULT gen(), n bigint DEFAULT gi(), o numeric DEFAULT random(), p int DEFAULT random(), q smallint DEFAULT gi(), r timetz DEFAULT now(), t timestamp DEFAULT CURRENT_DATE, u timestamptz DEFAULT LOCALTIMESTAMP, v timestamp DEFAULT timezone('utc', now()), w char(36) DEFAULT uuid_generate_v4(), x timestamp(3) DEFAULT CURRENT_TIMESTAMP(3), y real DEFAULT random(), z name DEFAULT gen());
-- accepted
ALTER TABLE a ADD COLUMN aa money DEFAULT 5, ADD COLUMN bb int[] DEFAULT '{}', ADD COLUMN cc int[] DEFAULT ARRAY[1];

-- function args that fit
CREATE FUNCTION g(a int, b int DEFAULT 1) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION vv(VARIADIC a int[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION an(a anyelement) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE TABLE a (id int, n text);
CREATE POLICY p1 ON a USING (g(id));
CREATE POLICY p2 ON a USING (g(id, 2));
CREATE POLICY p3 ON a USING (vv(id, 1, 2));
-- accepted
CREATE POLICY p5 ON a USING (an(n));

-- merge case types that fit
CREATE TABLE a (id int, t text, v varchar(10), d date, ts timestamptz, n numeric, f float8, b boolean);
-- accepted
CREATE VIEW v AS SELECT CASE WHEN b THEN t ELSE v END a1, coalesce(v, t, '') a2, CASE WHEN b THEN d ELSE ts END a3, coalesce(n, f, id, 0) a4, CASE t WHEN 'x' THEN 1 ELSE 0 END a5, coalesce(b, false) a6, CASE WHEN b THEN NULL ELSE id END a7, CASE id WHEN 1 THEN 'one' ELSE t END a8, greatest(id, n) a9, coalesce(id::text, t) a10, coalesce(to_char(d, 'YYYY'), t) a11, nullif(t, '') a12, coalesce(nullif(t, ''), 'x') a13 FROM a;

-- generated and checks that fit
CREATE TABLE a (id int, t text, lo int, hi int, s text CHECK (s IN ('a', 'b')), n text GENERATED ALWAYS AS (t || 'x') STORED, CHECK (lo < hi), CHECK (t <> ''), CHECK (coalesce(t, '') <> ''), CHECK (length(t) > 0 AND id > 0), CHECK (t ~ '^x' OR id IS NULL));
ALTER TABLE a ADD CONSTRAINT c CHECK ((id IS NULL) <> (t IS NULL));
-- accepted
ALTER TABLE a ADD CONSTRAINT c2 CHECK (num_nonnulls(id, t) = 1);

-- update joined that fit
CREATE TABLE a (id int, t text, k boolean);
CREATE TABLE b (aid int, name text, k text);
UPDATE a SET t = b.name, k = b.k = 'x' FROM b WHERE b.aid = a.id AND b.k = 'abc';
UPDATE a SET t = (SELECT name FROM b WHERE k = 'zzz' AND aid = a.id);
INSERT INTO a SELECT aid, name, k = 'yes' FROM b WHERE k = 'no';
-- accepted
INSERT INTO b (aid, name) SELECT id, CASE WHEN k THEN 'x' ELSE t END FROM a WHERE k;

-- policy that fit
CREATE TABLE a (id uuid, owner text, k boolean);
CREATE TABLE m (user_id text, a_id uuid, k text);
CREATE POLICY p ON a USING (EXISTS (SELECT 1 FROM m WHERE m.a_id = a.id AND m.k = 'admin' AND m.user_id = current_user));
CREATE POLICY p2 ON a USING (k) WITH CHECK (owner = current_setting('x.y', true));
-- accepted
CREATE POLICY p3 ON a USING (id IN (SELECT a_id FROM m WHERE k = 'x'));

-- comment grant and sequence after that fit
CREATE SEQUENCE s1;
CREATE TABLE a (id int DEFAULT nextval('s1'), j int DEFAULT nextval('public.s1'));
COMMENT ON TABLE a IS 'x';
GRANT SELECT ON a TO public;
-- accepted
COMMENT ON COLUMN a.id IS 'x';

-- types: update with alias bare boolean
CREATE TABLE a (id int, done boolean, n int);
CREATE TABLE b (id int, n boolean);
UPDATE a x SET n = 1 FROM b WHERE x.id = b.id AND b.n;
-- accepted
DELETE FROM a USING b WHERE b.n AND a.id = b.id;

-- types: lateral and function rows
CREATE TABLE a (id int, j jsonb, tags text[]);
CREATE VIEW v AS SELECT a.id, t.tag FROM a, unnest(a.tags) AS t(tag) WHERE t.tag = 'x';
CREATE VIEW v3 AS SELECT e.id FROM a, jsonb_to_recordset(a.j) AS e(id text, n int) WHERE e.id = 'abc';
-- accepted
CREATE VIEW v4 AS SELECT x.id FROM a CROSS JOIN LATERAL (SELECT a.j ->> 'id' AS id) x WHERE x.id = 'abc';

-- types: select alias shadows column in group by
CREATE TABLE a (id int, ts timestamptz, n int);
CREATE VIEW v AS SELECT date_trunc('day', ts) AS ts, sum(n) n FROM a GROUP BY 1 HAVING sum(n) > 0;
-- accepted
CREATE VIEW w AS SELECT id::text AS id FROM a ORDER BY id;

-- rows: insert with values and casts
CREATE TABLE a (id int, t text, d date);
INSERT INTO a SELECT 1, 'x', '2020-01-01'::date WHERE NOT EXISTS (SELECT 1 FROM a WHERE t = 'x' AND id = '1');
-- accepted
INSERT INTO a (id, t) SELECT x.id, x.t FROM (VALUES (1, 'a'), (2, 'b')) AS x(id, t) WHERE x.t = 'a';

-- types: trigger when
CREATE TABLE a (id int, active boolean, t text);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- accepted
CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.active AND OLD.t = 'x') EXECUTE FUNCTION f();

-- types: domains and citext-like
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN flag AS boolean;
CREATE TABLE a (id positive, ok flag, t text);
CREATE INDEX i ON a (id) WHERE ok;
-- accepted
CREATE VIEW v AS SELECT id FROM a WHERE ok AND id > 0 AND NOT ok;

-- types: bare column from subquery alias with same name as table column
CREATE TABLE a (id int, status int);
-- accepted
CREATE VIEW v AS SELECT 1 one FROM a JOIN (SELECT id, true AS status FROM a) s ON s.status AND a.id = s.id WHERE s.status;

-- types: case operand
CREATE TABLE a (id int, status int, t text);
UPDATE a SET t = CASE status WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE t END WHERE CASE WHEN status = 1 THEN true ELSE false END;
-- accepted
UPDATE a SET status = CASE WHEN t = 'x' THEN 1 WHEN t = 'y' THEN status ELSE NULL END;

-- types: update cast and concat
CREATE TABLE a (id int, n int, t text, d date, ts timestamptz);
-- accepted
UPDATE a SET t = 'pre-' || n || '-' || id, ts = d + interval '1 day', n = n + 1, d = ts::date WHERE false;

-- types: values of identifiers keywords
CREATE TABLE a (id int, "user" text, "order" int, "when" boolean);
-- accepted
UPDATE a SET "user" = 'x' WHERE "order" = 1 AND "when";

-- types: json operators in conditions
CREATE TABLE a (id int, j jsonb, k text);
UPDATE a SET j = j - 'a' || '{"b": 1}' WHERE j ->> 'x' = 'y' AND j -> 'n' = '1' AND (j ->> 'n')::int = '5' AND j ? 'x' AND j @> '{"a": 1}';
CREATE INDEX i ON a ((j ->> 'x')) WHERE (j ->> 'flag')::boolean;
-- accepted
CREATE INDEX i2 ON a (id) WHERE (j -> 'flag')::boolean AND j ->> 'kind' = 'x';

-- types: any with string
CREATE TABLE a (id int, k text, arr text[], s int);
-- accepted
CREATE VIEW v AS SELECT 1 one FROM a WHERE k = ANY (arr);

-- types: array literal any
CREATE TABLE a (id int, k text, arr text[], s int);
-- accepted
CREATE VIEW v AS SELECT 1 one FROM a WHERE k = ANY ('{a,b}') AND s = ANY ('{1,2}'::int[]) AND k = ANY (ARRAY['x', k]);
