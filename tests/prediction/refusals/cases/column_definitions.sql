-- a column of a pseudo-type
-- refused: column "data" has pseudo-type anyelement
CREATE TABLE orders (id integer, data anyelement);

-- a column of type record
-- refused: column "data" has pseudo-type record
CREATE TABLE orders (id integer, data record);

-- an array of serial
-- refused: array of serial is not implemented
CREATE TABLE orders (id serial[]);

-- a serial column with a default
-- refused: multiple default values specified for column "id" of table "orders"
CREATE TABLE orders (id serial DEFAULT 5);

-- a string of length 0
-- refused: length for type varchar must be at least 1
CREATE TABLE orders (code varchar(0));

-- a number of too many digits
-- refused: NUMERIC precision 2000 must be between 1 and 1000
CREATE TABLE orders (price numeric(2000, 2));

-- a precision of time that is lowered
-- accepted
CREATE TABLE orders (at timestamp(9));

-- a text with a length
-- refused: type modifier is not allowed for type "text"
CREATE TABLE orders (code text(10));

-- a string that is too long
-- refused: length for type varchar cannot exceed 10485760
CREATE TABLE orders (code varchar(20000000));

-- an expression in INCLUDE
CREATE TABLE orders (id bigint, code text);
-- refused: expressions are not supported in included columns
CREATE INDEX ON orders (id) INCLUDE (lower(code));

-- a primary key of JSON
-- refused: data type json has no default operator class for access method "btree"
CREATE TABLE orders (doc json PRIMARY KEY);

-- a unique constraint of JSON
-- refused: data type json has no default operator class for access method "btree"
CREATE TABLE orders (doc json UNIQUE);

-- a JSON compared with a text
CREATE TABLE orders (doc json);
-- refused: operator does not exist: json = unknown
DELETE FROM orders WHERE doc = '{}';

-- a number beyond its type
CREATE TABLE orders (id smallint);
-- refused: smallint out of range
INSERT INTO orders VALUES (40000);

-- a day that its month does not have
CREATE TABLE orders (day date);
-- refused: date/time field value out of range: "2025-02-30"
INSERT INTO orders VALUES ('2025-02-30');

-- a number of too many digits for its column
CREATE TABLE orders (price numeric(4,2));
-- refused: numeric field overflow
INSERT INTO orders VALUES (123.45);

-- rows of a view of one table
CREATE TABLE orders (id integer, code text);
CREATE VIEW v AS SELECT id FROM orders;
-- accepted
DELETE FROM v WHERE id = 1;

-- rows of a view with a join
CREATE TABLE orders (id integer, code text);
CREATE VIEW v AS SELECT o.id FROM orders o JOIN orders p ON p.id = o.id;
-- refused: cannot insert into view "v"
INSERT INTO v VALUES (1);

-- rows of a view with an aggregate function
CREATE TABLE orders (id integer, code text);
CREATE VIEW v AS SELECT count(*) AS n FROM orders;
-- refused: cannot update view "v"
UPDATE v SET n = 1;

-- a CHECK of another column
-- accepted
CREATE TABLE lines (a integer CHECK (b > 0), b integer);

-- a CHECK of a column that the new table does not have
-- refused: column "c" does not exist
CREATE TABLE lines (a integer CHECK (c > 0), b integer);

-- a generated column over a column that the new table does not have
-- refused: column "c" does not exist
CREATE TABLE lines (a integer, b integer GENERATED ALWAYS AS (c + 1) STORED);

-- a default over a column
-- refused: cannot use column reference in DEFAULT expression
CREATE TABLE lines (a integer, b integer DEFAULT a + 1);

-- a collation of a number
-- refused: collations are not supported by type integer
CREATE TABLE lines (a integer COLLATE "C");

-- a CHECK that can be deferred
CREATE TABLE a (id integer);
-- refused: CHECK constraints cannot be marked DEFERRABLE
ALTER TABLE a ADD CONSTRAINT c CHECK (id > 0) DEFERRABLE;

-- a unique constraint NOT VALID
CREATE TABLE a (id integer);
-- refused: UNIQUE constraints cannot be marked NOT VALID
ALTER TABLE a ADD CONSTRAINT u UNIQUE (id) NOT VALID;

