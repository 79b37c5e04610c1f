CREATE TABLE known (id bigint PRIMARY KEY, a text NOT NULL, b text DEFAULT 'x', c text);
ALTER TABLE known DROP COLUMN c;
ALTER TABLE known RENAME COLUMN a TO aa;
ALTER TABLE known ADD COLUMN d text NOT NULL;
ALTER TABLE known ALTER COLUMN b DROP DEFAULT;
ALTER TABLE known ALTER COLUMN b SET DEFAULT 'y';

-- next migration
ALTER TABLE orders DROP COLUMN note; -- expect: drop-column
ALTER TABLE known DROP COLUMN IF EXISTS never;
ALTER TABLE known
    DROP COLUMN aa, -- expect: drop-column
    ADD COLUMN e text;
ALTER TABLE known DROP COLUMN e;
ALTER TABLE orders RENAME note TO remark; -- expect: rename-column
ALTER TABLE open_orders RENAME COLUMN note TO remark; -- expect: rename-column

-- next migration
-- the columns swap their names
CREATE TABLE counted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, wide_n bigint, word text DEFAULT 'a', a text NOT NULL DEFAULT 'x');
CREATE TABLE filled (id bigint PRIMARY KEY, a text NOT NULL DEFAULT 'x', b text NOT NULL DEFAULT 'x');
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();

-- next migration
BEGIN;
ALTER TABLE counted RENAME COLUMN n TO old_n;
ALTER TABLE counted RENAME COLUMN wide_n TO n;
ALTER TABLE counted ALTER COLUMN n SET DEFAULT 0;
ALTER TABLE counted ALTER COLUMN old_n DROP DEFAULT; -- expect: drop-default
COMMIT;
ALTER TABLE counted RENAME COLUMN n TO newer; -- expect: rename-column
ALTER TABLE counted RENAME COLUMN old_n TO n; -- expect: rename-column

-- next migration
ALTER TABLE counted ALTER COLUMN a DROP DEFAULT;
ALTER TABLE counted ALTER COLUMN a SET DEFAULT 'y';
ALTER TABLE filled ALTER COLUMN a DROP DEFAULT; -- expect: drop-default

-- next migration
-- a view keeps the old names
BEGIN;
ALTER TABLE orders RENAME TO orders_table;
ALTER TABLE orders_table RENAME COLUMN placed TO placed_at;
CREATE VIEW orders AS SELECT id, placed_at AS placed FROM orders_table;
COMMIT;

-- next migration
ALTER TABLE known ADD COLUMN f text NOT NULL; -- expect: required-column-added
ALTER TABLE known ADD COLUMN IF NOT EXISTS f text NOT NULL;
ALTER TABLE known ADD COLUMN g bigint NOT NULL DEFAULT 1, ADD COLUMN h bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE known ADD COLUMN i serial NOT NULL, ADD COLUMN j bigint NOT NULL GENERATED ALWAYS AS (g) STORED;
ALTER TABLE known ALTER COLUMN g DROP DEFAULT; -- expect: required-column-added
ALTER TABLE orders ADD COLUMN k bigint NOT NULL DEFAULT NULL; -- expect: required-column-added
CREATE DOMAIN amount AS numeric DEFAULT 0;
ALTER TABLE orders ADD COLUMN l amount NOT NULL;

-- next migration
ALTER TABLE known ALTER COLUMN b DROP DEFAULT; -- expect: drop-default
ALTER TABLE known ALTER COLUMN b DROP DEFAULT;
ALTER TABLE known ALTER COLUMN f DROP NOT NULL; -- expect: drop-not-null
ALTER TABLE known ALTER COLUMN b DROP NOT NULL;
ALTER TABLE orders ALTER COLUMN b DROP NOT NULL, ALTER COLUMN b DROP DEFAULT; -- expect: drop-not-null -- expect: drop-default

-- next migration
CREATE TABLE pairs (a bigint, b bigint, c bigint, d bigint, UNIQUE (a, b), CHECK (c > d));
CREATE INDEX ON pairs (d);
CREATE INDEX ON pairs (c);

-- next migration
ALTER TABLE pairs DROP COLUMN a; -- expect: column-takes-others-along -- expect: drop-column
ALTER TABLE pairs DROP CONSTRAINT pairs_check;
ALTER TABLE pairs DROP COLUMN c; -- expect: drop-column

-- next migration
-- one column takes the name of another
CREATE TABLE kept (id bigint PRIMARY KEY, size integer, hash text, code text, kind text, rank integer);

