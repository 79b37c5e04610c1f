-- a table in a session that has emptied its search_path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SELECT pg_catalog.set_config('search_path', '', false);
-- refused: relation "stock" does not exist
ALTER TABLE stock ADD COLUMN note text;

-- a table by its full name in a session that has emptied its search_path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SELECT pg_catalog.set_config('search_path', '', false);
-- accepted
ALTER TABLE public.stock ADD COLUMN note text;

-- a table after the path was reset
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SELECT pg_catalog.set_config('search_path', '', false);
RESET search_path;
-- accepted
ALTER TABLE stock ADD COLUMN note text;

-- a table after another schema was added to the path
CREATE SCHEMA app;
CREATE TABLE app.stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
SET search_path TO app;
-- accepted
ALTER TABLE stock ADD COLUMN note text;

-- a path of pg_catalog only
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path = pg_catalog;
-- refused: relation "stock" does not exist
CREATE INDEX stock_amount_idx ON stock (amount);

-- DROP TABLE with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: table "stock" does not exist
DROP TABLE stock;

-- DROP TABLE IF EXISTS with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- accepted
DROP TABLE IF EXISTS stock;

-- rows with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: relation "stock" does not exist
INSERT INTO stock VALUES (1, 2);

-- a query with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: relation "stock" does not exist
UPDATE stock SET amount = 1;

-- a reference with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: relation "stock" does not exist
CREATE TABLE public.orders (id bigint PRIMARY KEY, stock_id bigint REFERENCES stock (id));

-- a comment with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: relation "stock" does not exist
COMMENT ON TABLE stock IS 'amounts';

-- a view of a table with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY, amount integer);
SET search_path TO '';
-- refused: relation "stock" does not exist
CREATE VIEW public.amounts AS SELECT amount FROM stock;

-- a table of the system catalogues with an empty path
SET search_path TO '';
-- accepted
CREATE VIEW public.relations AS SELECT relname FROM pg_class;

-- a temporary table with an empty path
SET search_path TO '';
CREATE TEMPORARY TABLE batch (id bigint PRIMARY KEY);
-- accepted
ALTER TABLE batch ADD COLUMN note text;

-- a new table with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE TABLE stock (id bigint PRIMARY KEY);

-- a new temporary table with an empty path
SET search_path TO '';
-- accepted
CREATE TEMPORARY TABLE batch (id bigint PRIMARY KEY);

-- a new view with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE VIEW one AS SELECT 1 AS number;

-- a new temporary view with an empty path
SET search_path TO '';
-- accepted
CREATE TEMPORARY VIEW one AS SELECT 1 AS number;

-- a new type with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE TYPE color AS ENUM ('red');

-- a new domain with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE DOMAIN amount AS integer;

-- a new sequence with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE SEQUENCE numbers;

-- a new function with an empty path
SET search_path TO '';
-- refused: no schema has been selected to create in
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- a type with an empty path
CREATE TYPE color AS ENUM ('red');
CREATE TABLE stock (id bigint PRIMARY KEY);
SET search_path TO '';
-- refused: type "color" does not exist
ALTER TABLE public.stock ADD COLUMN shade color;

-- a built-in type with an empty path
CREATE TABLE stock (id bigint PRIMARY KEY);
SET search_path TO '';
-- accepted
ALTER TABLE public.stock ADD COLUMN shade text;

-- the function of a trigger with an empty path
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE stock (id bigint PRIMARY KEY);
SET search_path TO '';
-- refused: function note_change() does not exist
CREATE TRIGGER changed BEFORE INSERT ON public.stock FOR EACH ROW EXECUTE FUNCTION note_change();

-- an array type in double quotes
-- refused: type "text[]" does not exist
CREATE TABLE stock (id bigint PRIMARY KEY, tags "text[]");

-- a type with a length in double quotes
CREATE TABLE stock (id bigint PRIMARY KEY);
-- refused: type "varchar(20)" does not exist
ALTER TABLE stock ADD COLUMN code "varchar(20)";

-- a type in capitals in double quotes
CREATE TABLE stock (id bigint PRIMARY KEY, code text);
-- refused: type "TEXT" does not exist
ALTER TABLE stock ADD COLUMN note "TEXT";

-- a type by its internal name in double quotes
-- accepted
CREATE TABLE stock (id "int8" PRIMARY KEY, open "bool", letter "char", tags text[]);

-- a domain that has the name of a type in capitals
CREATE DOMAIN "TEXT" AS text;
-- accepted
CREATE TABLE stock (id bigint PRIMARY KEY, note "TEXT");

-- a table without schema in the body of an SQL function with an empty search_path
CREATE TABLE stock (id bigint PRIMARY KEY);
-- refused: relation "stock" does not exist
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SET search_path = '' AS $$ SELECT count(*) FROM stock $$;

-- a function without schema in the body of an SQL function that finds only those of PostgreSQL
CREATE FUNCTION doubled(n bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT n * 2 $$;
-- refused: function doubled(bigint) does not exist
CREATE FUNCTION four() RETURNS bigint LANGUAGE sql SET search_path TO pg_catalog, pg_temp AS $$ SELECT doubled(2::bigint) $$;

-- names with their schema, those of PostgreSQL, and those of the query itself
CREATE TABLE stock (id bigint PRIMARY KEY);
CREATE FUNCTION doubled(n bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT n * 2 $$;
-- accepted
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SET search_path = '' AS $$
WITH found AS (SELECT id FROM public.stock) SELECT public.doubled(count(*)) FROM found, pg_class WHERE lower(relname) = 'stock' $$;

-- a table without schema in the body of a PL/pgSQL function, which is resolved when it runs
CREATE TABLE stock (id bigint PRIMARY KEY);
-- accepted
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql SET search_path = '' AS $$ BEGIN RETURN (SELECT count(*) FROM stock); END $$;

-- a table without schema in the body of an SQL function whose search_path names its schema
CREATE TABLE stock (id bigint PRIMARY KEY);
-- accepted
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SET search_path = public, pg_temp AS $$ SELECT count(*) FROM stock $$;

-- a type in a schema that the session's search_path does not name
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'sold');
SET search_path = public;
-- refused: type "state" does not exist
CREATE TABLE stock (id bigint PRIMARY KEY, state state);

-- a type in a schema that it names
CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'sold');
SET search_path = public, app;
-- accepted
CREATE TABLE stock (id bigint PRIMARY KEY, state state);

-- a type of PostgreSQL that has the name of one elsewhere
CREATE SCHEMA app;
CREATE TYPE app.uuid AS ENUM ('new', 'sold');
SET search_path = public;
-- accepted
CREATE TABLE stock (id uuid PRIMARY KEY);
