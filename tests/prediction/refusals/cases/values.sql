-- a default that is no label of the enum
CREATE TYPE state AS ENUM ('a', 'b');
CREATE TABLE a (id bigint, s state);
-- refused: invalid input value for enum state: "pending"
ALTER TABLE a ALTER COLUMN s SET DEFAULT 'pending';

-- a default of another type
CREATE TABLE a (id bigint);
-- refused: column "active" is of type boolean but default expression is of type integer
ALTER TABLE a ADD COLUMN active boolean NOT NULL DEFAULT 0;

-- a boolean default of a number column
-- refused: column "n" is of type integer but default expression is of type boolean
CREATE TABLE a (id bigint, n integer DEFAULT false);

-- a default that is no number
CREATE TABLE a (id bigint, n integer);
-- refused: invalid input syntax for type integer: "many"
ALTER TABLE a ALTER COLUMN n SET DEFAULT 'many';

-- a default that is too large
CREATE TABLE a (id bigint, n smallint);
-- refused: value "40000" is out of range for type smallint
ALTER TABLE a ALTER COLUMN n SET DEFAULT '40000';

-- defaults that are converted
-- accepted
CREATE TABLE a (n numeric DEFAULT 1, t text DEFAULT 1, b boolean DEFAULT '1', d date DEFAULT 'today', v varchar(2) DEFAULT 'xxx', u text[] DEFAULT '{}');

-- an address that does not exist
CREATE TABLE a (id bigint, n inet);
-- refused: invalid input syntax for type inet: "10.0.0.300"
INSERT INTO a VALUES (1, '10.0.0.300');

-- a time that no day has
CREATE TABLE a (id bigint);
-- refused: date/time field value out of range: "25:00"
ALTER TABLE a ADD COLUMN opens time DEFAULT '25:00';

-- an interval with a word that is no unit
CREATE TABLE a (id bigint);
-- refused: invalid input syntax for type interval: "3 dys"
ALTER TABLE a ADD COLUMN waits interval DEFAULT '3 dys';

-- a network whose address has bits of a host
CREATE TABLE a (n cidr);
-- refused: invalid cidr value: "10.0.0.1/24"
INSERT INTO a VALUES ('10.0.0.1/24');

-- a default that a function of strings computes
CREATE TABLE a (id bigint);
-- refused: column "n" is of type integer but default expression is of type text
ALTER TABLE a ADD COLUMN n integer DEFAULT lower('5');

-- a default that is cast to text
-- refused: column "n" is of type uuid but default expression is of type text
CREATE TABLE a (id bigint, n uuid DEFAULT gen_random_uuid()::text);

-- defaults of strings that are cast to the type of their column
-- accepted
CREATE TABLE a (n integer DEFAULT left('55', 1)::integer, t text DEFAULT concat('a', 1), u varchar(3) DEFAULT lower('A'), v "char" DEFAULT md5('a'),
    s name DEFAULT lower('A'), d date DEFAULT ('2024' || '-01-01')::date, b boolean DEFAULT current_setting('is_superuser') = 'on', j jsonb DEFAULT to_jsonb('a'::text));

-- a date of zeros
-- refused: date/time field value out of range: "0000-00-00"
CREATE TABLE a (id bigint, d date DEFAULT '0000-00-00');

-- a word as a timestamp
-- refused: invalid input syntax for type timestamp: "CURRENT_TIMESTAMP"
CREATE TABLE a (id bigint, t timestamp DEFAULT 'CURRENT_TIMESTAMP');

-- words for times, with punctuation
-- accepted
CREATE TABLE a (t timestamp DEFAULT 'now()', z timestamptz DEFAULT 'NOW ( )', d date DEFAULT '(today)', i timestamptz DEFAULT '- infinity', b timestamptz DEFAULT 'today allballs');

-- a function's name as a timestamp
-- refused: invalid input syntax for type timestamp with time zone: "utcnow()"
CREATE TABLE a (id bigint, t timestamptz DEFAULT 'utcnow()');

-- text that is no JSON
-- refused: invalid input syntax for type json
CREATE TABLE a (id bigint, j jsonb DEFAULT '');

-- text that is no uuid
CREATE TABLE a (id uuid);
-- refused: invalid input syntax for type uuid: "1"
INSERT INTO a (id) VALUES ('1');

-- a string that is too long
CREATE TABLE a (id bigint, n varchar(3));
-- refused: value too long for type character varying(3)
INSERT INTO a VALUES (1, 'one'), (2, 'three');