-- next migration
BEGIN;
ALTER TABLE kept ADD COLUMN wide_size bigint;
UPDATE kept SET wide_size = size WHERE id < 100;
ALTER TABLE kept DROP COLUMN size;
ALTER TABLE kept RENAME COLUMN wide_size TO size;
ALTER TABLE kept RENAME COLUMN hash TO old_hash;
ALTER TABLE kept ADD COLUMN hash text;
UPDATE kept SET hash = old_hash WHERE id < 100;
ALTER TABLE kept DROP COLUMN old_hash;
COMMIT;

-- next migration
BEGIN;
ALTER TABLE kept DROP COLUMN code, ADD COLUMN code integer; -- expect: drop-column
ALTER TABLE kept RENAME COLUMN kind TO old_kind;
ALTER TABLE kept ADD COLUMN kind integer;
ALTER TABLE kept DROP COLUMN old_kind; -- expect: drop-column
COMMIT;
ALTER TABLE kept DROP COLUMN rank; -- expect: drop-column
ALTER TABLE kept ADD COLUMN rank bigint;

-- next migration
-- a column of another kind takes the name, with its values
CREATE TABLE retyped (
    id bigint PRIMARY KEY, state smallint, open boolean, n integer, word varchar(9), day date, at timestamptz, ref uuid, tags text[]
);

-- next migration
BEGIN;
ALTER TABLE retyped ADD COLUMN state_new text, ADD COLUMN open_new text[], ADD COLUMN n_new numeric, ADD COLUMN word_new text;
ALTER TABLE retyped ADD COLUMN day_new timestamptz, ADD COLUMN at_new bigint, ADD COLUMN ref_new text, ADD COLUMN tags_new varchar(9)[];
UPDATE retyped SET state_new = 'new', open_new = '{}', n_new = n, word_new = word WHERE id < 100;
UPDATE retyped SET day_new = day, at_new = extract(epoch FROM at), ref_new = ref, tags_new = tags WHERE id < 100;
ALTER TABLE retyped DROP COLUMN state; -- expect: drop-column
ALTER TABLE retyped DROP COLUMN open; -- expect: drop-column
ALTER TABLE retyped DROP COLUMN n, DROP COLUMN word, DROP COLUMN day, DROP COLUMN ref, DROP COLUMN tags;
ALTER TABLE retyped DROP COLUMN at; -- expect: drop-column
ALTER TABLE retyped RENAME COLUMN state_new TO state;
ALTER TABLE retyped RENAME COLUMN open_new TO open;
ALTER TABLE retyped RENAME COLUMN n_new TO n;
ALTER TABLE retyped RENAME COLUMN word_new TO word;
ALTER TABLE retyped RENAME COLUMN day_new TO day;
ALTER TABLE retyped RENAME COLUMN at_new TO at;
ALTER TABLE retyped RENAME COLUMN ref_new TO ref;
ALTER TABLE retyped RENAME COLUMN tags_new TO tags;
COMMIT;

-- next migration
BEGIN;
ALTER TABLE retyped RENAME COLUMN n TO old_n; -- expect: rename-column
ALTER TABLE retyped RENAME COLUMN word TO old_word;
ALTER TABLE retyped ADD COLUMN n text, ADD COLUMN word varchar(20), ADD COLUMN flag boolean;
UPDATE retyped SET n = old_n::text, word = old_word WHERE id < 100;
ALTER TABLE retyped DROP COLUMN old_n, DROP COLUMN old_word;
COMMIT;

-- next migration
-- a column without values takes the name of another, which stays
BEGIN;
ALTER TABLE kept RENAME COLUMN size TO old_size; -- expect: rename-column
ALTER TABLE kept ADD COLUMN size text DEFAULT 'wide';
ALTER TABLE kept RENAME COLUMN rank TO old_rank;
ALTER TABLE kept ADD COLUMN rank bigint GENERATED ALWAYS AS (id * 2) STORED;
COMMIT;

-- next migration
-- made NOT NULL after the existing rows are filled
ALTER TABLE known ADD COLUMN m text, ADD COLUMN n text DEFAULT 'a', ADD COLUMN o bigint GENERATED BY DEFAULT AS IDENTITY;
UPDATE known SET m = 'a';
ALTER TABLE known
    ALTER COLUMN m SET NOT NULL, -- expect: required-column-added
    ALTER COLUMN n SET NOT NULL,
    ALTER COLUMN o SET NOT NULL;
ALTER TABLE known ADD COLUMN p text;
ALTER TABLE known ALTER COLUMN p SET DEFAULT 'a';
ALTER TABLE known ALTER COLUMN p SET NOT NULL;

-- next migration
-- a trigger of another table inserts the rows
CREATE TABLE totals (id bigint PRIMARY KEY, n bigint);
CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO totals (id) VALUES (NEW.id); RETURN NEW; END $$;

