-- a view uses the column
CREATE TABLE orders (id bigint, total integer);
CREATE VIEW totals AS SELECT total FROM orders;
-- refused: cannot alter type of a column used by a view or rule
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- a view uses another column
CREATE TABLE orders (id bigint, total integer);
CREATE VIEW ids AS SELECT id FROM orders;
-- accepted
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- a generated column uses the column
CREATE TABLE boxes (width integer, area integer GENERATED ALWAYS AS (width * width) STORED);
-- refused: cannot alter type of a column used by a generated column
ALTER TABLE boxes ALTER COLUMN width TYPE bigint;

-- a policy uses the column
CREATE TABLE orders (id bigint, tenant integer);
CREATE POLICY own ON orders USING (tenant = 1);
-- refused: cannot alter type of a column used in a policy definition
ALTER TABLE orders ALTER COLUMN tenant TYPE bigint;

-- a trigger's WHEN uses the column
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint, total integer);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.total <> NEW.total) EXECUTE FUNCTION touch();
-- refused: cannot alter type of a column used in a trigger definition
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- a trigger's UPDATE OF names the column
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint, total integer);
CREATE TRIGGER touch BEFORE UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- refused: cannot alter type of a column used in a trigger definition
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- a trigger without column
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE orders (id bigint, total integer);
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- accepted
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- an index, a CHECK and a default use the column
CREATE TABLE orders (id bigint, total integer DEFAULT 0 CHECK (total >= 0));
CREATE INDEX orders_total_idx ON orders (total);
-- accepted
ALTER TABLE orders ALTER COLUMN total TYPE bigint;

-- both sides of a foreign key may differ
CREATE TABLE depots (id integer PRIMARY KEY);
CREATE TABLE parcels (depot_id integer REFERENCES depots);
-- accepted
ALTER TABLE depots ALTER COLUMN id TYPE bigint;

-- the key of the other side of a foreign key
CREATE TABLE depots (id integer PRIMARY KEY);
CREATE TABLE parcels (depot_id integer REFERENCES depots);
-- accepted
ALTER TABLE parcels ALTER COLUMN depot_id TYPE bigint;

-- one side of a foreign key becomes text
CREATE TABLE depots (id integer PRIMARY KEY);
CREATE TABLE parcels (depot_id integer CONSTRAINT parcels_depot_fkey REFERENCES depots);
-- refused: foreign key constraint "parcels_depot_fkey" cannot be implemented
ALTER TABLE parcels ALTER COLUMN depot_id TYPE text;

-- text to integer without USING
CREATE TABLE orders (id bigint, code text);
-- refused: column "code" cannot be cast automatically to type integer
ALTER TABLE orders ALTER COLUMN code TYPE integer;

-- varchar to uuid without USING
CREATE TABLE orders (id bigint, code varchar(40));
-- refused: column "code" cannot be cast automatically to type uuid
ALTER TABLE orders ALTER COLUMN code TYPE uuid;

-- text to jsonb without USING
CREATE TABLE orders (id bigint, payload text);
-- refused: column "payload" cannot be cast automatically to type jsonb
ALTER TABLE orders ALTER COLUMN payload TYPE jsonb;

-- boolean to integer without USING
CREATE TABLE orders (id bigint, paid boolean);
-- refused: column "paid" cannot be cast automatically to type integer
ALTER TABLE orders ALTER COLUMN paid TYPE integer;

-- integer to boolean without USING
CREATE TABLE orders (id bigint, paid integer);
-- refused: column "paid" cannot be cast automatically to type boolean
ALTER TABLE orders ALTER COLUMN paid TYPE boolean;

-- text to an enum without USING
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id bigint, mood text);
-- refused: column "mood" cannot be cast automatically to type mood
ALTER TABLE people ALTER COLUMN mood TYPE mood;

-- arrays are converted element by element
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id bigint, moods mood[], days integer[]);
-- accepted
ALTER TABLE people ALTER COLUMN moods TYPE text[], ALTER COLUMN days TYPE varchar(9)[];

-- text to integer with USING
CREATE TABLE orders (id bigint, code text);
-- accepted
ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer;

-- integer to text
CREATE TABLE orders (id bigint, code integer);
-- accepted
ALTER TABLE orders ALTER COLUMN code TYPE text;