-- words of conditions in CHECK
-- accepted
CREATE TABLE orders (id bigint, code text, at timestamptz, CHECK (code IN ('a', 'b') OR (id BETWEEN 1 AND 9 AND at IS NOT NULL)), CHECK (code LIKE 'a%' AND code SIMILAR TO 'b' IS NOT TRUE), CHECK (at < CURRENT_TIMESTAMP OR code = SESSION_USER), CHECK (extract(epoch FROM at) > 0 AND at::date <> date '2020-01-01'));

-- defaults that are no columns
-- accepted
CREATE TABLE orders (id bigint DEFAULT 1 + 1, "user" text DEFAULT CURRENT_USER, at timestamptz DEFAULT LOCALTIMESTAMP, code text DEFAULT upper('id'), day date DEFAULT CURRENT_DATE + interval '1 day');

-- an expression over the whole row
-- accepted
CREATE TABLE orders (id bigint, code text, CHECK (orders.id > 0), CHECK (orders IS NOT NULL));

-- a number at the end of its type
CREATE TABLE orders (a smallint, b numeric(4, 2), c integer);
-- accepted
INSERT INTO orders VALUES (-32768, 99.99, 2147483647), (32767, -99.99, - 2147483648);

-- a number that is rounded
CREATE TABLE orders (a numeric(4, 2), b date);
-- accepted
INSERT INTO orders VALUES (12.345, '2024-02-29');

-- rows of a view with an INSTEAD OF trigger
CREATE TABLE orders (id integer);
CREATE VIEW v AS SELECT count(*) AS n FROM orders;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
-- accepted
INSERT INTO v VALUES (1);

-- rows of a view with a rule
CREATE TABLE orders (id integer);
CREATE VIEW v AS SELECT max(id) AS n FROM orders;
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
-- accepted
DELETE FROM v;

-- a JSON compared with NULL
CREATE TABLE orders (doc json, list json[]);
-- accepted
DELETE FROM orders WHERE doc IS NULL OR doc::text = '{}' OR doc->>'a' = 'b';

-- a string without a length and a collation
-- accepted
CREATE TABLE orders (code varchar COLLATE "C", codes text[] COLLATE "C", price numeric, parts json[] , UNIQUE (code));

-- functions in CHECK and DEFAULT
CREATE TABLE a (id bigint PRIMARY KEY, x text);
-- accepted
CREATE TABLE c (id bigint, state text DEFAULT 'new' CHECK (state IN ('new','old')), CONSTRAINT k CHECK (lower(state) = state AND length(trim(both ' ' FROM state)) > 0), at timestamptz DEFAULT (now() AT TIME ZONE 'utc'));

-- operators in CHECK
-- accepted
CREATE TABLE c (id bigint, e text CHECK (e ~* '^[a-z]+$'), t text[] CHECK (cardinality(t) < 5 AND t <@ ARRAY['a','b']::text[]), d jsonb CHECK (d ? 'a' AND jsonb_typeof(d) = 'object' AND (d->>'n')::int > 0));

-- ranges and row comparisons in CHECK
-- accepted
CREATE TABLE c (a date, b date, CHECK ((a, b) OVERLAPS (date '2020-01-01', interval '1 year')), CHECK (daterange(a, b) && daterange('2020-01-01', NULL)), CHECK (a IS DISTINCT FROM b), CHECK ((a IS NULL) = (b IS NULL)), CHECK (num_nonnulls(a, b) >= 1));

-- constants and key words in DEFAULT
-- accepted
CREATE TABLE c (a text DEFAULT CURRENT_SCHEMA, b name DEFAULT SESSION_USER, c time DEFAULT LOCALTIME, d text DEFAULT 'x' || 'y', e int[] DEFAULT '{}'::int[], f int[] DEFAULT ARRAY[]::int[], g jsonb DEFAULT '{"a": "b"}', h interval DEFAULT INTERVAL '1 day', i bit(3) DEFAULT B'101', j bytea DEFAULT '\x00', k numeric(5,0) DEFAULT 99999, l uuid DEFAULT gen_random_uuid(), m text DEFAULT (ARRAY['a','b'])[1]);

