-- a CHECK that a row does not satisfy
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'b');
-- refused: check constraint "c" of relation "moods" is violated by some row
ALTER TABLE moods ADD CONSTRAINT c CHECK (code IN ('a'));

-- a unique constraint on equal rows
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
-- refused: could not create unique index "c"
ALTER TABLE moods ADD CONSTRAINT c UNIQUE (code);

-- a unique index on equal rows
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
-- refused: could not create unique index "i"
CREATE UNIQUE INDEX i ON moods (code);

-- NOT NULL for a row with NULL
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, NULL);
-- refused: column "code" of relation "moods" contains null values
ALTER TABLE moods ALTER COLUMN code SET NOT NULL;

-- a column without a value for the rows that are there
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, NULL);
-- refused: column "n" of relation "moods" contains null values
ALTER TABLE moods ADD COLUMN n int NOT NULL;

-- a key that an earlier migration has inserted
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'b');
-- refused: duplicate key value violates unique constraint "moods_pkey"
INSERT INTO moods VALUES (2, 'c');

-- a code that an earlier migration has inserted
CREATE TABLE moods (id bigserial PRIMARY KEY, code text UNIQUE);
INSERT INTO moods (code) VALUES ('a'), ('b');
-- refused: duplicate key value violates unique constraint "moods_code_key"
INSERT INTO moods (code) VALUES ('c'), ('a');

-- texts that are not numbers of the new type
CREATE TABLE moods (id bigserial PRIMARY KEY, code text);
INSERT INTO moods (code) VALUES ('a'), ('b');
-- refused: invalid input syntax for type integer: "a"
ALTER TABLE moods ALTER COLUMN code TYPE int USING code::int;

-- texts that are not labels of the new type
CREATE TYPE e AS ENUM ('a');
CREATE TABLE moods (id bigserial PRIMARY KEY, code text);
INSERT INTO moods (code) VALUES ('a'), ('b');
-- refused: invalid input value for enum e: "b"
ALTER TABLE moods ALTER COLUMN code TYPE e USING code::e;

-- texts that are too long for the new type
CREATE TABLE moods (id bigserial PRIMARY KEY, code text);
INSERT INTO moods (code) VALUES ('abc'), ('b');
-- refused: value too long for type character varying(2)
ALTER TABLE moods ALTER COLUMN code TYPE varchar(2);

-- the deletion of a row that another one references
CREATE TABLE kinds (code text PRIMARY KEY);
CREATE TABLE moods (id int PRIMARY KEY, code text REFERENCES kinds);
INSERT INTO kinds VALUES ('a');
INSERT INTO moods VALUES (1, 'a');
-- refused: update or delete on table "kinds" violates foreign key constraint "moods_code_fkey" on table "moods"
DELETE FROM kinds WHERE code = 'a';

-- a CHECK against NULL in a new column
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
ALTER TABLE moods ADD COLUMN n int;
-- refused: check constraint "c" of relation "moods" is violated by some row
ALTER TABLE moods ADD CONSTRAINT c CHECK (n IS NOT NULL);

-- NOT NULL for a new column without a default
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
ALTER TABLE moods ADD COLUMN n int;
-- refused: column "n" of relation "moods" contains null values
ALTER TABLE moods ALTER COLUMN n SET NOT NULL;

-- a unique constraint on a new column with a default
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'b');
ALTER TABLE moods ADD COLUMN n int DEFAULT 1;
-- refused: could not create unique index "moods_n_key"
ALTER TABLE moods ADD UNIQUE (n);

-- a new column with a default that is unique
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'b');
-- refused: could not create unique index "moods_n_key"
ALTER TABLE moods ADD COLUMN n int NOT NULL DEFAULT 1 UNIQUE;

-- a new primary key with a default
CREATE TABLE moods (code text);
INSERT INTO moods VALUES ('a'), ('b');
-- refused: could not create unique index "moods_pkey"
ALTER TABLE moods ADD COLUMN n int DEFAULT 1 PRIMARY KEY;

-- the validation of a CHECK that a row does not satisfy
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'b');
ALTER TABLE moods ADD CONSTRAINT c CHECK (code = 'a') NOT VALID;
-- refused: check constraint "c" of relation "moods" is violated by some row
ALTER TABLE moods VALIDATE CONSTRAINT c;