-- spaces beyond the length
CREATE TABLE a (id bigint, n varchar(3));
-- accepted
INSERT INTO a VALUES (1, 'one   ');

-- a value for no column
CREATE TABLE a (id bigint, n integer);
-- refused: INSERT has more expressions than target columns
INSERT INTO a (id) VALUES (1, 2);

-- a column without a value
CREATE TABLE a (id bigint, n integer);
-- refused: INSERT has more target columns than expressions
INSERT INTO a (id, n) VALUES (1);

-- rows of different lengths
CREATE TABLE a (id bigint, n integer);
-- refused: VALUES lists must all be the same length
INSERT INTO a (id, n) VALUES (1, 2), (3);

-- a NOT NULL column without a value
CREATE TABLE a (id bigint, n integer NOT NULL);
-- refused: null value in column "n" of relation "a" violates not-null constraint
INSERT INTO a (id) VALUES (1);

-- NULL for a NOT NULL column in one of several rows
CREATE TABLE a (id bigint, n integer NOT NULL);
-- refused: null value in column "n" of relation "a" violates not-null constraint
INSERT INTO a (id, n) VALUES (1, 2), (3, NULL);

-- NOT NULL columns with defaults
CREATE DOMAIN d AS integer DEFAULT 1;
CREATE TABLE a (id bigserial PRIMARY KEY, i bigint GENERATED ALWAYS AS IDENTITY, n integer NOT NULL DEFAULT 1, d d NOT NULL, t text);
-- accepted
INSERT INTO a (t) VALUES ('it''s, (fine)'), ($$;$$);

-- a NOT NULL column that a trigger fills
CREATE TABLE a (id bigint, n integer NOT NULL);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := 1; RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
-- accepted
INSERT INTO a (id) VALUES (1);

-- a JSON array as the default of a new array
CREATE TABLE a (id bigint);
-- refused: malformed array literal: "[]"
ALTER TABLE a ADD COLUMN t text[] DEFAULT '[]';

-- an empty string as the default of an array
-- refused: malformed array literal: ""
CREATE TABLE a (id bigint, t varchar(20)[] NOT NULL DEFAULT '');

-- a JSON array that is cast to an array
-- refused: malformed array literal: "["it's"]"
CREATE TABLE a (id bigint, t varchar(20)[] DEFAULT '["it''s"]'::character varying(20)[]);

-- a JSON array as the later default of an array
CREATE TABLE a (id bigint, n integer[]);
-- refused: malformed array literal: "[1, 2]"
ALTER TABLE a ALTER COLUMN n SET DEFAULT '[1, 2]';

-- a value that is no array
CREATE TABLE a (id bigint, t text[]);
-- refused: malformed array literal: "one"
INSERT INTO a VALUES (1, '{one}'), (2, 'one');

-- a value for an element of an array
CREATE TABLE a (id bigint, t text[]);
-- accepted
INSERT INTO a (id, t[1]) VALUES (1, 'one');

-- a value for an array that the statement names
CREATE TABLE a (id bigint, t text[], n integer);
-- refused: malformed array literal: "[]"
INSERT INTO a (id, t) VALUES (1, '[]');

-- a value for an element of JSON
CREATE TABLE a (id bigint, j jsonb);
-- accepted
INSERT INTO a (id, j['x']) VALUES (1, '1');

-- a bound without an end
-- refused: malformed array literal: "[1"
CREATE TABLE a (id bigint, n integer[] DEFAULT '[1');

-- a string for an array of an enum
CREATE TYPE e AS ENUM ('x', 'y');
CREATE TABLE a (id bigint);
-- refused: malformed array literal: "x"
ALTER TABLE a ADD COLUMN e e[] DEFAULT 'x';

-- arrays with bounds and spaces
-- accepted
CREATE TABLE a (n integer[] DEFAULT '[1:2]={1,2}', m integer[] DEFAULT '[-1:0]={1,2}'::integer[], t text[] DEFAULT ' {} ', u text[] DEFAULT NULL);

-- other expressions for arrays
-- accepted
CREATE TABLE a (n integer[] DEFAULT ARRAY[]::integer[], t text[] DEFAULT ARRAY['x'], u text[] DEFAULT string_to_array('a,b', ','));

-- a JSON array in an array of JSON
-- refused: malformed array literal: "[]"
CREATE TABLE a (id bigint, j jsonb[] DEFAULT '[]');

-- a default of a new column that is too long
CREATE TABLE a (id bigint);
-- refused: value too long for type character varying(3)
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending';

