-- a view loses a column
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT id, note FROM orders;
-- refused: cannot drop columns from view
CREATE OR REPLACE VIEW notes AS SELECT id FROM orders;

-- a column of a view gets another name
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT id, note FROM orders;
-- refused: cannot change name of view column "note" to "remark"
CREATE OR REPLACE VIEW notes AS SELECT id, note AS remark FROM orders;

-- a column in front
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT note FROM orders;
-- refused: cannot change name of view column "note" to "id"
CREATE OR REPLACE VIEW notes AS SELECT id, note FROM orders;

-- a column at the end
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT id FROM orders;
-- accepted
CREATE OR REPLACE VIEW notes AS SELECT id, note FROM orders;

-- the same columns with other rows
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT id, note FROM orders;
-- accepted
CREATE OR REPLACE VIEW notes AS SELECT o.id, o.note FROM orders AS o WHERE id > 0;

-- a view that was dropped in between
CREATE TABLE orders (id bigint, note text);
CREATE VIEW notes AS SELECT id, note FROM orders;
DROP VIEW notes;
-- accepted
CREATE OR REPLACE VIEW notes AS SELECT id FROM orders;

-- OR REPLACE of a table
CREATE TABLE notes (id bigint);
-- refused: "notes" is not a view
CREATE OR REPLACE VIEW notes AS SELECT 1 AS id;

-- a view of a table that does not exist
CREATE TABLE orders (id bigint);
DROP TABLE orders;
-- refused: relation "orders" does not exist
CREATE VIEW notes AS SELECT id FROM orders;

-- a function's return type
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: cannot change return type of existing function
CREATE OR REPLACE FUNCTION total(integer) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';

