-- a trigger that does not exist
CREATE TABLE orders (id bigint);
-- refused: trigger "changed" for table "orders" does not exist
ALTER TABLE orders DISABLE TRIGGER changed;

-- all triggers
CREATE TABLE orders (id bigint);
-- accepted
ALTER TABLE orders DISABLE TRIGGER ALL;

-- a rule that does not exist
CREATE TABLE orders (id bigint);
-- refused: rule "changed" for relation "orders" does not exist
ALTER TABLE orders DISABLE RULE changed;

-- a renamed trigger that does not exist
CREATE TABLE orders (id bigint);
-- refused: trigger "changed" for table "orders" does not exist
ALTER TRIGGER changed ON orders RENAME TO altered;

-- a comment on a constraint that does not exist
CREATE TABLE orders (id bigint);
-- refused: constraint "positive" for table "orders" does not exist
COMMENT ON CONSTRAINT positive ON orders IS 'above 0';

-- an index that does not exist
CREATE TABLE orders (id bigint);
-- refused: index "orders_id" for table "orders" does not exist
ALTER TABLE orders CLUSTER ON orders_id;

-- a replica identity of an index that is not unique
CREATE TABLE orders (id bigint NOT NULL);
CREATE INDEX orders_id ON orders (id);
-- refused: cannot use non-unique index "orders_id" as replica identity
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id;

-- a replica identity of a partial index
CREATE TABLE orders (id bigint NOT NULL);
CREATE UNIQUE INDEX orders_id ON orders (id) WHERE id > 5;
-- refused: cannot use partial index "orders_id" as replica identity
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id;

-- a replica identity of a column that may be null
CREATE TABLE orders (id bigint);
CREATE UNIQUE INDEX orders_id ON orders (id);
-- refused: index "orders_id" cannot be used as replica identity because column "id" is nullable
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id;

-- a replica identity
CREATE TABLE orders (id bigint NOT NULL);
CREATE UNIQUE INDEX orders_id ON orders (id);
-- accepted
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_id;

-- a table with OIDs
-- refused: tables declared WITH OIDS are not supported
CREATE TABLE orders (id bigint) WITH (oids = true);

-- a table without OIDs
-- accepted
CREATE TABLE orders (id bigint) WITH (oids = false);

-- statistics of one column
CREATE TABLE orders (id bigint, code text);
-- refused: extended statistics require at least 2 columns
CREATE STATISTICS orders_stat ON id FROM orders;

-- statistics of a column that does not exist
CREATE TABLE orders (id bigint, code text);
-- refused: column "note" does not exist
CREATE STATISTICS orders_stat ON id, note FROM orders;

-- a parameter without a default after one that has it
-- refused: input parameters after one with a default value must also have defaults
CREATE FUNCTION f(a int DEFAULT 1, b int) RETURNS int LANGUAGE sql AS 'SELECT a';

-- a parameter twice
-- refused: parameter name "a" used more than once
CREATE FUNCTION f(a int, a int) RETURNS int LANGUAGE sql AS 'SELECT a';

-- a name of two functions
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a';
-- refused: function name "f" is not unique
DROP FUNCTION f;

-- one of two functions
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a';
-- accepted
DROP FUNCTION f(int);

-- a comment on a constraint that is gone
CREATE TABLE orders (id bigint PRIMARY KEY, n integer CONSTRAINT positive CHECK (n > 0));
ALTER TABLE orders DROP CONSTRAINT positive;
-- refused: constraint "positive" for table "orders" does not exist
COMMENT ON CONSTRAINT positive ON orders IS 'above 0';

-- a comment on a constraint of a column that is not null
CREATE TABLE orders (id bigint PRIMARY KEY, n integer NOT NULL);
-- refused before 18: constraint "orders_n_not_null" for table "orders" does not exist
-- accepted
COMMENT ON CONSTRAINT orders_n_not_null ON orders IS 'known';
