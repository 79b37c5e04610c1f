-- a view uses the dropped column
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE VIEW notes AS SELECT note FROM orders;
-- refused: cannot drop column note of table orders because other objects depend on it
ALTER TABLE orders DROP COLUMN note;

-- the view uses another column
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE VIEW ids AS SELECT id FROM orders;
-- accepted
ALTER TABLE orders DROP COLUMN note;

-- the view was dropped before
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE VIEW notes AS SELECT note FROM orders;
DROP VIEW notes;
-- accepted
ALTER TABLE orders DROP COLUMN note;

-- CASCADE drops the view
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE VIEW notes AS SELECT note FROM orders;
-- accepted
ALTER TABLE orders DROP COLUMN note CASCADE;

-- a column that does not exist
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- refused: column "remark" of relation "orders" does not exist
ALTER TABLE orders DROP COLUMN remark;

-- a column that IF EXISTS does not find
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- accepted
ALTER TABLE orders DROP COLUMN IF EXISTS remark;

-- the referenced column of a foreign key
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: cannot drop column id of table depots because other objects depend on it
ALTER TABLE depots DROP COLUMN id;

-- the referencing column of a foreign key
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (id bigint, depot_id bigint REFERENCES depots);
-- accepted
ALTER TABLE parcels DROP COLUMN depot_id;

-- a referenced table
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: cannot drop table depots because other objects depend on it
DROP TABLE depots;

-- a referenced table together with the table that references it
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- accepted
DROP TABLE depots, parcels;

-- a table that references itself
CREATE TABLE depots (id bigint PRIMARY KEY, parent_id bigint REFERENCES depots);
-- accepted
DROP TABLE depots;

-- the primary key that a foreign key needs
CREATE TABLE depots (id bigint CONSTRAINT depots_pkey PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: cannot drop constraint depots_pkey on table depots because other objects depend on it
ALTER TABLE depots DROP CONSTRAINT depots_pkey;

-- the index of a constraint
CREATE TABLE depots (id bigint CONSTRAINT depots_pkey PRIMARY KEY);
-- refused: cannot drop index depots_pkey because constraint depots_pkey on table depots requires it
DROP INDEX depots_pkey;

-- the index of a constraint, by CASCADE
CREATE TABLE depots (id bigint CONSTRAINT depots_pkey PRIMARY KEY);
-- refused: cannot drop index depots_pkey because constraint depots_pkey on table depots requires it
DROP INDEX depots_pkey CASCADE;

-- the index of a constraint, with IF EXISTS
CREATE TABLE depots (id bigint, code text CONSTRAINT depots_code_key UNIQUE);
-- refused: cannot drop index depots_code_key because constraint depots_code_key on table depots requires it
DROP INDEX IF EXISTS depots_code_key;

-- a unique index that a foreign key needs
CREATE TABLE depots (id bigint);
CREATE UNIQUE INDEX depots_id_idx ON depots (id);
CREATE TABLE parcels (depot_id bigint REFERENCES depots (id));
-- refused: cannot drop index depots_id_idx because other objects depend on it
DROP INDEX depots_id_idx;

-- the part of a partitioned index
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id_idx ON events (id);
-- refused: cannot drop index events_2025_id_idx because index events_id_idx requires it
DROP INDEX events_2025_id_idx;

-- a view that a view reads
CREATE TABLE orders (id bigint);
CREATE VIEW a AS SELECT id FROM orders;
CREATE VIEW b AS SELECT id FROM a;
-- refused: cannot drop view a because other objects depend on it
DROP VIEW a;

-- a table that a materialized view reads
CREATE TABLE orders (id bigint);
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM orders;
-- refused: cannot drop table orders because other objects depend on it
DROP TABLE IF EXISTS orders;

-- a function that a default calls
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql AS 'SELECT md5(random()::text)';
CREATE TABLE orders (code text DEFAULT next_code());
-- refused: cannot drop function next_code() because other objects depend on it
DROP FUNCTION next_code();

-- the function of a trigger
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- refused: cannot drop function touch() because other objects depend on it
DROP FUNCTION touch();

-- the function of a trigger that was dropped
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
DROP TRIGGER touch ON orders;
-- accepted
DROP FUNCTION touch();

-- an enum that a column uses
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id bigint, mood mood);
-- refused: cannot drop type mood because other objects depend on it
DROP TYPE mood;

