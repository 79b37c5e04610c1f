-- a view of a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "name" does not exist
CREATE VIEW v AS SELECT id, name FROM a;

-- a view of the column that a CASE is named after
CREATE TABLE a (id bigint, n text);
CREATE VIEW v AS SELECT CASE WHEN n IS NULL THEN 'x' ELSE n END FROM a;
-- accepted
CREATE VIEW w AS SELECT n FROM v;

-- an UPDATE from a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "guest" does not exist
UPDATE a SET n = "guest" WHERE id = 1;

-- an UPDATE to DEFAULT
CREATE TABLE a (id bigint, n text, m text);
-- accepted
UPDATE a SET m = 'x', n = DEFAULT WHERE id = 1;

-- a number for a boolean column
CREATE TABLE a (id bigint, active boolean);
-- refused: column "active" is of type boolean but expression is of type integer
UPDATE a SET active = 1 WHERE id = 4;

-- a comparison of types without an operator
CREATE TABLE a (id uuid, n text);
CREATE TABLE b (id bigint, a_id text);
-- refused: operator does not exist: uuid = text
UPDATE b SET id = 1 FROM a WHERE a.id = b.a_id;

-- a label that an enum does not have
CREATE TYPE state AS ENUM ('a', 'b');
CREATE TABLE a (id bigint, s state);
-- refused: invalid input value for enum state: "c"
DELETE FROM a WHERE s = 'c';

-- a CHECK of a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "level" does not exist
ALTER TABLE a ADD CONSTRAINT positive CHECK (level > 0) NOT VALID;

-- an index over a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "email" does not exist
CREATE INDEX i ON a (lower(email));

-- a policy over a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "owner" does not exist
CREATE POLICY p ON a USING (owner = current_user);

-- ON CONFLICT with a key that no index has
CREATE TABLE a (id bigint, n text);
-- refused: there is no unique or exclusion constraint matching the ON CONFLICT specification
INSERT INTO a (id, n) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING;

-- ON CONFLICT on the name of a partial index
CREATE TABLE a (id bigint, n text);
CREATE UNIQUE INDEX i ON a (id) WHERE n IS NOT NULL;
-- refused: constraint "i" for table "a" does not exist
INSERT INTO a (id, n) VALUES (1, 'x') ON CONFLICT ON CONSTRAINT i DO NOTHING;

-- ON CONFLICT with the key of a primary key
CREATE TABLE a (id bigint PRIMARY KEY, n text);
-- accepted
INSERT INTO a (id, n) VALUES (1, 'x'), (2, 'y') ON CONFLICT (id) DO UPDATE SET n = excluded.n;

-- the body of an SQL function
CREATE TABLE a (id bigint, n text);
-- refused: column "title" does not exist
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT title FROM a LIMIT 1';

-- the body of an SQL function with parameters
CREATE TABLE a (id bigint, n text);
-- accepted
CREATE FUNCTION f(number bigint) RETURNS text LANGUAGE sql AS 'SELECT n FROM a WHERE id = number';

-- the body of an SQL function over a dropped table
CREATE TABLE a (id bigint, n text);
DROP TABLE a;
-- refused: relation "a" does not exist
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT n FROM a LIMIT 1';

-- the body of a PL/pgSQL function
CREATE TABLE a (id bigint, n text);
-- accepted
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT title FROM a LIMIT 1); END';

-- the name of the function qualifies its parameter
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
-- accepted
CREATE FUNCTION of_quantity(qty int) RETURNS SETOF orders LANGUAGE sql AS $$ SELECT * FROM orders WHERE orders.qty = of_quantity.qty $$;

-- the name of another function qualifies nothing
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
-- refused: missing FROM-clause entry for table "quantity"
CREATE FUNCTION of_quantity(qty int) RETURNS SETOF orders LANGUAGE sql AS $$ SELECT * FROM orders WHERE orders.qty = quantity.qty $$;

-- UNION of a number and a text
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20), seen date);
-- refused: UNION types bigint and character varying cannot be matched
CREATE VIEW labels AS SELECT id AS label FROM vans UNION SELECT plate FROM vans;

-- UNION ALL of all columns and a constant
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: UNION types text and integer cannot be matched
CREATE VIEW labels AS SELECT * FROM vans UNION ALL SELECT 1, 2;

-- EXCEPT of a date and a truth value
CREATE TABLE vans (id bigint PRIMARY KEY, seen date, active boolean);
-- refused: EXCEPT types date and boolean cannot be matched
CREATE MATERIALIZED VIEW labels AS SELECT seen FROM vans EXCEPT SELECT active FROM vans;

-- UNION of two constants without a type, and a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- refused: UNION types text and bigint cannot be matched
CREATE VIEW labels AS SELECT NULL AS label FROM vans UNION ALL SELECT NULL FROM vans UNION ALL SELECT id FROM vans;

-- UNION of a number, a constant without a type, and a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE VIEW labels AS SELECT id AS label FROM vans UNION ALL SELECT NULL FROM vans UNION ALL SELECT 5;

-- UNION of an enum and a text
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE vans (id bigint PRIMARY KEY, mood mood, plate text);
-- refused: UNION types mood and text cannot be matched
INSERT INTO vans (plate) SELECT mood FROM vans UNION SELECT plate FROM vans;

-- UNION of an enum and a constant
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE vans (id bigint PRIMARY KEY, mood mood, plate text);
-- accepted
CREATE VIEW moods AS SELECT mood FROM vans UNION SELECT 'good';

-- UNION of types of one category
CREATE DOMAIN fee AS numeric(8, 2);
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20), title text, fee fee, seen date, at timestamptz);
-- accepted
CREATE VIEW labels AS SELECT id AS a, plate AS b, seen AS c FROM vans UNION SELECT fee, title, at FROM vans;

-- UNION with a cast
CREATE TABLE vans (id bigint PRIMARY KEY, plate text);
-- accepted
CREATE VIEW labels AS SELECT id::text AS label FROM vans UNION SELECT plate FROM vans;

-- UNION of a uuid and a text
CREATE TABLE vans (id uuid PRIMARY KEY, plate text);
-- refused: UNION types text and uuid cannot be matched
SELECT plate FROM vans UNION SELECT id FROM vans;

-- UNION of an array and a text
CREATE TABLE vans (id uuid PRIMARY KEY, plate text, tags text[]);
-- refused: UNION types text and text[] cannot be matched
CREATE VIEW labels AS SELECT plate FROM vans UNION SELECT tags FROM vans;