-- check holds
CREATE TABLE moods (id int PRIMARY KEY, code text, n int, d date, ok boolean);
INSERT INTO moods VALUES (1, 'a', 5, '2020-01-01', true), (2, 'b', NULL, NULL, NULL);
ALTER TABLE moods ADD CONSTRAINT c CHECK (code IN ('a', 'b')), ADD CHECK (n > 0), ADD CHECK (ok), ADD CHECK (d < '2030-01-01'), ADD CHECK (n IS NOT NULL OR id = 2);
-- accepted
ALTER TABLE moods ADD UNIQUE (code), ALTER COLUMN code SET NOT NULL, ADD COLUMN z int NOT NULL DEFAULT 0;

-- changed between
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a'), (3, NULL);
UPDATE moods SET code = id::text;
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code), ALTER COLUMN code SET NOT NULL;
-- accepted
ALTER TABLE moods ADD CHECK (code <> 'a');

-- deleted between
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
DELETE FROM moods WHERE id = 1;
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);
INSERT INTO moods VALUES (1, 'z');
-- accepted
ALTER TABLE moods ADD CHECK (id > 0);

-- truncated
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
TRUNCATE moods;
ALTER TABLE moods ADD COLUMN n int NOT NULL;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- function changes
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
CREATE FUNCTION mend() RETURNS void LANGUAGE sql AS 'UPDATE moods SET code = id::text';
SELECT mend();
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- do changes
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM moods LOOP UPDATE moods SET code = r.id::text WHERE id = r.id; END LOOP; END $$;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- execute in do
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
DO $$ BEGIN EXECUTE 'UPDATE ' || 'moods SET code = id::text'; END $$;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- trigger changes the value
CREATE TABLE moods (id int PRIMARY KEY, code text);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.code := NEW.id; RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON moods FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- trigger on another table changes rows
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
CREATE TABLE other (id int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE moods SET code = id; RETURN NEW; END';
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO other VALUES (1);
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- cascade deletes
CREATE TABLE kinds (id int PRIMARY KEY);
CREATE TABLE moods (id int PRIMARY KEY, code text, kind int REFERENCES kinds ON DELETE CASCADE);
INSERT INTO kinds VALUES (1);
INSERT INTO moods VALUES (1, 'a', 1), (2, 'a', 1);
DELETE FROM kinds;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- cascade update
CREATE TABLE kinds (code text PRIMARY KEY);
CREATE TABLE moods (id int PRIMARY KEY, code text REFERENCES kinds ON UPDATE CASCADE);
INSERT INTO kinds VALUES ('a');
INSERT INTO moods VALUES (1, 'a');
UPDATE kinds SET code = 'b';
-- accepted
ALTER TABLE moods ADD CONSTRAINT u CHECK (code = 'b');

-- CTE deletes
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
CREATE TABLE other (id int);
WITH gone AS (DELETE FROM moods RETURNING id) INSERT INTO other SELECT id FROM gone;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- CTE deletes in select
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
WITH gone AS (DELETE FROM moods RETURNING id) SELECT * FROM gone;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- merge
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a'), (2, 'a');
DELETE FROM moods a USING moods b WHERE a.id > b.id AND a.code = b.code;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u UNIQUE (code);

-- insert that does nothing
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
INSERT INTO moods VALUES (1, 'b') ON CONFLICT DO NOTHING;
-- accepted
ALTER TABLE moods ADD CONSTRAINT u CHECK (code = 'a');

-- insert select nothing
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods SELECT 1, 'a' WHERE false;
-- accepted
ALTER TABLE moods ADD COLUMN n int NOT NULL;

-- partition of key
CREATE TABLE kinds (id int PRIMARY KEY, n text) PARTITION BY RANGE (id);
CREATE TABLE kinds1 PARTITION OF kinds FOR VALUES FROM (0) TO (10);
CREATE TABLE moods (id int PRIMARY KEY, kind int REFERENCES kinds);
INSERT INTO kinds1 VALUES (2, 'x');
-- accepted
INSERT INTO moods VALUES (1, 2);

-- inherited rows and only
CREATE TABLE kinds (id int, n text);
CREATE TABLE kinds1 () INHERITS (kinds);
INSERT INTO kinds1 VALUES (2, 'x'), (2, 'x');
UPDATE kinds SET n = id || n;
INSERT INTO kinds VALUES (2, 'x');
-- accepted
ALTER TABLE kinds ADD UNIQUE (id);

-- updated row before insert
CREATE TABLE kinds (id int PRIMARY KEY);
INSERT INTO kinds VALUES (1);
UPDATE kinds SET id = 2;
CREATE TABLE moods (id int PRIMARY KEY, kind int REFERENCES kinds);
INSERT INTO moods VALUES (1, 2);
-- accepted
INSERT INTO kinds VALUES (1);

-- enum renamed
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE moods (id int PRIMARY KEY, k e);
INSERT INTO moods VALUES (1, 'a');
ALTER TYPE e RENAME VALUE 'a' TO 'c';
-- accepted
ALTER TABLE moods ADD CHECK (k = 'c');

-- columns renamed and swapped
CREATE TABLE moods (id int PRIMARY KEY, a text, b text);
INSERT INTO moods VALUES (1, 'x', 'y');
ALTER TABLE moods RENAME a TO c;
ALTER TABLE moods RENAME b TO a;
-- accepted
ALTER TABLE moods ADD CHECK (a = 'y' AND c = 'x');

-- default changes later
CREATE TABLE moods (id int PRIMARY KEY, a text DEFAULT 'x');
INSERT INTO moods (id) VALUES (1);
ALTER TABLE moods ALTER COLUMN a SET DEFAULT 'y';
INSERT INTO moods (id) VALUES (2);
ALTER TABLE moods ADD CHECK (id = 1 AND a = 'x' OR id = 2 AND a = 'y');
-- accepted
ALTER TABLE moods ADD UNIQUE (a);

-- type change with values that fit
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE moods (id int PRIMARY KEY, a text, b text, c text, d varchar(10), f text);
INSERT INTO moods VALUES (1, 'a', '5', '2020-01-01', 'abcdef', 'x');
-- accepted
ALTER TABLE moods ALTER a TYPE e USING a::e, ALTER b TYPE int USING b::int, ALTER c TYPE date USING c::date, ALTER d TYPE varchar(3) USING d::varchar(3), ALTER f TYPE int USING CASE f WHEN 'x' THEN 1 END;

-- type change with a mapped value
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE moods (id int PRIMARY KEY, a text, b text);
INSERT INTO moods VALUES (1, 'A', ' 5 ');
-- accepted
ALTER TABLE moods ALTER a TYPE e USING lower(a)::e, ALTER b TYPE int USING trim(b)::int;

-- delete of row that nothing references
CREATE TABLE kinds (code text PRIMARY KEY);
CREATE TABLE moods (id int PRIMARY KEY, code text REFERENCES kinds);
INSERT INTO kinds VALUES ('a'), ('b');
INSERT INTO moods VALUES (1, 'a');
DELETE FROM kinds WHERE code = 'b';
DELETE FROM moods WHERE id = 1;
-- accepted
DELETE FROM kinds WHERE code = 'a';

-- delete by another name
CREATE TABLE kinds (code text PRIMARY KEY, n text);
CREATE TABLE moods (id int PRIMARY KEY, code text REFERENCES kinds);
INSERT INTO kinds VALUES ('a', 'b'), ('b', 'a');
INSERT INTO moods VALUES (1, 'a');
-- accepted
DELETE FROM kinds WHERE n = 'a';

-- delete set null
CREATE TABLE kinds (code text PRIMARY KEY, n text);
CREATE TABLE moods (id int PRIMARY KEY, code text REFERENCES kinds ON DELETE SET NULL);
INSERT INTO kinds VALUES ('a', 'b'), ('b', 'a');
INSERT INTO moods VALUES (1, 'a');
DELETE FROM kinds;
-- accepted
ALTER TABLE moods ADD CHECK (code IS NULL);

-- not valid and validated after mending
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
ALTER TABLE moods ADD CONSTRAINT c CHECK (code = 'b') NOT VALID;
UPDATE moods SET code = 'b';
-- accepted
ALTER TABLE moods VALIDATE CONSTRAINT c;

-- add columns with defaults
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
ALTER TABLE moods ADD COLUMN n int UNIQUE DEFAULT 1;
INSERT INTO moods VALUES (2, 'b', 2);
ALTER TABLE moods ADD COLUMN m int UNIQUE;
ALTER TABLE moods ADD COLUMN k serial UNIQUE;
ALTER TABLE moods ADD COLUMN u uuid DEFAULT gen_random_uuid() UNIQUE;
ALTER TABLE moods ADD COLUMN b boolean NOT NULL DEFAULT false CHECK (b IN (true, false));
ALTER TABLE moods ADD COLUMN s text NOT NULL DEFAULT 'x' CHECK (s <> '');
ALTER TABLE moods ADD CHECK (b = false AND s = 'x');
-- accepted
ALTER TABLE moods ADD COLUMN g int GENERATED ALWAYS AS (id * 2) STORED UNIQUE CHECK (g > 0);

-- table dropped and created again
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
DROP TABLE moods;
CREATE TABLE moods (id int PRIMARY KEY, code text);
ALTER TABLE moods ADD COLUMN n int NOT NULL;
-- accepted
INSERT INTO moods VALUES (1, 'a', 1);

-- swap of tables
CREATE TABLE moods (id int PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
CREATE TABLE moods2 (id int PRIMARY KEY, code text);
ALTER TABLE moods RENAME TO moods_old;
ALTER TABLE moods2 RENAME TO moods;
ALTER TABLE moods ADD COLUMN n int NOT NULL;
-- accepted
INSERT INTO moods VALUES (1, 'a', 1);

-- exception handler
CREATE TABLE moods (id int PRIMARY KEY, code text);
DO $$ BEGIN INSERT INTO moods VALUES (1, 'a'); INSERT INTO moods VALUES (1, 'a'); EXCEPTION WHEN unique_violation THEN NULL; END $$;
-- accepted
ALTER TABLE moods ADD COLUMN n int NOT NULL;

-- select setval keeps rows
CREATE TABLE moods (id serial PRIMARY KEY, code text);
INSERT INTO moods VALUES (1, 'a');
SELECT setval('moods_id_seq', 1);
-- accepted
ALTER TABLE moods ADD CHECK (code = 'a');

-- citext and char comparisons
CREATE TABLE moods (id int PRIMARY KEY, code char(5), n numeric(5,1), t timestamptz, r real);
INSERT INTO moods VALUES (1, 'a', 1.05, '2020-01-01', 0.1);
-- accepted
ALTER TABLE moods ADD CHECK (code = 'a  '), ADD CHECK (n = 1.1), ADD CHECK (t < now()), ADD CHECK (n <> 1.05);

-- rows: seeds then not null with default set in same alter
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a (id) VALUES (1), (2);
ALTER TABLE a ADD COLUMN slug text;
UPDATE a SET slug = 'x' || id;
ALTER TABLE a ALTER COLUMN slug SET NOT NULL;
-- accepted
CREATE UNIQUE INDEX i ON a (slug);

-- rows: seeds then add in one alter
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a (id) VALUES (1), (2);
ALTER TABLE a ADD COLUMN n int DEFAULT 5, ADD COLUMN m int;
-- accepted
ALTER TABLE a ALTER COLUMN n SET NOT NULL;

-- rows: seeds and type using
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'yes'), (2, 'no');
ALTER TABLE a ALTER COLUMN k TYPE boolean USING k::boolean;
-- accepted
ALTER TABLE a ADD CHECK (k OR id = 2);

-- rows: seeds and drop column add again
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a DROP COLUMN k;
ALTER TABLE a ADD COLUMN k text;
-- accepted
ALTER TABLE a ADD UNIQUE (k);

-- rows: seeds and dropped column not null again
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a DROP COLUMN k;
-- refused: column "k" of relation "a" contains null values
ALTER TABLE a ADD COLUMN k text NOT NULL;

-- rows: renamed column then unique
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a RENAME k TO code;
-- refused: could not create unique index "u"
ALTER TABLE a ADD CONSTRAINT u UNIQUE (code);

-- rows: renamed table then unique
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a RENAME TO b;
-- refused: could not create unique index "u"
CREATE UNIQUE INDEX u ON b (k);

-- rows: nulls distinct
CREATE TABLE a (id int PRIMARY KEY, k text, l text);
INSERT INTO a VALUES (1, NULL, 'x'), (2, NULL, 'x');
-- accepted
ALTER TABLE a ADD UNIQUE (k, l);

-- rows: unique index partial and expressions
CREATE TABLE a (id int PRIMARY KEY, k text, l text);
INSERT INTO a VALUES (1, 'a', 'x'), (2, 'a', 'x');
CREATE UNIQUE INDEX u1 ON a (k) WHERE id > 5;
-- accepted
CREATE UNIQUE INDEX u2 ON a (k, (id + 1));

-- rows: collation equality strings
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'A'), (3, 'a ');
-- accepted
ALTER TABLE a ADD UNIQUE (k);

