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
