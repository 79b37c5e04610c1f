TRUNCATE orders; -- expect: truncate
TRUNCATE orders, customers CASCADE; -- expect: truncate
DELETE FROM orders; -- expect: delete-everything
DELETE FROM orders WHERE true; -- expect: delete-everything
DELETE FROM orders WHERE id = 1;
DROP SCHEMA app CASCADE; -- expect: drop-database-or-schema
DROP SCHEMA app;
DROP DATABASE shop; -- expect: drop-database-or-schema
DROP TABLE coupons CASCADE; -- expect: drop-cascade
DROP TABLE coupons;

-- next migration
CREATE TABLE news (id bigint PRIMARY KEY, title varchar(50), at timestamptz, n bigint);
INSERT INTO news (id) VALUES (1);
TRUNCATE news;
CREATE TEMP TABLE t (id int);
DELETE FROM t;
DROP TABLE t CASCADE;

-- next migration
ALTER TABLE news ALTER COLUMN title TYPE varchar(100); -- expect: statistics-lost
ALTER TABLE news ALTER COLUMN title TYPE text;
ALTER TABLE news ALTER COLUMN n TYPE int; -- expect: type-narrowed
ALTER TABLE news ALTER COLUMN at TYPE date; -- expect: type-narrowed

-- next migration
DO $$
BEGIN
    DELETE FROM orders; -- expect: delete-everything
    TRUNCATE orders; -- expect: truncate
END $$;

-- next migration
ALTER TABLE news ADD COLUMN region text;
UPDATE news SET region = 'eu' WHERE id < 1000;
-- no index serves the filter: it scans the table and deletes only some rows
DELETE FROM news WHERE region IS NULL;

-- next migration
CREATE TABLE rows (id bigint PRIMARY KEY);
CREATE TABLE cells (id bigint PRIMARY KEY, row_id bigint REFERENCES rows);
CREATE TABLE notes (id bigint PRIMARY KEY, cell_id bigint REFERENCES cells, text text);
CREATE EXTENSION citext;
CREATE TABLE mails (id bigint PRIMARY KEY, address citext);

-- next migration
TRUNCATE rows CASCADE; -- expect: drop-cascade -- expect: truncate
TRUNCATE rows, cells, notes CASCADE; -- expect: truncate
TRUNCATE notes CASCADE; -- expect: truncate
-- next migration
CREATE TABLE days (id bigint, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE visits (id bigint, day date, FOREIGN KEY (id, day) REFERENCES days);
-- next migration
TRUNCATE days_1 CASCADE; -- expect: drop-cascade -- expect: truncate
TRUNCATE days CASCADE; -- expect: drop-cascade -- expect: truncate
DROP OWNED BY clerk; -- expect: drop-cascade
DROP EXTENSION citext CASCADE; -- expect: drop-cascade
REASSIGN OWNED BY clerk TO boss;

-- next migration
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'rows_pkey'::regclass; -- expect: catalog-written
DELETE FROM pg_enum WHERE enumtypid = 1;
INSERT INTO pg_settings VALUES (1);
SELECT * FROM pg_class;
COPY pg_class TO STDOUT;
UPDATE pg_stuff SET a = 1 WHERE b = 2;

-- next migration
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE moods (
    id bigint PRIMARY KEY, face text, code bigint, secret jsonb, note text, glad boolean, word text, other text, day date
);

-- next migration
-- What USING computes cannot fail, or can:
ALTER TABLE moods ALTER COLUMN face TYPE mood USING CASE face WHEN ':)' THEN 'happy'::mood ELSE 'sad'::mood END; -- expect: statistics-lost
ALTER TABLE moods ALTER COLUMN code TYPE integer USING 0;
ALTER TABLE moods ALTER COLUMN secret TYPE bytea USING convert_to(secret::text, 'utf-8');
ALTER TABLE moods ALTER COLUMN note TYPE integer USING trim(note)::integer; -- expect: type-narrowed
ALTER TABLE moods ALTER COLUMN glad TYPE mood USING (CASE WHEN glad THEN 'happy' ELSE 'sad' END)::mood;
ALTER TABLE moods ALTER COLUMN word TYPE mood USING CASE WHEN word IN ('sad', 'happy') THEN word::mood ELSE 'sad'::mood END;
ALTER TABLE moods ALTER COLUMN other TYPE mood USING CASE WHEN other <> '' THEN other::mood ELSE 'sad'::mood END; -- expect: type-narrowed
ALTER TABLE moods ALTER COLUMN day TYPE timestamp(3);

-- next migration
-- ANALYZE restores the statistics of the columns that it names
ALTER TABLE moods ALTER COLUMN note TYPE bigint;
ANALYZE moods (note, code);

-- next migration
ALTER TABLE moods ALTER COLUMN note TYPE numeric; -- expect: statistics-lost
ANALYZE moods (code);

-- next migration
CREATE TABLE moods_of_last_year (note text);

-- next migration
DROP TABLE moods_of_last_year; -- migsafe: ignore[drop-table]

-- next migration
ALTER TABLE IF EXISTS moods_of_last_year ALTER COLUMN note TYPE numeric;
