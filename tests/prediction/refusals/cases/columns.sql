-- a column that exists
CREATE TABLE orders (id bigint, qty bigint);
-- refused: column "qty" of relation "orders" already exists
ALTER TABLE orders ADD COLUMN qty integer;

-- a column that exists, with IF NOT EXISTS
CREATE TABLE orders (id bigint, qty bigint);
-- accepted
ALTER TABLE orders ADD COLUMN IF NOT EXISTS qty integer;

-- a column that was dropped before
CREATE TABLE orders (id bigint, qty bigint);
ALTER TABLE orders DROP COLUMN qty;
-- accepted
ALTER TABLE orders ADD COLUMN qty integer;

-- a column that was renamed
CREATE TABLE orders (id bigint, qty bigint);
ALTER TABLE orders RENAME COLUMN qty TO quantity;
-- refused: column "qty" of relation "orders" does not exist
ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;

-- RENAME of a column that does not exist
CREATE TABLE orders (id bigint);
-- refused: column "qty" does not exist
ALTER TABLE orders RENAME COLUMN qty TO quantity;

-- the new name of a column exists
CREATE TABLE orders (id bigint, qty bigint, quantity bigint);
-- refused: column "quantity" of relation "orders" already exists
ALTER TABLE orders RENAME COLUMN qty TO quantity;

-- a table that exists
CREATE TABLE orders (id bigint);
-- refused: relation "orders" already exists
CREATE TABLE orders (id bigint);

-- a table with the name of an index
CREATE TABLE orders (id bigint);
CREATE INDEX parcels ON orders (id);
-- refused: relation "parcels" already exists
CREATE TABLE parcels (id bigint);

-- a table that was renamed
CREATE TABLE orders (id bigint);
ALTER TABLE orders RENAME TO purchases;
-- refused: relation "orders" does not exist
ALTER TABLE orders ADD COLUMN qty bigint;

-- the new name of a table exists
CREATE TABLE orders (id bigint);
CREATE TABLE purchases (id bigint);
-- refused: relation "purchases" already exists
ALTER TABLE orders RENAME TO purchases;

-- a schema is named
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint);
DROP TABLE app.orders;
-- refused: relation "app.orders" does not exist
ALTER TABLE app.orders ADD COLUMN qty bigint;

-- an index that exists
CREATE TABLE orders (id bigint);
CREATE INDEX orders_id_idx ON orders (id);
-- refused: relation "orders_id_idx" already exists
CREATE INDEX orders_id_idx ON orders (id);

-- an index on a column that does not exist
CREATE TABLE orders (id bigint);
-- refused: column "code" does not exist
CREATE INDEX orders_code_idx ON orders (code);

-- an index on a table that does not exist
CREATE TABLE orders (id bigint);
DROP TABLE orders;
-- refused: relation "orders" does not exist
CREATE INDEX orders_id_idx ON orders (id);

-- an index on a view
CREATE VIEW orders AS SELECT 1 AS id;
-- refused before 15: "orders" is not a table or materialized view
-- refused since 15: cannot create index on relation "orders"
CREATE INDEX orders_id_idx ON orders (id);

-- a view that exists
CREATE VIEW orders AS SELECT 1 AS id;
-- refused: relation "orders" already exists
CREATE VIEW orders AS SELECT 1 AS id;

-- a schema that exists
CREATE SCHEMA app;
-- refused: schema "app" already exists
CREATE SCHEMA app;

-- a sequence that exists
CREATE SEQUENCE numbers;
-- refused: relation "numbers" already exists
CREATE SEQUENCE numbers;

-- a column of a primary key becomes nullable
CREATE TABLE orders (id bigint PRIMARY KEY);
-- refused: column "id" is in a primary key
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;

-- an identity column becomes nullable
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: column "id" of relation "orders" is an identity column
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;

-- another column becomes nullable
CREATE TABLE orders (id bigint PRIMARY KEY, code text NOT NULL);
-- accepted
ALTER TABLE orders ALTER COLUMN code DROP NOT NULL;

-- the default of an identity column
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: column "id" of relation "orders" is an identity column
ALTER TABLE orders ALTER COLUMN id SET DEFAULT 1;

-- the default of an identity column is dropped
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: column "id" of relation "orders" is an identity column
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;

-- the default of a generated column
CREATE TABLE boxes (width bigint, area bigint GENERATED ALWAYS AS (width * width) STORED);
-- refused: column "area" of relation "boxes" is a generated column
ALTER TABLE boxes ALTER COLUMN area SET DEFAULT 1;

-- identity of a nullable column
CREATE TABLE orders (id bigint);
-- refused: column "id" of relation "orders" must be declared NOT NULL before identity can be added
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- identity of an identity column
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: column "id" of relation "orders" is already an identity column
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- identity of a serial column
CREATE TABLE orders (id bigserial PRIMARY KEY);
-- refused: column "id" of relation "orders" already has a default value
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- identity of a NOT NULL column
CREATE TABLE orders (id bigint PRIMARY KEY);
-- accepted
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- identity of a text column
CREATE TABLE orders (id text PRIMARY KEY);
-- refused: identity column type must be smallint, integer, or bigint
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

-- identity is dropped from a column that has none
CREATE TABLE orders (id bigint PRIMARY KEY);
-- refused: column "id" of relation "orders" is not an identity column
ALTER TABLE orders ALTER COLUMN id DROP IDENTITY;

-- an expression is dropped from a column that has none
CREATE TABLE orders (id bigint PRIMARY KEY);
-- refused before 18: column "id" of relation "orders" is not a stored generated column
-- refused since 18: column "id" of relation "orders" is not a generated column
ALTER TABLE orders ALTER COLUMN id DROP EXPRESSION;

-- a column assigned twice
CREATE TABLE orders (id bigint, qty bigint);
-- refused: multiple assignments to same column "qty"
UPDATE orders SET qty = 1, qty = 2 WHERE id = 1;

-- two elements of an array
CREATE TABLE orders (id bigint, qty bigint[]);
-- accepted
UPDATE orders SET qty[1] = 1, qty[2] = 2 WHERE id = 1;

-- a column named twice in INSERT
CREATE TABLE orders (id bigint, qty bigint);
-- refused: column "qty" specified more than once
INSERT INTO orders (id, qty, qty) VALUES (1, 2, 3);

-- a column that INSERT names and the table lacks
CREATE TABLE orders (id bigint, qty bigint);
-- refused: column "note" of relation "orders" does not exist
INSERT INTO orders (id, note) VALUES (1, 'a');

-- a column that UPDATE assigns and the table lacks
CREATE TABLE orders (id bigint, qty bigint);
-- refused: column "note" of relation "orders" does not exist
UPDATE orders SET note = 'a' WHERE id = 1;

-- a column named twice in CREATE TABLE
-- refused: column "qty" specified more than once
CREATE TABLE orders (id bigint, qty bigint, qty integer);

-- the partner of CREATE TABLE … LIKE does not exist
CREATE TABLE orders (id bigint);
DROP TABLE orders;
-- refused: relation "orders" does not exist
CREATE TABLE parcels (LIKE orders);

-- a trigger that exists
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- refused: trigger "touch" for relation "orders" already exists
CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- a policy that exists
CREATE TABLE orders (id bigint);
CREATE POLICY own ON orders USING (id = 1);
-- refused: policy "own" for table "orders" already exists
CREATE POLICY own ON orders USING (id = 2);

-- a publication that exists
CREATE PUBLICATION changes;
-- refused: publication "changes" already exists
CREATE PUBLICATION changes;