-- an enum whose column was dropped
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id bigint, mood mood);
ALTER TABLE people DROP COLUMN mood;
-- accepted
DROP TYPE mood;

-- a sequence that a default uses
CREATE SEQUENCE numbers;
CREATE TABLE orders (number bigint DEFAULT nextval('numbers'));
-- refused: cannot drop sequence numbers because other objects depend on it
DROP SEQUENCE numbers;

-- the sequence of an identity column
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: cannot drop sequence orders_id_seq because column id of table orders requires it
DROP SEQUENCE orders_id_seq;

-- a schema that is not empty
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint);
-- refused: cannot drop schema app because other objects depend on it
DROP SCHEMA app;

-- a schema that is empty
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigint);
DROP TABLE app.orders;
-- accepted
DROP SCHEMA app;

-- a column that a policy uses
CREATE TABLE orders (id bigint, tenant text);
CREATE POLICY own ON orders USING (tenant = current_user);
-- refused: cannot drop column tenant of table orders because other objects depend on it
ALTER TABLE orders DROP COLUMN tenant;

-- a column that a generated column uses
CREATE TABLE boxes (width bigint, area bigint GENERATED ALWAYS AS (width * width) STORED);
-- refused since 15: cannot drop column width of table boxes because other objects depend on it
ALTER TABLE boxes DROP COLUMN width;

-- a table whose row type is a column
CREATE TABLE boxes (width bigint);
CREATE TABLE shelves (id bigint, box boxes);
-- refused: cannot drop table boxes because other objects depend on it
DROP TABLE boxes;

-- a parent of an inheritance tree
CREATE TABLE boxes (width bigint);
CREATE TABLE crates () INHERITS (boxes);
-- refused: cannot drop table boxes because other objects depend on it
DROP TABLE boxes;

-- a partitioned table takes its partitions along
CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- accepted
DROP TABLE events;

-- TRUNCATE of a referenced table
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: cannot truncate a table referenced in a foreign key constraint
TRUNCATE depots;

-- TRUNCATE of both tables
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- accepted
TRUNCATE depots, parcels;

-- TRUNCATE of the referencing table
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- accepted
TRUNCATE parcels;

-- DROP of the wrong kind
CREATE TABLE orders (id bigint);
-- refused: "orders" is not a view
DROP VIEW orders;

-- DROP TABLE of a view
CREATE VIEW orders AS SELECT 1 AS id;
-- refused: "orders" is not a table
DROP TABLE orders;

-- a table that was dropped
CREATE TABLE orders (id bigint);
DROP TABLE orders;
-- refused: table "orders" does not exist
DROP TABLE orders;

-- an index that was dropped
CREATE TABLE orders (id bigint);
CREATE INDEX orders_id_idx ON orders (id);
DROP INDEX orders_id_idx;
-- refused: index "orders_id_idx" does not exist
DROP INDEX orders_id_idx;

-- a view that was dropped
CREATE VIEW orders AS SELECT 1 AS id;
DROP VIEW orders;
-- refused: view "orders" does not exist
DROP VIEW orders;

-- a trigger that does not exist
CREATE TABLE orders (id bigint);
-- refused: trigger "touch" for table "orders" does not exist
DROP TRIGGER touch ON orders;

-- a policy that does not exist
CREATE TABLE orders (id bigint);
-- refused: policy "own" for table "orders" does not exist
DROP POLICY own ON orders;

-- a constraint that does not exist
CREATE TABLE orders (id bigint);
-- refused: constraint "orders_positive" of relation "orders" does not exist
ALTER TABLE orders DROP CONSTRAINT orders_positive;

-- a schema is dropped with a table that has an identity column
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
-- accepted
DROP SCHEMA shop CASCADE;

