-- a trigger of a function that was dropped
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
DROP FUNCTION touch();
-- refused: function touch() does not exist
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- a trigger of a function that got another name
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
ALTER FUNCTION touch() RENAME TO touch_row;
-- refused: function touch() does not exist
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- a trigger of a function that was created again
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
DROP FUNCTION touch();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
-- accepted
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- a function is dropped twice
CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT 1';
DROP FUNCTION total();
-- refused: function total() does not exist
DROP FUNCTION total();

-- a function is dropped twice by its name
CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
DROP FUNCTION total;
-- refused: could not find a function named "total"
DROP FUNCTION total;

-- a function is dropped twice, if it exists
CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT 1';
DROP FUNCTION total();
-- accepted
DROP FUNCTION IF EXISTS total();

-- a procedure is dropped twice
CREATE PROCEDURE tidy() LANGUAGE sql AS 'SELECT 1';
DROP PROCEDURE tidy();
-- refused: procedure tidy() does not exist
DROP PROCEDURE tidy();

-- a function without a language
CREATE TABLE orders (id bigint);
-- refused: no language specified
CREATE FUNCTION total() RETURNS integer AS 'SELECT 1';

-- a procedure that is immutable
CREATE TABLE orders (id bigint);
-- refused: invalid attribute in procedure definition
CREATE PROCEDURE tidy() IMMUTABLE LANGUAGE sql AS 'SELECT 1';

-- a function that returns a type that was dropped
CREATE TYPE mood AS ENUM ('good');
DROP TYPE mood;
-- refused: type "mood" does not exist
CREATE FUNCTION best() RETURNS mood LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

-- a variadic parameter that is no array
CREATE TABLE orders (id bigint);
-- refused: VARIADIC parameter must be an array
CREATE FUNCTION total(VARIADIC items integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- a variadic parameter
CREATE TABLE orders (id bigint);
-- accepted
CREATE FUNCTION total(VARIADIC items integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';

-- DROP FUNCTION with other parameters
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function fee(text) does not exist
DROP FUNCTION fee(text);

-- DROP FUNCTION with more parameters
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function fee(integer, integer) does not exist
DROP FUNCTION fee(int, int4);

-- DROP PROCEDURE with other parameters
CREATE PROCEDURE pay(a integer) LANGUAGE sql AS 'SELECT 1';
-- refused: procedure public.pay(character varying) does not exist
DROP PROCEDURE public.pay(IN a varchar(50));

-- DROP FUNCTION with another spelling of its types
CREATE FUNCTION fee(a integer, b varchar(50), c timestamptz, d numeric(8, 2)[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
DROP FUNCTION fee(a int, b character varying, c timestamp with time zone, d decimal[]);

-- DROP FUNCTION with the type of an OUT parameter
CREATE FUNCTION fee(a integer, OUT b text) LANGUAGE sql AS $$SELECT 'x'::text$$;
-- accepted
DROP FUNCTION fee(a integer, OUT b text);

-- DROP FUNCTION with the parameters of another of its name
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
DROP FUNCTION fee(text);

-- DROP FUNCTION IF EXISTS with other parameters
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
DROP FUNCTION IF EXISTS fee(text);

-- DROP FUNCTION without parameters, of one that has some
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION fee(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function fee() does not exist
DROP FUNCTION fee();

-- DROP FUNCTION without parameters, where all have defaults
CREATE FUNCTION fee(a integer DEFAULT 1) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function fee() does not exist
DROP FUNCTION fee();

-- DROP FUNCTION without parameters, of one that only has OUT parameters
CREATE FUNCTION fee(OUT a integer) LANGUAGE sql AS 'SELECT 1';
-- accepted
DROP FUNCTION fee();

-- COMMENT with a name of two functions
CREATE FUNCTION fee(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- refused: function name "fee" is not unique
COMMENT ON FUNCTION fee IS 'what an order costs';

-- COMMENT with a schema and a name of two procedures
CREATE PROCEDURE pay(a integer) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE pay(a text) LANGUAGE sql AS 'SELECT 1';
-- refused: procedure name "public.pay" is not unique
COMMENT ON PROCEDURE public.pay IS 'pays';

-- COMMENT on one of two functions
CREATE FUNCTION fee() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
COMMENT ON FUNCTION fee() IS 'what an order costs';

-- COMMENT with a name of one function
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- accepted
COMMENT ON FUNCTION fee IS 'what an order costs';

-- COMMENT with a name of a function and a procedure
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE fee(a integer) LANGUAGE sql AS 'SELECT 1';
-- accepted
COMMENT ON FUNCTION fee IS 'what an order costs';

-- COMMENT on the routine of a name of a function and a procedure
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE fee(a integer) LANGUAGE sql AS 'SELECT 1';
-- refused: routine name "fee" is not unique
COMMENT ON ROUTINE fee IS 'what an order costs';

-- DROP FUNCTION with a name of a function and a procedure
CREATE FUNCTION fee(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE fee(a integer) LANGUAGE sql AS 'SELECT 1';
-- accepted
DROP FUNCTION fee;
