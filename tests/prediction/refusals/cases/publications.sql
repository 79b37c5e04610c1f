-- a view
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE VIEW latest AS SELECT id FROM orders;
-- refused before 15: "latest" is not a table
-- refused since 15: cannot add relation "latest" to publication
CREATE PUBLICATION changes FOR TABLE latest;

-- a materialized view
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE MATERIALIZED VIEW latest AS SELECT id FROM orders;
-- refused before 15: "latest" is not a table
-- refused since 15: cannot add relation "latest" to publication
CREATE PUBLICATION changes FOR TABLE orders, latest;

-- an unlogged table
CREATE UNLOGGED TABLE orders (id bigint PRIMARY KEY);
-- refused before 15: table "orders" cannot be replicated
-- refused since 15: cannot add relation "orders" to publication
CREATE PUBLICATION changes FOR TABLE orders;

-- a partitioned table
CREATE TABLE orders (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
-- accepted
CREATE PUBLICATION changes FOR TABLE orders;

-- a publication that exists
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE orders;
-- refused: publication "changes" already exists
CREATE PUBLICATION changes FOR TABLE orders;

-- a publication that was dropped
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE orders;
DROP PUBLICATION changes;
-- accepted
CREATE PUBLICATION changes FOR TABLE orders;

-- a table that is published
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE orders;
-- refused: relation "orders" is already member of publication "changes"
ALTER PUBLICATION changes ADD TABLE orders;

-- a table that is published, set again
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE orders;
-- accepted
ALTER PUBLICATION changes SET TABLE orders;

-- a table that is not published
CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE PUBLICATION changes;
-- refused: relation "orders" is not part of the publication
ALTER PUBLICATION changes DROP TABLE orders;

-- a column list with a missing column
CREATE TABLE orders (id bigint PRIMARY KEY);
-- not before 15
-- refused: column "qty" of relation "orders" does not exist
CREATE PUBLICATION changes FOR TABLE orders (id, qty);

-- a column list with a column twice
CREATE TABLE orders (id bigint PRIMARY KEY);
-- not before 15
-- refused: duplicate column "id" in publication column list
CREATE PUBLICATION changes FOR TABLE orders (id, id);

-- a column list with a generated column
CREATE TABLE orders (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
-- not before 15
-- refused before 18: cannot use generated column "twice" in publication column list
-- accepted
CREATE PUBLICATION changes FOR TABLE orders (id, twice);

-- a column list with a virtual column
CREATE TABLE orders (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- not before 18
-- refused: cannot use virtual generated column "twice" in publication column list
CREATE PUBLICATION changes FOR TABLE orders (id, twice);

-- a column of a column list is dropped
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders (id, qty);
-- not before 15
-- refused: cannot drop column qty of table orders because other objects depend on it
ALTER TABLE orders DROP COLUMN qty;

-- a column of a row filter is dropped
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
-- not before 15
-- refused: cannot drop column qty of table orders because other objects depend on it
ALTER TABLE orders DROP COLUMN qty;

-- a column of a row filter is dropped with what depends on it
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
-- not before 15
-- accepted
ALTER TABLE orders DROP COLUMN qty CASCADE;

-- another column than that of a row filter is dropped
CREATE TABLE orders (id bigint PRIMARY KEY, qty int, note text);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
-- not before 15
-- accepted
ALTER TABLE orders DROP COLUMN note;

-- a column of a row filter is dropped after the publication
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
DROP PUBLICATION changes;
-- not before 15
-- accepted
ALTER TABLE orders DROP COLUMN qty;

-- a column of a row filter that was replaced is dropped
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
ALTER PUBLICATION changes SET TABLE orders;
-- not before 15
-- accepted
ALTER TABLE orders DROP COLUMN qty;

-- the type of a column in a row filter
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders WHERE (qty > 1);
-- not before 15
-- refused: cannot alter type of a column used by a publication WHERE clause
ALTER TABLE orders ALTER COLUMN qty TYPE bigint;

-- the type of a column in a column list
CREATE TABLE orders (id bigint PRIMARY KEY, qty int);
CREATE PUBLICATION changes FOR TABLE orders (id, qty);
-- not before 15
-- refused: cannot alter type of a column used by a publication WHERE clause
ALTER TABLE orders ALTER COLUMN qty TYPE bigint;

-- rows of a table without a key, while all tables are published
CREATE TABLE notes (title text);
CREATE PUBLICATION changes FOR ALL TABLES;
-- refused: cannot delete from table "notes" because it does not have a replica identity and publishes deletes
DELETE FROM notes WHERE title = 'a';

-- rows of a table that was created after the publication of all tables
CREATE PUBLICATION changes FOR ALL TABLES;
CREATE TABLE notes (title text);
-- refused: cannot update table "notes" because it does not have a replica identity and publishes updates
UPDATE notes SET title = 'b' WHERE title = 'a';

-- rows of a table with a key, while all tables are published
CREATE TABLE notes (title text PRIMARY KEY);
CREATE PUBLICATION changes FOR ALL TABLES;
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows that are deleted, while all inserts are published
CREATE TABLE notes (title text);
CREATE PUBLICATION changes FOR ALL TABLES WITH (publish = 'insert, update');
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows of an unlogged table, while all tables are published
CREATE UNLOGGED TABLE notes (title text);
CREATE PUBLICATION changes FOR ALL TABLES;
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows of a table whose schema is published
CREATE SCHEMA app;
CREATE TABLE app.notes (title text);
CREATE PUBLICATION changes FOR TABLES IN SCHEMA app;
-- not before 15
-- refused: cannot delete from table "notes" because it does not have a replica identity and publishes deletes
DELETE FROM app.notes WHERE title = 'a';

-- rows of a table of another schema than the published one
CREATE SCHEMA app;
CREATE TABLE notes (title text);
CREATE PUBLICATION changes FOR TABLES IN SCHEMA app;
-- not before 15
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows of a table whose schema is published no more
CREATE TABLE notes (title text);
CREATE PUBLICATION changes FOR TABLES IN SCHEMA CURRENT_SCHEMA;
ALTER PUBLICATION changes DROP TABLES IN SCHEMA public;
-- not before 15
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows of a table that the publication of all tables leaves out
CREATE TABLE notes (title text);
CREATE PUBLICATION changes FOR ALL TABLES EXCEPT (TABLE notes);
-- not before 19
-- accepted
DELETE FROM notes WHERE title = 'a';

-- rows of a table whose replica identity is gone with its index
CREATE TABLE notes (id bigint NOT NULL, title text);
CREATE UNIQUE INDEX notes_id_idx ON notes (id);
ALTER TABLE notes REPLICA IDENTITY USING INDEX notes_id_idx;
CREATE PUBLICATION changes FOR TABLE notes;
DROP INDEX notes_id_idx;
-- refused: cannot delete from table "notes" because it does not have a replica identity and publishes deletes
DELETE FROM notes WHERE title = 'a';