-- rows: check with function and like
CREATE TABLE a (id int PRIMARY KEY, k text, n numeric, e text);
INSERT INTO a VALUES (1, 'abc', 1.50, 'x@y.z'), (2, 'b', 2, NULL);
-- accepted
ALTER TABLE a ADD CHECK (length(k) > 0), ADD CHECK (k LIKE '%' OR k ~ 'x'), ADD CHECK (n > 1), ADD CHECK (n <= 2.0), ADD CHECK (e LIKE '%@%'), ADD CHECK (lower(k) = k), ADD CHECK (k = ANY (ARRAY['abc', 'b'])), ADD CHECK (k IN ('abc', 'b', 'c')), ADD CHECK (id BETWEEN 1 AND 2), ADD CHECK (NOT (k = 'z')), ADD CHECK (k <> '' AND (e IS NULL OR e <> k));

-- rows: check over text of number
CREATE TABLE a (id int PRIMARY KEY, k varchar(5), c char(3), d date, t timestamp, b boolean);
INSERT INTO a VALUES ('1', 'ab   ', 'x', '2020-1-1', '2020-01-01 00:00', 't');
-- accepted
ALTER TABLE a ADD CHECK (id = 1), ADD CHECK (d = '2020-01-01'), ADD CHECK (t = '2020-01-01'), ADD CHECK (b), ADD CHECK (c = 'x'), ADD CHECK (k = 'ab   ');

