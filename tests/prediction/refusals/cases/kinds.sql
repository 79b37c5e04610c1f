-- a column of a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW codes AS SELECT id, code FROM orders;
-- refused before 15: "codes" is not a table, composite type, or foreign table
-- refused: ALTER action ADD COLUMN cannot be performed on relation "codes"
ALTER TABLE codes ADD COLUMN note text;

-- a constraint of a materialized view
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW codes AS SELECT id, code FROM orders;
-- refused before 15: "codes" is not a table or foreign table
-- refused: ALTER action ADD CONSTRAINT cannot be performed on relation "codes"
ALTER TABLE codes ADD PRIMARY KEY (id);

-- a default of a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW codes AS SELECT id, code FROM orders;
-- accepted
ALTER TABLE codes ALTER COLUMN code SET DEFAULT 'a';

-- a foreign key to a view
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
CREATE VIEW codes AS SELECT id, code FROM orders;
-- refused: referenced relation "codes" is not a table
CREATE TABLE items (order_id bigint REFERENCES codes (id));

-- TRUNCATE of a materialized view
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW codes AS SELECT id, code FROM orders;
-- refused: "codes" is not a table
TRUNCATE codes;

-- rows of a materialized view
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW codes AS SELECT id, code FROM orders;
-- refused: cannot change materialized view "codes"
INSERT INTO codes VALUES (1, 'a');

-- a policy of a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW codes AS SELECT id, code FROM orders;
-- refused: "codes" is not a table
CREATE POLICY all_rows ON codes USING (true);

-- a comment on a view that is a table
CREATE TABLE orders (id bigint, code text);
-- refused: "orders" is not a view
COMMENT ON VIEW orders IS 'all orders';

-- ALTER VIEW of a materialized view
CREATE TABLE orders (id bigint, code text);
CREATE MATERIALIZED VIEW codes AS SELECT id, code FROM orders;
-- refused: "codes" is not a view
ALTER VIEW codes RENAME TO labels;

-- ALTER TABLE of a view
CREATE TABLE orders (id bigint, code text);
CREATE VIEW codes AS SELECT id, code FROM orders;
-- accepted
ALTER TABLE codes RENAME TO labels;

-- two columns of one name in a view
CREATE TABLE orders (id bigint, code text);
CREATE TABLE items (id bigint, order_id bigint);
-- refused: column "id" specified more than once
CREATE VIEW order_items AS SELECT orders.*, items.* FROM orders JOIN items ON items.order_id = orders.id;

-- two columns of one name in a table
CREATE TABLE orders (id bigint, code text);
CREATE TABLE items (id bigint, order_id bigint);
-- refused: column "id" specified more than once
CREATE TABLE order_items AS SELECT orders.id, items.id FROM orders JOIN items ON items.order_id = orders.id;

-- columns with names of their own
CREATE TABLE orders (id bigint, code text);
CREATE TABLE items (id bigint, order_id bigint);
-- accepted
CREATE VIEW order_items (order_id, item_id) AS SELECT orders.id, items.id FROM orders JOIN items ON items.order_id = orders.id;

-- a merged column
CREATE TABLE orders (id bigint, code text);
CREATE TABLE items (id bigint, order_id bigint);
-- accepted
CREATE VIEW order_items AS SELECT * FROM orders JOIN items USING (id);

-- DROP INDEX of a table
CREATE TABLE orders (id integer);
-- refused: "orders" is not an index
DROP INDEX orders;

-- DROP INDEX of a view
CREATE TABLE orders (id integer);
CREATE VIEW open_orders AS SELECT id FROM orders;
-- refused: "open_orders" is not an index
DROP INDEX open_orders;