-- a schema is dropped with a partitioned index
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX orders_id ON shop.orders (id);
-- accepted
DROP SCHEMA shop CASCADE;

-- type of a column that a rule of its table names
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE TABLE changes (van bigint, load int);
CREATE RULE noted AS ON UPDATE TO vans WHERE NEW.load > 3 DO ALSO INSERT INTO changes (van) VALUES (NEW.id);
-- refused: cannot alter type of a column used by a view or rule
ALTER TABLE vans ALTER COLUMN load TYPE bigint;

-- type of a column that a rule of another table writes
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE TABLE changes (van bigint, load int);
CREATE RULE noted AS ON UPDATE TO vans DO ALSO INSERT INTO changes (van, load) VALUES (NEW.id, NEW.load);
-- refused: cannot alter type of a column used by a view or rule
ALTER TABLE changes ALTER COLUMN load TYPE bigint;

-- drop of a column that a rule of another table writes
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE TABLE changes (van bigint, load int);
CREATE RULE noted AS ON DELETE TO vans DO ALSO (INSERT INTO changes (van) VALUES (OLD.id); UPDATE changes SET load = OLD.load);
-- refused: cannot drop column load of table changes because other objects depend on it
ALTER TABLE changes DROP COLUMN load;

-- type of a column that no rule names
CREATE TABLE vans (id bigint PRIMARY KEY, load int, size int);
CREATE TABLE changes (van bigint, load int, size int);
CREATE RULE noted AS ON UPDATE TO vans DO ALSO INSERT INTO changes (van, load) VALUES (NEW.id, NEW.load);
-- accepted
ALTER TABLE changes ALTER COLUMN size TYPE bigint;

-- type of a column that a function of the SQL standard reads
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(load) FROM vans; END;
-- refused: cannot alter type of a column used by a function or procedure
ALTER TABLE vans ALTER COLUMN load TYPE bigint;

-- drop of a column that a function with RETURN reads
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE FUNCTION total(more int) RETURNS bigint LANGUAGE sql RETURN more + (SELECT max(load) FROM vans);
-- refused: cannot drop column load of table vans because other objects depend on it
ALTER TABLE vans DROP COLUMN load;

-- drop of a table that a function of the SQL standard reads
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(load) FROM vans; END;
-- refused: cannot drop table vans because other objects depend on it
DROP TABLE vans;

-- drop of a table that the text of a function names
CREATE TABLE vans (id bigint PRIMARY KEY, load int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(load) FROM vans';
-- accepted
DROP TABLE vans;

-- type of another column of a table that a function of the SQL standard reads
CREATE TABLE vans (id bigint PRIMARY KEY, load int, size int);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(load) FROM vans; END;
-- accepted
ALTER TABLE vans ALTER COLUMN size TYPE bigint;

-- the sequence of a serial column that has become an identity column
CREATE TABLE orders (id bigserial PRIMARY KEY);
ALTER SEQUENCE orders_id_seq RENAME TO former;
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;
ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
-- accepted
DROP SEQUENCE former;

-- the sequence of an identity column that was serial before
CREATE TABLE orders (id bigserial PRIMARY KEY);
ALTER SEQUENCE orders_id_seq RENAME TO former;
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;
ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
-- refused: cannot drop sequence orders_id_seq because column id of table orders requires it
DROP SEQUENCE orders_id_seq;

-- the sequence of a serial column stays when its identity is dropped
CREATE TABLE orders (id bigserial PRIMARY KEY);
ALTER SEQUENCE orders_id_seq RENAME TO former;
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;
ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE orders ALTER COLUMN id DROP IDENTITY;
-- accepted
ALTER TABLE orders ALTER COLUMN id SET DEFAULT nextval('former');

-- the sequence that an identity column names
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "Numbers"));
-- refused: cannot drop sequence "Numbers" because column id of table orders requires it
DROP SEQUENCE "Numbers";

-- the sequence that ADD GENERATED names, which frees the usual name
CREATE TABLE orders (id bigserial PRIMARY KEY);
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME numbers START 5);
-- accepted
DROP SEQUENCE orders_id_seq;