-- rows: foreign key not valid
CREATE TABLE k (id int PRIMARY KEY);
CREATE TABLE a (id int PRIMARY KEY, k int);
INSERT INTO a VALUES (1, 5);
-- accepted
ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES k NOT VALID;

-- rows: copy of rows into new table
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a');
CREATE TABLE kinds (k text PRIMARY KEY);
INSERT INTO kinds SELECT DISTINCT k FROM a;
-- accepted
ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (k) REFERENCES kinds;

-- rows: self reference
CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES a);
INSERT INTO a VALUES (1, 2), (2, 1);
-- accepted
INSERT INTO a VALUES (3, 3);

-- rows: cyclic with two tables
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
INSERT INTO a VALUES (1, 1);
INSERT INTO b VALUES (1, 1);
-- accepted
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;

-- rows: insert returning into CTE chain
CREATE TABLE a (id int PRIMARY KEY, k text);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
WITH x AS (INSERT INTO a VALUES (7, 'z') RETURNING id) INSERT INTO b SELECT 1, id FROM x;
-- accepted
INSERT INTO b VALUES (2, 7);

-- rows: schema qualified and search path
CREATE SCHEMA app;
CREATE TABLE app.k (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, k int REFERENCES app.k);
SET search_path = app;
INSERT INTO k VALUES (1);
-- accepted
INSERT INTO app.a VALUES (1, 1);