-- CASE and BETWEEN in CHECK
-- accepted
CREATE TABLE c (a int, b int, CHECK (CASE WHEN a > 0 THEN b IS NOT NULL ELSE true END), CHECK (a BETWEEN SYMMETRIC 1 AND b), CHECK (b = ANY (ARRAY[1, 2, 3])), CHECK (a::text SIMILAR TO '[0-9]+' ESCAPE '\'), CHECK (NOT (a = 1 AND b = 2)));

-- numbers within their types
CREATE TABLE c (a numeric(10,2), b numeric(3), c smallint, d real, e double precision, f date, g timestamptz);
-- accepted
INSERT INTO c VALUES (12345678.999, 999.4, 32767, 1e38, 1e300, '2024-02-29', '2025-12-31 24:00:00'), (-0.5, -999, -32768, 0, 0, 'infinity', 'epoch');

-- days in other forms than ISO 8601
CREATE TABLE c (f date, g timestamp);
-- accepted
INSERT INTO c VALUES ('20240229', 'Feb 29 2024 10:00'), ('1/8/1999', '2024-060'), ('2024-1-5', '2024-01-05T10:00:00Z');

-- types with lengths and precisions
-- accepted
CREATE TABLE c (id bigserial NOT NULL, b smallserial, c serial8, d varchar DEFAULT NULL, e char(1) DEFAULT 'a', f bit varying(5), g time(3) with time zone, h interval day to second(3), i "char", j float(24), k decimal(10), l character varying(255)[] , m text COLLATE "C" );

-- a view with a subquery is updated
CREATE TABLE a (id bigint, k text);
CREATE VIEW v AS SELECT id, k FROM a WHERE k IN (SELECT k FROM a GROUP BY k);
-- accepted
UPDATE v SET k = 'x' WHERE id = 1;

-- a view of a view gets a row
CREATE TABLE a (id bigint, k text);
CREATE VIEW v AS SELECT * FROM a;
CREATE VIEW w AS SELECT id FROM v WHERE k = 'x';
-- accepted
INSERT INTO w VALUES (1);

-- a new identity that is NULL
CREATE TABLE orders (id bigint);
-- refused: conflicting NULL/NOT NULL declarations for column "no" of table "orders"
ALTER TABLE orders ADD COLUMN no bigint NULL GENERATED BY DEFAULT AS IDENTITY;

-- a table's identity that is NULL
-- refused: conflicting NULL/NOT NULL declarations for column "id" of table "orders"
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY NULL);

-- NULL and NOT NULL
CREATE TABLE orders (id bigint);
-- refused: conflicting NULL/NOT NULL declarations for column "no" of table "orders"
ALTER TABLE orders ADD COLUMN no integer NULL NOT NULL;

-- NOT NULL with a name and NULL, after a pseudo-type
-- refused: conflicting NULL/NOT NULL declarations for column "no" of table "orders"
CREATE TABLE orders (id anyelement, no integer CONSTRAINT no_is_set NOT NULL NULL);

-- a serial column that is NULL
CREATE TABLE orders (id bigint);
-- refused: conflicting NULL/NOT NULL declarations for column "no" of table "orders"
ALTER TABLE orders ADD COLUMN no serial NULL;

-- a bigserial column of a table that is NULL
-- refused: conflicting NULL/NOT NULL declarations for column "no" of table "orders"
CREATE TABLE orders (no bigserial NULL);

-- a primary key that is NULL
-- refused since 18: conflicting NULL/NOT NULL declarations for column "id" of table "orders"
-- accepted
CREATE TABLE orders (id integer NULL PRIMARY KEY);

-- a new primary key that is NULL
CREATE TABLE orders (code text);
-- refused since 18: conflicting NULL/NOT NULL declarations for column "id" of table "orders"
-- accepted
ALTER TABLE orders ADD COLUMN id integer PRIMARY KEY NULL;

-- a primary key of a table over a column that is NULL
-- accepted
CREATE TABLE orders (id integer NULL, PRIMARY KEY (id));

-- NULL twice, and a default of NULL
-- accepted
CREATE TABLE orders (id integer NULL DEFAULT NULL NULL, code text NULL UNIQUE CHECK (code <> ''));

-- a contradiction in a column that exists
CREATE TABLE orders (id bigint);
-- accepted
ALTER TABLE orders ADD COLUMN IF NOT EXISTS id integer NULL NOT NULL;

-- two defaults
CREATE TABLE orders (id bigint);
-- refused: multiple default values specified for column "no" of table "orders"
ALTER TABLE orders ADD COLUMN no integer DEFAULT 1 DEFAULT 2;

-- a default twice
-- refused: multiple default values specified for column "no" of table "orders"
CREATE TABLE orders (no integer DEFAULT 1 NOT NULL DEFAULT 1);

-- two defaults for a table that exists
CREATE TABLE orders (id bigint);
-- accepted
CREATE TABLE IF NOT EXISTS orders (no integer DEFAULT 1 DEFAULT 2);
