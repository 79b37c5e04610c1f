-- GRANT to a role that was dropped
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
DROP ROLE shop_reader;
-- refused: role "shop_reader" does not exist
GRANT SELECT ON orders TO shop_reader;

-- GRANT to a role that was renamed
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
ALTER ROLE shop_reader RENAME TO shop_viewer;
-- refused: role "shop_reader" does not exist
GRANT SELECT ON orders TO shop_reader;

-- GRANT to the new name of a role
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
ALTER ROLE shop_reader RENAME TO shop_viewer;
-- accepted
GRANT SELECT ON orders TO shop_viewer;

-- the owner was dropped
CREATE ROLE shop_keeper;
CREATE TABLE orders (id bigint);
DROP ROLE shop_keeper;
-- refused: role "shop_keeper" does not exist
ALTER TABLE orders OWNER TO shop_keeper;

-- a policy of a role that was dropped
CREATE ROLE shop_keeper;
CREATE TABLE orders (id bigint);
DROP USER shop_keeper;
-- refused: role "shop_keeper" does not exist
CREATE POLICY all_rows ON orders TO shop_keeper USING (true);

-- a role that exists
CREATE ROLE shop_reader;
-- refused: role "shop_reader" already exists
CREATE USER shop_reader;

-- a role with privileges
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
GRANT SELECT ON orders TO shop_reader;
-- refused: role "shop_reader" cannot be dropped because some objects depend on it
DROP ROLE shop_reader;

-- a role without privileges
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
GRANT SELECT ON orders TO shop_reader;
REVOKE ALL ON orders FROM shop_reader;
-- accepted
DROP ROLE shop_reader;

-- a role whose objects were dropped
CREATE ROLE shop_reader;
CREATE TABLE orders (id bigint);
GRANT SELECT ON orders TO shop_reader;
DROP OWNED BY shop_reader;
-- accepted
DROP ROLE shop_reader;

-- a role that was dropped already
CREATE ROLE shop_reader;
DROP ROLE shop_reader;
-- accepted
DROP ROLE IF EXISTS shop_reader;

-- a privilege on a column that does not exist
CREATE TABLE orders (id bigint, code text);
-- refused: column "label" of relation "orders" does not exist
GRANT SELECT (id, label) ON orders TO public;

-- a privilege on a column that exists
CREATE TABLE orders (id bigint, code text);
-- accepted
GRANT SELECT (id, code) ON orders TO public;

-- a privilege on a table that was dropped
CREATE TABLE orders (id bigint, code text);
DROP TABLE orders;
-- refused: relation "orders" does not exist
GRANT SELECT ON orders TO public;