-- an owned sequence gets another schema
CREATE SCHEMA app;
CREATE TABLE orders (id bigserial PRIMARY KEY);
-- refused: cannot move an owned sequence into another schema
ALTER SEQUENCE orders_id_seq SET SCHEMA app;

-- a sequence that is owned no more gets another schema
CREATE SCHEMA app;
CREATE TABLE orders (id bigserial PRIMARY KEY);
ALTER SEQUENCE orders_id_seq OWNED BY NONE;
-- accepted
ALTER SEQUENCE orders_id_seq SET SCHEMA app;

-- an aggregate uses the function
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE total(int) (SFUNC = added, STYPE = int, INITCOND = '0');
-- refused: cannot drop function added(integer,integer) because other objects depend on it
DROP FUNCTION added(int, int);

-- the aggregate is gone
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE total(int) (SFUNC = added, STYPE = int);
DROP AGGREGATE total(int);
-- accepted
DROP FUNCTION added(int, int);

-- the aggregate has been renamed and dropped
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE total(int) (SFUNC = added, STYPE = int);
ALTER AGGREGATE total(int) RENAME TO sum_of;
DROP ROUTINE sum_of(int);
-- accepted
DROP FUNCTION added(int, int);

-- the function is dropped with the aggregate
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE total(int) (SFUNC = added, STYPE = int);
DROP FUNCTION added(int, int) CASCADE;
-- accepted
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';

-- the aggregate has got another function
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE OR REPLACE AGGREGATE total(int) (SFUNC = added, STYPE = int);
CREATE OR REPLACE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
-- accepted
DROP FUNCTION added(int, int);

-- a default of a sequence that was dropped with its table
CREATE TABLE depots (id bigserial PRIMARY KEY);
DROP TABLE depots;
-- refused: relation "depots_id_seq" does not exist
CREATE TABLE stores (id bigint PRIMARY KEY DEFAULT nextval('depots_id_seq'));

-- a default of a sequence that was kept when its table was dropped
CREATE TABLE depots (id bigserial PRIMARY KEY);
ALTER SEQUENCE depots_id_seq OWNED BY NONE;
ALTER TABLE depots ALTER COLUMN id DROP DEFAULT;
DROP TABLE depots;
-- accepted
CREATE TABLE stores (id bigint PRIMARY KEY DEFAULT nextval('depots_id_seq'));

-- a default of a sequence that was dropped with its column
CREATE TABLE depots (id bigint PRIMARY KEY, number bigserial);
ALTER TABLE depots DROP COLUMN number;
-- refused: relation "public.depots_number_seq" does not exist
ALTER TABLE depots ALTER COLUMN id SET DEFAULT nextval('public.depots_number_seq'::regclass);

-- a new column with a default of a sequence that was renamed
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE SEQUENCE numbers;
ALTER SEQUENCE numbers RENAME TO depot_numbers;
-- refused: relation "numbers" does not exist
ALTER TABLE depots ADD COLUMN number bigint DEFAULT nextval('numbers');

-- the value of a sequence that was renamed
CREATE SEQUENCE numbers;
ALTER SEQUENCE numbers RENAME TO depot_numbers;
-- refused: relation "numbers" does not exist
SELECT setval('numbers', 10);

-- the value of a sequence under its new name
CREATE SEQUENCE numbers;
ALTER SEQUENCE numbers RENAME TO depot_numbers;
-- accepted
SELECT setval('depot_numbers', 10, false);

-- the value of a sequence that was dropped with the identity of a column
CREATE TABLE depots (id bigint GENERATED BY DEFAULT AS IDENTITY);
ALTER TABLE depots ALTER COLUMN id DROP IDENTITY;
-- refused: relation "depots_id_seq" does not exist
SELECT setval('depots_id_seq', (SELECT max(id) FROM depots));

-- the value of a sequence that was dropped and created again
CREATE SEQUENCE numbers;
DROP SEQUENCE numbers;
CREATE SEQUENCE numbers;
-- accepted
SELECT nextval('numbers');