-- next migration
ALTER TABLE totals ADD COLUMN owner text;
UPDATE totals SET owner = 'a';
ALTER TABLE totals ALTER COLUMN owner SET NOT NULL;

-- next migration
-- a trigger may write the column
ALTER TABLE known ADD COLUMN q text;
CREATE FUNCTION fill_q() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.q := 'a'; RETURN NEW; END $$;
CREATE TRIGGER known_q BEFORE INSERT ON known FOR EACH ROW EXECUTE FUNCTION fill_q(); -- expect: trigger-added
ALTER TABLE known ALTER COLUMN q SET NOT NULL;

-- next migration
-- in a migration of its own
ALTER TABLE known ADD COLUMN r text;
-- next migration
ALTER TABLE known ALTER COLUMN r SET NOT NULL;

-- next migration
CREATE TABLE fresh (id bigint PRIMARY KEY, a text);

-- next migration
-- a default that the same transaction sets
BEGIN;
ALTER TABLE fresh ADD COLUMN s text;
UPDATE fresh SET s = 'a';
ALTER TABLE fresh ALTER COLUMN s SET NOT NULL;
ALTER TABLE fresh ALTER COLUMN s SET DEFAULT 'a';
COMMIT;
ALTER TABLE fresh ADD COLUMN t text, ADD COLUMN u text;
ALTER TABLE fresh ALTER COLUMN t SET NOT NULL, ALTER COLUMN t SET DEFAULT 'a';
ALTER TABLE fresh ALTER COLUMN u SET NOT NULL; -- expect: required-column-added
ALTER TABLE fresh ALTER COLUMN u SET DEFAULT 'a';

-- next migration
-- IF NOT EXISTS finds no column in a table of which all are known
ALTER TABLE fresh ADD COLUMN IF NOT EXISTS v text, ADD COLUMN IF NOT EXISTS s text;
ALTER TABLE fresh DROP COLUMN v;
ALTER TABLE fresh DROP COLUMN s; -- expect: drop-column
ALTER TABLE guessed ADD COLUMN IF NOT EXISTS a text;
ALTER TABLE guessed DROP COLUMN a; -- expect: drop-column
ALTER TABLE fresh ADD COLUMN IF NOT EXISTS w text;
UPDATE fresh SET w = t;
ALTER TABLE fresh ALTER COLUMN w SET NOT NULL; -- expect: required-column-added

-- next migration
CREATE TABLE texts (id bigint PRIMARY KEY, a text, plain tsvector, words tsvector GENERATED ALWAYS AS (to_tsvector('simple', a)) STORED);

-- next migration
-- generated values are generated again
BEGIN;
ALTER TABLE texts DROP COLUMN words;
ALTER TABLE texts ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('english', a)) STORED;
ALTER TABLE texts DROP COLUMN plain; -- expect: drop-column
ALTER TABLE texts ADD COLUMN plain tsvector GENERATED ALWAYS AS (to_tsvector('english', a)) STORED;
COMMIT;

CREATE DOMAIN filled AS text NOT NULL;
CREATE DOMAIN short AS filled CHECK (length(VALUE) < 9);
CREATE DOMAIN named AS text NOT NULL DEFAULT 'nobody';
CREATE TABLE carriers (id bigint PRIMARY KEY);

-- next migration
ALTER TABLE carriers ADD COLUMN a filled; -- expect: required-column-added
ALTER TABLE carriers ADD COLUMN b short; -- expect: required-column-added
ALTER TABLE carriers ADD COLUMN c filled DEFAULT 'x', ADD COLUMN d named;
CREATE TABLE lorries (id bigint PRIMARY KEY);
ALTER TABLE lorries ADD COLUMN a filled;

-- next migration
-- a default whose value only the server knows
CREATE TABLE courses (id bigint PRIMARY KEY);

-- next migration
BEGIN;
ALTER TABLE courses ADD COLUMN template uuid, ADD COLUMN grade text, ADD COLUMN place text;
DO $$
DECLARE
    chosen uuid := gen_random_uuid();
    name text := current_user;
BEGIN
    EXECUTE format('ALTER TABLE courses ALTER COLUMN template SET DEFAULT %L', chosen);
    EXECUTE 'ALTER TABLE courses ALTER COLUMN grade SET DEFAULT ' || quote_literal(name);
    EXECUTE format('ALTER TABLE courses ALTER COLUMN %I SET DEFAULT %L', name, chosen);
END $$;
ALTER TABLE courses ALTER COLUMN template SET NOT NULL;
ALTER TABLE courses ALTER COLUMN grade SET NOT NULL;
ALTER TABLE courses ALTER COLUMN place SET NOT NULL; -- expect: required-column-added
COMMIT;