-- a default of a new column of characters that is too long
CREATE TABLE a (id bigint);
-- refused: value too long for type character(2)
ALTER TABLE a ADD COLUMN t char(2) NOT NULL DEFAULT 'abc';

-- a default of a new column with spaces beyond the length
CREATE TABLE a (id bigint);
-- accepted
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'abc   ';

-- a default of a new column that a cast cuts
CREATE TABLE a (id bigint);
-- accepted
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending'::varchar(3);

-- a default of a new column with too many digits
CREATE TABLE a (id bigint);
-- refused: numeric field overflow
ALTER TABLE a ADD COLUMN n numeric(3, 2) DEFAULT 100;

-- a default of a new column that fits after it is rounded
CREATE TABLE a (id bigint);
-- accepted
ALTER TABLE a ADD COLUMN n numeric(3, 2) DEFAULT -9.991;

-- a default of a new column that is out of range
CREATE TABLE a (id bigint);
-- refused: smallint out of range
ALTER TABLE a ADD COLUMN n smallint DEFAULT 40000;

-- the smallest default of a new column
CREATE TABLE a (id bigint);
-- accepted
ALTER TABLE a ADD COLUMN n smallint DEFAULT -32768;

-- a default that is too long for a column that exists
CREATE TABLE a (id bigint, t varchar(3));
-- accepted
ALTER TABLE a ADD COLUMN IF NOT EXISTS t varchar(3) DEFAULT 'pending';

-- a default that is too long for a second column of the name
CREATE TABLE a (id bigint, t varchar(3));
-- refused: column "t" of relation "a" already exists
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending';

-- a default that is too long for a new column of a partitioned table
CREATE TABLE a (id bigint) PARTITION BY LIST (id);
-- accepted
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending';

-- a default that is too large for a new column of a partitioned table
CREATE TABLE a (id bigint) PARTITION BY LIST (id);
-- accepted
ALTER TABLE a ADD COLUMN n numeric(3, 2) DEFAULT 100;

-- a default that is too long for a new column of a foreign table
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE a (id bigint) SERVER s;
-- accepted
ALTER FOREIGN TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending';

-- a default that is too long, in a new table
-- accepted
CREATE TABLE a (t varchar(3) DEFAULT 'pending', n numeric(3, 2) DEFAULT 100);

-- a default that is too long, for later rows
CREATE TABLE a (t varchar(3));
-- accepted
ALTER TABLE a ALTER COLUMN t SET DEFAULT 'pending';

-- a default of a new column that is replaced at once
CREATE TABLE a (id bigint);
-- refused: value too long for type character varying(3)
ALTER TABLE a ADD COLUMN t varchar(3) DEFAULT 'pending', ALTER COLUMN t SET DEFAULT 'new';

-- a unique index after an upsert has changed one of the equal rows
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
INSERT INTO moods VALUES (2, 'b') ON CONFLICT (id) DO UPDATE SET code = excluded.code;
-- accepted
CREATE UNIQUE INDEX moods_code ON moods (code);

-- NOT NULL after an upsert has given the row a value
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, NULL);
INSERT INTO moods VALUES (1, 'b') ON CONFLICT (id) DO UPDATE SET code = excluded.code;
-- accepted
ALTER TABLE moods ALTER COLUMN code SET NOT NULL;

-- the same key again after a trigger has deleted the row
CREATE TABLE moods (id int PRIMARY KEY, code text);
CREATE TABLE commands (id int PRIMARY KEY);
CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM moods; RETURN NEW; END $$;
CREATE TRIGGER clears AFTER INSERT ON commands FOR EACH ROW EXECUTE FUNCTION clear();
INSERT INTO moods VALUES (1, 'a');
INSERT INTO commands VALUES (1);
-- accepted
INSERT INTO moods VALUES (1, 'b');

-- an upsert of two rows with the same key
CREATE TABLE settings (key text PRIMARY KEY, value text);
-- refused: ON CONFLICT DO UPDATE command cannot affect row a second time
INSERT INTO settings (key, value) VALUES ('a', '1'), ('a', '2') ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- an upsert of rows with different keys
CREATE TABLE settings (key text, place text, value text, PRIMARY KEY (key, place));
-- accepted
INSERT INTO settings (key, place, value) VALUES ('a', 'x', '1'), ('a', 'y', '1') ON CONFLICT (key, place) DO UPDATE SET value = excluded.value;

-- rows with the same key, of which the second one is left out
CREATE TABLE settings (key text PRIMARY KEY, value text);
-- accepted
INSERT INTO settings (key, value) VALUES ('a', '1'), ('a', '2') ON CONFLICT (key) DO NOTHING;
