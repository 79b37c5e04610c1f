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