-- json to jsonb
CREATE TABLE orders (id bigint, payload json);
-- accepted
ALTER TABLE orders ALTER COLUMN payload TYPE jsonb;

-- an enum to text
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id bigint, mood mood);
-- accepted
ALTER TABLE people ALTER COLUMN mood TYPE text;

-- text to a domain over text
CREATE DOMAIN code AS text;
CREATE TABLE orders (id bigint, code text);
-- accepted
ALTER TABLE orders ALTER COLUMN code TYPE code;

-- a default that has no cast
CREATE TABLE orders (id bigint, paid boolean DEFAULT false);
-- refused: default for column "paid" cannot be cast automatically to type integer
ALTER TABLE orders ALTER COLUMN paid TYPE integer USING paid::integer;

-- a default that was dropped first
CREATE TABLE orders (id bigint, paid boolean DEFAULT false);
ALTER TABLE orders ALTER COLUMN paid DROP DEFAULT;
-- accepted
ALTER TABLE orders ALTER COLUMN paid TYPE integer USING paid::integer;

-- a string as default has its column's type
CREATE TABLE orders (id bigint, code text DEFAULT '1');
-- refused: default for column "code" cannot be cast automatically to type integer
ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer;

-- a default that a function computes
CREATE TABLE orders (id bigint, code varchar(36) DEFAULT gen_random_uuid()::text);
-- refused: default for column "code" cannot be cast automatically to type uuid
ALTER TABLE orders ALTER COLUMN code TYPE uuid USING code::uuid;

-- a default with a cast, as pg_dump writes it
CREATE TYPE state AS ENUM ('new', 'sent');
CREATE TABLE orders (id bigint, state varchar(20) DEFAULT 'new'::character varying);
-- refused: default for column "state" cannot be cast automatically to type state
ALTER TABLE orders ALTER COLUMN state TYPE state USING state::state;

-- a default of joined strings
CREATE TABLE orders (id bigint, code varchar(9) DEFAULT 'a' || 'b');
-- refused: default for column "code" cannot be cast automatically to type integer
ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer;

-- a default that a function computes, of a type that can be converted
CREATE TABLE orders (id bigint DEFAULT 3, at timestamp DEFAULT now(), code text DEFAULT lower('A'));
-- accepted
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz, ALTER COLUMN code TYPE varchar(20), ALTER COLUMN id TYPE numeric;

-- a string that is converted to the type
CREATE TABLE orders (id bigint, paid varchar(5) DEFAULT now()::date);
-- accepted
ALTER TABLE orders ALTER COLUMN paid TYPE date USING paid::date;

-- a default of the same statement
CREATE TABLE orders (id bigint, paid boolean DEFAULT false);
-- accepted
ALTER TABLE orders ALTER COLUMN paid DROP DEFAULT, ALTER COLUMN paid TYPE integer USING paid::integer;

-- an attribute of a composite type that a column uses
CREATE TYPE address AS (street text, number integer);
CREATE TABLE people (id bigint, home address);
-- refused: cannot alter type "address" because column "people.home" uses it
ALTER TYPE address ALTER ATTRIBUTE number TYPE bigint;

-- an attribute of a composite type that no column uses
CREATE TYPE address AS (street text, number integer);
-- accepted
ALTER TYPE address ALTER ATTRIBUTE number TYPE bigint;

-- an attribute is added to a type in use
CREATE TYPE address AS (street text, number integer);
CREATE TABLE people (id bigint, home address);
-- accepted
ALTER TYPE address ADD ATTRIBUTE town text;

-- an attribute of a type in use is dropped
CREATE TYPE address AS (street text, number integer);
CREATE TABLE people (id bigint, home address);
-- accepted
ALTER TYPE address DROP ATTRIBUTE number;

-- an attribute of a type in use is renamed
CREATE TYPE address AS (street text, number integer);
CREATE TABLE people (id bigint, home address);
-- accepted
ALTER TYPE address RENAME ATTRIBUTE number TO house;

-- an attribute that does not exist
CREATE TYPE address AS (street text, number integer);
-- refused: column "town" of relation "address" does not exist
ALTER TYPE address DROP ATTRIBUTE town;