-- rows: delete and insert again
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a');
DELETE FROM a WHERE id = 1;
INSERT INTO a VALUES (1, 'b');
DELETE FROM a;
-- accepted
INSERT INTO a VALUES (1, 'c');

-- rows: column dropped and added if not exists
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a DROP COLUMN k;
ALTER TABLE a ADD COLUMN IF NOT EXISTS k text;
-- accepted
ALTER TABLE a ADD UNIQUE (k);

-- rows: two columns dropped and added
CREATE TABLE a (id int PRIMARY KEY, k text, l text);
INSERT INTO a VALUES (1, 'a', 'b'), (2, 'a', 'b');
ALTER TABLE a DROP COLUMN k, DROP COLUMN l;
ALTER TABLE a ADD COLUMN m text DEFAULT 'm', ADD COLUMN n text;
-- accepted
ALTER TABLE a ADD CHECK (m = 'm'), ADD CHECK (n IS NULL), ADD UNIQUE (n);

-- rows: column dropped, added with a default and added again
CREATE TABLE a (id int PRIMARY KEY, k text);
INSERT INTO a VALUES (1, 'a'), (2, 'a');
ALTER TABLE a DROP COLUMN k;
ALTER TABLE a ADD COLUMN k text DEFAULT 'x';
ALTER TABLE a DROP COLUMN k;
ALTER TABLE a ADD COLUMN k text;
-- accepted
ALTER TABLE a ADD UNIQUE (k), ADD CHECK (k IS NULL);
