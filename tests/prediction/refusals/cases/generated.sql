-- an identity of a text
CREATE TABLE orders (id bigint);
-- refused: identity column type must be smallint, integer, or bigint
ALTER TABLE orders ADD COLUMN code text GENERATED ALWAYS AS IDENTITY;

-- an identity and a default
-- refused: both default and identity specified for column "id" of table "orders"
CREATE TABLE orders (id bigint DEFAULT 1 GENERATED ALWAYS AS IDENTITY);

-- an expression and a default
CREATE TABLE orders (id bigint);
-- refused: both default and generation expression specified for column "twice" of table "orders"
ALTER TABLE orders ADD COLUMN twice bigint DEFAULT 1 GENERATED ALWAYS AS (id * 2) STORED;

-- an expression over a generated column
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
-- refused: cannot use generated column "twice" in column generation expression
ALTER TABLE orders ADD COLUMN more bigint GENERATED ALWAYS AS (twice + 1) STORED;

-- an identity column becomes a text
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- refused: identity column type must be smallint, integer, or bigint
ALTER TABLE orders ALTER COLUMN id TYPE text;

-- an identity column becomes an integer
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY);
-- accepted
ALTER TABLE orders ALTER COLUMN id TYPE integer;

-- a foreign key that would write a generated column
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint, region bigint GENERATED ALWAYS AS (id / 100) STORED);
-- refused: invalid ON DELETE action for foreign key constraint containing generated column
ALTER TABLE orders ADD FOREIGN KEY (region) REFERENCES regions ON DELETE SET NULL;

-- a foreign key that would change a generated column
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint, region bigint GENERATED ALWAYS AS (id / 100) STORED);
-- refused: invalid ON UPDATE action for foreign key constraint containing generated column
ALTER TABLE orders ADD FOREIGN KEY (region) REFERENCES regions ON UPDATE CASCADE;

-- a foreign key of a generated column
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint, region bigint GENERATED ALWAYS AS (id / 100) STORED);
-- accepted
ALTER TABLE orders ADD FOREIGN KEY (region) REFERENCES regions ON DELETE CASCADE;

-- ON DELETE SET NULL of another column
-- not before 15
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint, region bigint);
-- refused: column "id" referenced in ON DELETE SET action must be part of foreign key
ALTER TABLE orders ADD FOREIGN KEY (region) REFERENCES regions ON DELETE SET NULL (id);

-- the date of a moment
CREATE TABLE orders (id bigint, placed_at timestamptz);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX ON orders (date(placed_at));

-- the date of a moment without a time zone
CREATE TABLE orders (id bigint, placed_at timestamp);
-- accepted
CREATE INDEX ON orders (date(placed_at));

-- the age of a moment
CREATE TABLE orders (id bigint, placed_at timestamp);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX ON orders (age(placed_at));

-- a moment in JSON
CREATE TABLE orders (id bigint, data jsonb);
-- refused: generation expression is not immutable
ALTER TABLE orders ADD COLUMN placed_at timestamptz GENERATED ALWAYS AS ((data ->> 'placed_at')::timestamptz) STORED;

-- a day in a text
CREATE TABLE orders (id bigint, placed text);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX ON orders ((placed::date));

-- a number in JSON
CREATE TABLE orders (id bigint, data jsonb);
-- accepted
CREATE INDEX ON orders (((data ->> 'number')::bigint));

-- a day in a time zone
CREATE TABLE orders (id bigint, placed_at timestamptz);
-- refused before 16: functions in index expression must be marked IMMUTABLE
-- accepted
CREATE INDEX ON orders (date_trunc('day', placed_at, 'UTC'));

-- an index of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- refused: indexes on virtual generated columns are not supported
CREATE INDEX ON orders (twice);

-- a unique constraint of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- refused: unique constraints on virtual generated columns are not supported
ALTER TABLE orders ADD UNIQUE (twice);

-- a primary key of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- refused: primary keys on virtual generated columns are not supported
ALTER TABLE orders ADD PRIMARY KEY (twice);

-- DROP EXPRESSION of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- refused: ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns
ALTER TABLE orders ALTER COLUMN twice DROP EXPRESSION;

-- statistics of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- refused: statistics creation on virtual generated columns is not supported
CREATE STATISTICS ON id, twice FROM orders;

-- an index of the expression of a virtual column
-- not before 18
CREATE TABLE orders (id bigint, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
-- accepted
CREATE INDEX ON orders ((id * 2));

-- a virtual column that calls a function of a user
-- not before 18
CREATE FUNCTION tag(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'a' $$;
CREATE TABLE orders (code text);
-- refused: generation expression uses user-defined function
ALTER TABLE orders ADD COLUMN label text GENERATED ALWAYS AS (tag(code)) VIRTUAL;

-- a stored column that calls a function of a user
CREATE FUNCTION tag(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'a'::text $$;
CREATE TABLE orders (code text);
-- accepted
ALTER TABLE orders ADD COLUMN label text GENERATED ALWAYS AS (tag(code)) STORED;

-- a virtual column that calls a built-in function
-- not before 18
CREATE TABLE orders (code text);
-- accepted
ALTER TABLE orders ADD COLUMN label text GENERATED ALWAYS AS (lower(code));

-- a virtual column of an enum
-- not before 18
CREATE TYPE mood AS ENUM ('ok');
-- refused: virtual generated column "m" cannot have a user-defined type
CREATE TABLE orders (code text, m mood GENERATED ALWAYS AS ('ok'::mood) VIRTUAL);

-- a virtual column of a domain
-- not before 18
CREATE DOMAIN positive AS integer;
-- refused: virtual generated column "m" cannot have a domain type
CREATE TABLE orders (code integer, m positive GENERATED ALWAYS AS (code));

-- a type with the name of another generated column
CREATE SCHEMA depot;
CREATE TYPE depot.kind AS ENUM ('small', 'large');
-- accepted
CREATE TABLE vans (id bigint, kind depot.kind GENERATED ALWAYS AS (CASE WHEN id > 5 THEN 'large'::depot.kind ELSE CAST('small' AS depot.kind) END) STORED);

-- a new column with a default that is computed from another column
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer);
-- refused: cannot use column reference in DEFAULT expression
ALTER TABLE parcels ADD COLUMN fee integer DEFAULT (weight * 2 + 1);

-- a default that is computed from another column
CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer, note text);
-- refused: cannot use column reference in DEFAULT expression
ALTER TABLE parcels ALTER COLUMN note SET DEFAULT upper(weight::text);

-- a default whose type, function and text have the names of columns
CREATE TABLE parcels (id bigint PRIMARY KEY, date text, now text, lower text);
-- accepted
ALTER TABLE parcels ADD COLUMN day date DEFAULT (now()::date + lower('1')::integer), ADD COLUMN kind text DEFAULT 'date';