-- an attribute that exists
CREATE TYPE address AS (street text, number integer);
-- refused: column "number" of relation "address" already exists
ALTER TYPE address ADD ATTRIBUTE number bigint;

-- a column of a table whose row type is a column
CREATE TABLE boxes (width integer);
CREATE TABLE shelves (id bigint, box boxes);
-- refused: cannot alter table "boxes" because column "shelves.box" uses its row type
ALTER TABLE boxes ALTER COLUMN width TYPE bigint;

-- an enum value that exists
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- refused: enum label "ok" already exists
ALTER TYPE mood ADD VALUE 'ok';

-- an enum value that exists, with IF NOT EXISTS
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- accepted
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';

-- an enum value that does not exist
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- refused: "glad" is not an existing enum label
ALTER TYPE mood RENAME VALUE 'glad' TO 'happy';

-- a new enum value whose neighbour does not exist
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- refused: "glad" is not an existing enum label
ALTER TYPE mood ADD VALUE 'happy' AFTER 'glad';

-- the new name of an enum value exists
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- refused: enum label "ok" already exists
ALTER TYPE mood RENAME VALUE 'sad' TO 'ok';

-- a type that exists
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- refused: type "mood" already exists
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');

-- a type with the name of a table
CREATE TABLE mood (id bigint);
-- refused: type "mood" already exists
CREATE TYPE mood AS ENUM ('sad');

-- a domain that exists
CREATE DOMAIN code AS text;
-- refused: type "code" already exists
CREATE DOMAIN code AS text;

-- a type that was dropped
CREATE TYPE mood AS ENUM ('sad', 'ok');
DROP TYPE mood;
-- refused: type "mood" does not exist
DROP TYPE mood;

-- a column of a type that was dropped
CREATE TYPE mood AS ENUM ('sad', 'ok');
DROP TYPE mood;
CREATE TABLE people (id bigint);
-- refused: type "mood" does not exist
ALTER TABLE people ADD COLUMN mood mood;

-- an enum whose CHECK has a constant becomes a text
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE orders (id bigint, colour colour CHECK (colour <> 'red'));
-- refused: operator does not exist: text <> colour
ALTER TABLE orders ALTER COLUMN colour TYPE text USING colour::text;

-- an enum of a partial index becomes another enum
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TYPE colour_2 AS ENUM ('red', 'green');
CREATE TABLE orders (id bigint, colour colour);
CREATE INDEX ON orders (id) WHERE colour = 'red';
-- refused: operator does not exist: colour_2 = colour
ALTER TABLE orders ALTER COLUMN colour TYPE colour_2 USING colour::text::colour_2;

-- a number with a CHECK becomes a text
CREATE TABLE orders (id bigint, qty integer CHECK (qty > 0));
-- refused: operator does not exist: text > integer
ALTER TABLE orders ALTER COLUMN qty TYPE text;

-- a number with a CHECK becomes a larger number
CREATE TABLE orders (id bigint, qty integer CHECK (qty > 0));
-- accepted
ALTER TABLE orders ALTER COLUMN qty TYPE numeric(10, 2);

-- a varchar with a CHECK becomes an enum
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE orders (id bigint, colour varchar(10) CHECK (colour IN ('red', 'blue')));
-- accepted
ALTER TABLE orders ALTER COLUMN colour TYPE colour USING colour::colour;

-- a text with a CHECK becomes an enum
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE orders (id bigint, colour text CHECK (colour IN ('red', 'blue')));
-- refused: operator does not exist: colour = text
ALTER TABLE orders ALTER COLUMN colour TYPE colour USING colour::colour;

-- a text with an index for patterns becomes a number
CREATE TABLE orders (id bigint, code text);
CREATE INDEX ON orders (code text_pattern_ops);
-- refused: operator class "text_pattern_ops" does not accept data type integer
ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer;

-- a text with an index becomes JSON
CREATE TABLE orders (id bigint, code text);
CREATE INDEX ON orders (code);
-- refused: data type json has no default operator class for access method "btree"
ALTER TABLE orders ALTER COLUMN code TYPE json USING code::json;

