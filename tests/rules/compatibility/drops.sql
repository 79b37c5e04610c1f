DROP FUNCTION total(bigint); -- expect: drop-object
DROP TYPE status; -- expect: drop-object
DROP SEQUENCE numbers; -- expect: drop-object
DROP SCHEMA shop; -- expect: drop-object
DROP TRIGGER t ON orders;
DROP EXTENSION citext;
CREATE VIEW v AS SELECT 1 AS a;
DROP VIEW v;
DROP FUNCTION area(bigint); -- expect: drop-object
CREATE FUNCTION area(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1';

-- next migration
BEGIN;
DROP FUNCTION area(bigint);
CREATE FUNCTION area(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1';
COMMIT;

-- next migration
CREATE TABLE orders (id bigint PRIMARY KEY, code text UNIQUE, a bigint NOT NULL CHECK (a > 0), region_id bigint);
ALTER TABLE orders ADD CONSTRAINT a_there CHECK (a IS NOT NULL);
ALTER TABLE orders ADD CONSTRAINT region FOREIGN KEY (region_id) REFERENCES orders;
ALTER TABLE orders ADD CONSTRAINT passing CHECK (a < 5);
ALTER TABLE orders DROP CONSTRAINT passing;
ALTER TABLE orders REPLICA IDENTITY FULL;

-- next migration
ALTER TABLE orders DROP CONSTRAINT a_there;
ALTER TABLE orders DROP CONSTRAINT orders_a_check; -- expect: drop-constraint
ALTER TABLE orders DROP CONSTRAINT region; -- expect: drop-constraint
ALTER TABLE orders DROP CONSTRAINT orders_pkey; -- expect: drop-primary-key
ALTER TABLE orders DROP CONSTRAINT orders_code_key;
CREATE UNIQUE INDEX orders_code ON orders (code);
ALTER TABLE items DROP CONSTRAINT items_pkey; -- expect: drop-primary-key
ALTER TABLE items DROP CONSTRAINT whatever; -- expect: drop-constraint
ALTER TABLE items DROP CONSTRAINT IF EXISTS a_kept, ADD CONSTRAINT a_kept CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE items DROP CONSTRAINT a_kept;
ALTER TABLE items DROP CONSTRAINT IF EXISTS b_kept; -- expect: drop-constraint
ALTER TABLE orders REPLICA IDENTITY NOTHING; -- expect: replica-identity-changed

-- next migration
ALTER TABLE lines DROP CONSTRAINT lines_pkey, ADD PRIMARY KEY (a);

-- next migration
CREATE TYPE colour AS ENUM ('red');
CREATE TYPE shape AS ENUM ('round');
CREATE TYPE taste AS ENUM ('sweet');
CREATE FUNCTION vat(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION fee(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE TABLE sweets (id bigint PRIMARY KEY, colour colour, shape shape, price bigint DEFAULT vat(2), fee bigint DEFAULT fee(1));
CREATE VIEW fees AS SELECT id, fee(id) AS fee FROM sweets;

-- next migration
-- the last user of a type or a function is dropped before
ALTER TABLE sweets DROP COLUMN colour; -- expect: drop-column
DROP TYPE colour;
DROP TYPE taste;
ALTER TABLE sweets ALTER COLUMN shape TYPE text;
DROP TYPE shape; -- expect: drop-object
ALTER TABLE sweets DROP COLUMN price; -- expect: drop-column
DROP FUNCTION vat(bigint);
DROP TRIGGER note ON letters;
DROP FUNCTION write_note();
DROP FUNCTION write_text(text); -- expect: drop-object

-- next migration
CREATE FUNCTION discount(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION free(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE TABLE offers (id bigint PRIMARY KEY, price bigint DEFAULT discount(2));

-- next migration
ALTER TABLE offers DROP COLUMN price; -- expect: drop-column

-- next migration
-- the last user was dropped in an earlier migration
DROP FUNCTION discount(bigint);
DROP FUNCTION free(bigint); -- expect: drop-object

-- next migration
CREATE TABLE days (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE days_2025 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- next migration
CREATE FUNCTION greeting() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'hi'; END $$;
CREATE FUNCTION parting() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'bye'; END $$;
CREATE TABLE cards (id bigint PRIMARY KEY, body text DEFAULT greeting());

-- next migration
ALTER TABLE cards ALTER COLUMN body SET DEFAULT 'hi';
DROP FUNCTION greeting();
DROP FUNCTION parting(); -- expect: drop-object

-- next migration
CREATE TABLE crates (id bigint PRIMARY KEY);

-- next migration
-- the row type of a table has its name, so no other type has it
DROP TABLE crates; -- expect: drop-table
DROP TYPE IF EXISTS crates;
DROP TYPE IF EXISTS barrels; -- expect: drop-object
