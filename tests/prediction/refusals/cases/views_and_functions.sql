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