-- the default of a former enum keeps the type
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE orders (id bigint, colour colour DEFAULT 'red');
ALTER TABLE orders ALTER COLUMN colour TYPE text;
-- refused: cannot drop type colour because other objects depend on it
DROP TYPE colour;

-- the default of a former enum fits the enum
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TABLE orders (id bigint, colour colour DEFAULT 'red');
ALTER TABLE orders ALTER COLUMN colour TYPE text;
-- accepted
ALTER TABLE orders ALTER COLUMN colour TYPE colour USING colour::colour;

-- an enum to another enum
CREATE TYPE colour AS ENUM ('red');
CREATE TYPE shade AS ENUM ('red', 'pink');
CREATE TABLE items (id bigint, c colour);
-- refused: cannot cast type colour to shade
ALTER TABLE items ALTER COLUMN c TYPE shade USING c::shade;

-- an enum to another enum by way of text
CREATE TYPE colour AS ENUM ('red');
CREATE TYPE shade AS ENUM ('red', 'pink');
CREATE TABLE items (id bigint, c colour);
-- accepted
ALTER TABLE items ALTER COLUMN c TYPE shade USING (c::text)::shade;

-- a boolean to bigint
CREATE TABLE items (id bigint, c boolean);
-- refused: cannot cast type boolean to bigint
ALTER TABLE items ALTER COLUMN c TYPE bigint USING c::bigint;

-- a boolean to integer
CREATE TABLE items (id bigint, c boolean);
-- accepted
ALTER TABLE items ALTER COLUMN c TYPE integer USING c::integer;

-- a number to a point in time
CREATE TABLE items (id bigint, c bigint);
-- refused: cannot cast type bigint to timestamp with time zone
ALTER TABLE items ALTER COLUMN c TYPE timestamptz USING CAST(c AS timestamptz);

-- a number to an enum
CREATE TYPE colour AS ENUM ('red');
CREATE TABLE items (id bigint, c integer);
-- refused: cannot cast type integer to colour
ALTER TABLE items ALTER COLUMN c TYPE colour USING c::colour;

-- a text to an enum
CREATE TYPE colour AS ENUM ('red');
CREATE TABLE items (id bigint, c varchar(10));
-- accepted
ALTER TABLE items ALTER COLUMN c TYPE colour USING c::colour;

-- a number to a boolean
CREATE TABLE items (id bigint, c smallint);
-- refused: cannot cast type smallint to boolean
ALTER TABLE items ALTER COLUMN c TYPE boolean USING c::boolean;

-- a number to a boolean by way of integer
CREATE TABLE items (id bigint, c smallint);
-- accepted
ALTER TABLE items ALTER COLUMN c TYPE boolean USING c::integer::boolean;

-- a constraint of a domain that is the element of an array
CREATE DOMAIN level AS integer;
CREATE TABLE tanks (id bigint PRIMARY KEY, levels level[]);
-- refused: cannot alter type "level" because column "tanks.levels" uses it
ALTER DOMAIN level ADD CONSTRAINT positive CHECK (VALUE > 0);

-- a constraint NOT VALID of a domain that is the element of an array
CREATE DOMAIN level AS integer;
CREATE TABLE tanks (id bigint PRIMARY KEY, levels level[]);
-- accepted
ALTER DOMAIN level ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;

-- NOT NULL of a domain that is an attribute
CREATE DOMAIN level AS integer;
CREATE TYPE gauge AS (low level, high level);
CREATE TABLE tanks (id bigint PRIMARY KEY, gauge gauge);
-- refused: cannot alter type "level" because column "tanks.gauge" uses it
ALTER DOMAIN level SET NOT NULL;

-- NOT NULL of a domain that is an attribute of a type without columns
CREATE DOMAIN level AS integer;
CREATE TYPE gauge AS (low level, high level);
-- accepted
ALTER DOMAIN level SET NOT NULL;

-- a constraint of a domain of which another domain is an array
CREATE DOMAIN level AS integer;
CREATE DOMAIN levels AS level[];
CREATE TABLE tanks (id bigint PRIMARY KEY, levels levels);
-- refused: cannot alter type "level" because column "tanks.levels" uses it
ALTER DOMAIN level ADD CONSTRAINT positive CHECK (VALUE > 0);