-- a function's return type becomes a set
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: cannot change return type of existing function
CREATE OR REPLACE FUNCTION total(integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1';

-- the same return type in another spelling
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
CREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql AS 'SELECT 2';

-- another length of the return type
CREATE FUNCTION label(integer) RETURNS varchar(10) LANGUAGE sql AS 'SELECT ''a''::varchar';
-- accepted
CREATE OR REPLACE FUNCTION label(integer) RETURNS varchar LANGUAGE sql AS 'SELECT ''a''::varchar';

-- other arguments are another function
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
CREATE OR REPLACE FUNCTION total(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';

-- a function's parameter gets another name
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
-- refused: cannot change name of input parameter "a"
CREATE OR REPLACE FUNCTION total(b integer) RETURNS integer LANGUAGE sql AS 'SELECT b';

-- a function's parameter gets a name
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
CREATE OR REPLACE FUNCTION total(b integer) RETURNS integer LANGUAGE sql AS 'SELECT b';

-- a function's parameter loses its name
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
-- refused: cannot change name of input parameter "a"
CREATE OR REPLACE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- a default is removed
CREATE FUNCTION total(a integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT a';
-- refused: cannot remove parameter defaults from existing function
CREATE OR REPLACE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';

-- a default is added
CREATE FUNCTION total(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
-- accepted
CREATE OR REPLACE FUNCTION total(a integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT a';

-- a procedure replaces a function
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: cannot change routine kind
CREATE OR REPLACE PROCEDURE total(integer) LANGUAGE sql AS 'SELECT 1';

-- a function that exists
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function "total" already exists with same argument types
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- columns of RETURNS TABLE
CREATE FUNCTION totals() RETURNS TABLE (a integer) LANGUAGE sql AS 'SELECT 1';
-- refused: cannot change return type of existing function
CREATE OR REPLACE FUNCTION totals() RETURNS TABLE (a integer, b integer) LANGUAGE sql AS 'SELECT 1, 2';

-- the same columns of RETURNS TABLE
CREATE FUNCTION totals() RETURNS TABLE (a integer, b integer) LANGUAGE sql AS 'SELECT 1, 2';
-- accepted
CREATE OR REPLACE FUNCTION totals() RETURNS TABLE (a int, b integer) LANGUAGE sql AS 'SELECT 3, 4';

-- the type of an OUT parameter
CREATE FUNCTION parts(OUT a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1, 2';
-- refused: cannot change return type of existing function
CREATE OR REPLACE FUNCTION parts(OUT a integer, OUT b text) LANGUAGE sql AS 'SELECT 1, ''b''';

-- a column of a view gets another type
CREATE TABLE orders (id integer, note text);
CREATE VIEW notes AS SELECT id, note FROM orders;
-- refused: cannot change data type of view column "id" from integer to bigint
CREATE OR REPLACE VIEW notes AS SELECT id::bigint AS id, note FROM orders;

-- a column of a view gets another length
CREATE TABLE orders (id integer, note varchar(10), fee numeric(8,2));
CREATE VIEW notes AS SELECT id, note, fee FROM orders;
-- refused: cannot change data type of view column "fee" from numeric(8,2) to numeric(10,2)
CREATE OR REPLACE VIEW notes AS SELECT id, o.note, CAST(fee AS numeric(10,2)) AS fee FROM orders o;

-- a column of a view is counted
CREATE TABLE orders (id integer, qty integer);
CREATE VIEW totals AS SELECT id, qty AS total FROM orders;
-- refused: cannot change data type of view column "total" from integer to bigint
CREATE OR REPLACE VIEW totals AS SELECT id, count(*) AS total FROM orders GROUP BY id;

-- a column of a view is that of another table
CREATE TABLE orders (id integer, at timestamptz);
CREATE TABLE events (id integer, at date);
CREATE VIEW times AS SELECT o.id, o.at FROM orders o JOIN events e ON o.id = e.id;
-- refused: cannot change data type of view column "at" from timestamp with time zone to date
CREATE OR REPLACE VIEW times AS SELECT o.id, e.at FROM orders o JOIN events e ON o.id = e.id;

-- a column of a view keeps its type
CREATE TABLE orders (id integer, at timestamptz, note text);
CREATE VIEW times AS SELECT id, at, note FROM orders;
-- accepted
CREATE OR REPLACE VIEW times AS SELECT (orders.id), now() AS at, note::text AS note FROM orders;

-- a column of a view whose type changed before it was created again
CREATE TABLE orders (id integer);
CREATE VIEW ids AS SELECT id FROM orders;
DROP VIEW ids;
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
CREATE VIEW ids AS SELECT id FROM orders;
-- accepted
CREATE OR REPLACE VIEW ids AS SELECT id::bigint AS id FROM orders;

-- a function in standard form that reads a table that was dropped
CREATE TABLE orders (id integer);
DROP TABLE orders;
-- refused: relation "orders" does not exist
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM orders);

-- a procedure in standard form that writes a column that does not exist
CREATE TABLE orders (id integer);
-- refused: column "qty" of relation "orders" does not exist
CREATE PROCEDURE fill() LANGUAGE sql BEGIN ATOMIC INSERT INTO orders (id, qty) VALUES (1, 2); END;

-- a function in standard form
CREATE TABLE orders (id integer, qty integer);
-- accepted
CREATE PROCEDURE fill() LANGUAGE sql BEGIN ATOMIC INSERT INTO orders (id, qty) VALUES (1, 2); DELETE FROM orders; END;

-- a function in PL/pgSQL that reads a table that was dropped
CREATE TABLE orders (id integer);
DROP TABLE orders;
-- accepted
CREATE FUNCTION total() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; END';

-- a materialized view without data is refreshed concurrently
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders WITH NO DATA;
CREATE UNIQUE INDEX ON latest (id);
-- refused: CONCURRENTLY cannot be used when the materialized view is not populated
REFRESH MATERIALIZED VIEW CONCURRENTLY latest;

-- a materialized view is refreshed before
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders WITH NO DATA;
CREATE UNIQUE INDEX ON latest (id);
REFRESH MATERIALIZED VIEW latest;
-- accepted
REFRESH MATERIALIZED VIEW CONCURRENTLY latest;

-- a materialized view is emptied before
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders;
CREATE UNIQUE INDEX ON latest (id);
REFRESH MATERIALIZED VIEW latest WITH NO DATA;
-- refused: CONCURRENTLY cannot be used when the materialized view is not populated
REFRESH MATERIALIZED VIEW CONCURRENTLY latest;

-- a materialized view without data is read
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders WITH NO DATA;
-- refused: materialized view "latest" has not been populated
INSERT INTO orders SELECT id FROM latest;

-- a view of a materialized view without data
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders WITH NO DATA;
-- accepted
CREATE VIEW ids AS SELECT id FROM latest;

-- a table like a materialized view without data
CREATE TABLE orders (id integer);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders WITH NO DATA;
-- accepted
CREATE TABLE ids AS SELECT id FROM latest WITH NO DATA;

-- an extension that every database has
CREATE TABLE orders (id integer);
-- refused: extension "plpgsql" already exists
CREATE EXTENSION plpgsql;

-- an extension that every database has, if it does not exist
CREATE TABLE orders (id integer);
-- accepted
CREATE EXTENSION IF NOT EXISTS plpgsql;

-- a column that a view does not have
CREATE TABLE orders (id bigint, code text);
CREATE VIEW numbers AS SELECT id FROM orders;
-- refused: column "code" does not exist
SELECT code FROM numbers;

-- a column that a view with * had not yet
CREATE TABLE orders (id bigint, code text);
CREATE VIEW numbers AS SELECT * FROM orders;
ALTER TABLE orders ADD COLUMN note text;
-- refused: column "note" does not exist
CREATE VIEW notes AS SELECT note FROM numbers;

-- a column that was renamed below a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW numbers AS SELECT * FROM orders;
ALTER TABLE orders RENAME COLUMN code TO label;
-- accepted
SELECT code FROM numbers;

-- a view of a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW numbers AS SELECT id FROM orders;
CREATE VIEW more_numbers AS SELECT * FROM numbers;
-- refused: column "code" does not exist
SELECT id FROM more_numbers WHERE code = 'a';

-- an index of a column that a materialized view does not have
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW numbers AS SELECT id AS number FROM orders;
-- refused: column "id" does not exist
CREATE INDEX ON numbers (id);

-- an index of a column of a materialized view
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW numbers AS SELECT id AS number FROM orders;
-- accepted
CREATE UNIQUE INDEX ON numbers (number);

-- a function becomes immutable
CREATE FUNCTION half(a bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN a / 2; END $$;
ALTER FUNCTION half(bigint) IMMUTABLE;
CREATE TABLE orders (id bigint);
-- accepted
CREATE INDEX ON orders (half(id));

-- a view of all columns, of which the table got one more before the last
CREATE TABLE vans (id bigint, plate text);
CREATE VIEW numbered AS SELECT vans.*, 1 AS one FROM vans;
ALTER TABLE vans ADD COLUMN note text;
-- refused: cannot change name of view column "one" to "note"
CREATE OR REPLACE VIEW numbered AS SELECT vans.*, 1 AS one FROM vans;

-- a view of all columns, of which the table got one more
CREATE TABLE vans (id bigint, plate text);
CREATE VIEW all_vans AS SELECT * FROM vans;
ALTER TABLE vans ADD COLUMN note text;
-- accepted
CREATE OR REPLACE VIEW all_vans AS SELECT * FROM vans;

-- a view of all columns, of which the table lost one
CREATE TABLE vans (id bigint, plate text, note text);
CREATE VIEW all_vans AS SELECT * FROM vans;
ALTER TABLE vans RENAME COLUMN plate TO label;
-- refused: cannot change name of view column "plate" to "label"
CREATE OR REPLACE VIEW all_vans AS SELECT * FROM vans;

-- a view of all columns with fewer columns
CREATE TABLE vans (id bigint, plate text, note text);
CREATE VIEW all_vans AS SELECT * FROM vans;
-- refused: cannot drop columns from view
CREATE OR REPLACE VIEW all_vans AS SELECT id, plate FROM vans;

-- a view of the columns of two tables
CREATE TABLE vans (id bigint, plate text);
CREATE TABLE depots (depot bigint, title text);
CREATE VIEW pairs AS SELECT v.*, d.title FROM vans v JOIN depots d ON d.depot = v.id;
-- accepted
CREATE OR REPLACE VIEW pairs AS SELECT v.id, v.plate, d.title, d.depot FROM vans v JOIN depots d ON d.depot = v.id;

-- a view whose column was renamed before
CREATE TABLE a (id bigint, note text);
CREATE VIEW v AS SELECT id, note FROM a;
ALTER VIEW v RENAME COLUMN note TO remark;
-- accepted
CREATE OR REPLACE VIEW v AS SELECT id, note AS remark FROM a;

-- a view whose column was renamed before, with its old names
CREATE TABLE a (id bigint, note text);
CREATE VIEW v AS SELECT id, note FROM a;
ALTER TABLE v RENAME COLUMN note TO remark;
-- refused: cannot change name of view column "remark" to "note"
CREATE OR REPLACE VIEW v AS SELECT id, note FROM a;

-- a view with names of its own, of which one was renamed before
CREATE TABLE a (id bigint, note text);
CREATE VIEW v (key, text) AS SELECT * FROM a;
ALTER VIEW v RENAME COLUMN key TO number;
-- accepted
CREATE OR REPLACE VIEW v AS SELECT id AS number, note AS text FROM a;

-- a view that was replaced after the rename of a column
CREATE TABLE a (id bigint, note text);
CREATE VIEW v AS SELECT id, note FROM a;
ALTER VIEW v RENAME COLUMN note TO remark;
CREATE OR REPLACE VIEW v AS SELECT id, note AS remark, 1 AS one FROM a;
-- refused: cannot drop columns from view
CREATE OR REPLACE VIEW v AS SELECT id, note AS remark FROM a;

-- a column that another view reads under its new name
CREATE TABLE a (id bigint, note text);
CREATE VIEW v AS SELECT id, note FROM a;
ALTER VIEW v RENAME COLUMN note TO remark;
CREATE VIEW w AS SELECT remark FROM v;
-- refused: cannot drop column note of table a because other objects depend on it
ALTER TABLE a DROP COLUMN note;