-- a constraint of a domain of which another is made
CREATE DOMAIN level AS integer;
CREATE DOMAIN depth AS level;
CREATE TABLE tanks (id bigint PRIMARY KEY, depth depth);
-- accepted
ALTER DOMAIN level ADD CONSTRAINT positive CHECK (VALUE > 0);

-- VALIDATE of a domain that is the element of an array
CREATE DOMAIN level AS integer;
CREATE TABLE tanks (id bigint PRIMARY KEY, levels level[]);
ALTER DOMAIN level ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
-- refused: cannot alter type "level" because column "tanks.levels" uses it
ALTER DOMAIN level VALIDATE CONSTRAINT positive;

-- a column that becomes serial
CREATE TABLE a (id integer);
-- refused: type "serial" does not exist
ALTER TABLE a ALTER COLUMN id TYPE serial;

-- a text column that becomes bigserial
CREATE TABLE a (id text);
-- refused: type "bigserial" does not exist
ALTER TABLE a ALTER COLUMN id SET DATA TYPE bigserial USING id::bigint;

-- USING casts to another type than the new one
CREATE TABLE a (data varchar);
-- refused: result of USING clause for column "data" cannot be cast automatically to type jsonb
ALTER TABLE a ALTER COLUMN data TYPE jsonb USING data::text;

-- USING names the column only
CREATE TABLE a (data text);
-- refused: result of USING clause for column "data" cannot be cast automatically to type uuid
ALTER TABLE a ALTER COLUMN data TYPE uuid USING data;

-- USING casts to a type that is cast automatically
CREATE TABLE a (n text);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE numeric(10, 2) USING n::integer;

-- USING with strings for an enum
CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE TABLE a (n integer);
-- refused: result of USING clause for column "n" cannot be cast automatically to type mood
ALTER TABLE a ALTER COLUMN n TYPE mood USING CASE WHEN n > 1 THEN 'angry' ELSE 'calm' END;

-- USING with strings that are cast to an enum
CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE TABLE a (n integer);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE mood USING (CASE WHEN n > 1 THEN 'angry' ELSE 'calm' END)::mood;

-- USING with one string for an enum
CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE TABLE a (n integer);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE mood USING 'calm';

-- USING with a comparison
CREATE TABLE a (n text);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE boolean USING n = 'yes';

-- USING with a comparison, for a number
CREATE TABLE a (n text);
-- refused: result of USING clause for column "n" cannot be cast automatically to type integer
ALTER TABLE a ALTER COLUMN n TYPE integer USING n = 'yes';

-- USING with numbers for a boolean
CREATE TABLE a (n text);
-- refused: result of USING clause for column "n" cannot be cast automatically to type boolean
ALTER TABLE a ALTER COLUMN n TYPE boolean USING CASE n WHEN 'yes' THEN 1 ELSE 0 END;

-- USING with a sum of times
CREATE TABLE a (n integer);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE timestamptz USING timestamp 'epoch' + n * interval '1 second';

-- USING with to_timestamp
CREATE TABLE a (n bigint);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE timestamp USING to_timestamp(n / 1000.0);

-- USING with nullif, for a uuid
CREATE TABLE a (n text);
-- refused: result of USING clause for column "n" cannot be cast automatically to type uuid
ALTER TABLE a ALTER COLUMN n TYPE uuid USING nullif(n, '');

-- USING with an array of the column
CREATE TABLE a (n text);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE text[] USING ARRAY[n];

-- USING with string_to_array
CREATE TABLE a (n text);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE varchar(20)[] USING string_to_array(n, ',');

-- USING with a JSON value
CREATE TABLE a (n jsonb);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE text USING n ->> 'name';

-- USING with a JSON value, for a number
CREATE TABLE a (n jsonb);
-- refused: result of USING clause for column "n" cannot be cast automatically to type integer
ALTER TABLE a ALTER COLUMN n TYPE integer USING n ->> 'size';

-- USING with to_jsonb
CREATE TABLE a (n varchar(20));
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE jsonb USING to_jsonb(n);

-- USING with a division
CREATE TABLE a (n integer);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE numeric(8, 2) USING n / 100.0;

-- USING with extract
CREATE TABLE a (n timestamptz);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE bigint USING extract(epoch FROM n) * 1000;
