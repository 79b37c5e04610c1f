-- Statements, each with what becomes of its second run on what its first one left: `fails`, `twice` (the schema or the rows change again), or
-- `harmless`. A line that PostgreSQL has only from a version on says `from 15` and so on.

-- relations
CREATE TABLE made (id integer); -- fails
CREATE TABLE IF NOT EXISTS made (id integer); -- harmless
CREATE UNLOGGED TABLE made (id integer); -- fails
CREATE TABLE made AS SELECT 1 AS a; -- fails
CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS a; -- harmless
SELECT 1 AS a INTO made; -- fails
CREATE TABLE made (LIKE orders INCLUDING ALL); -- fails
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); -- fails
CREATE TABLE IF NOT EXISTS events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); -- harmless
CREATE FOREIGN TABLE made (id integer) SERVER far; -- fails
CREATE VIEW made AS SELECT 1 AS a; -- fails
CREATE OR REPLACE VIEW made AS SELECT 1 AS a; -- harmless
CREATE MATERIALIZED VIEW made AS SELECT 1 AS a; -- fails
CREATE MATERIALIZED VIEW IF NOT EXISTS made AS SELECT 1 AS a; -- harmless
REFRESH MATERIALIZED VIEW totals; -- harmless
CREATE SEQUENCE made; -- fails
CREATE SEQUENCE IF NOT EXISTS made; -- harmless
ALTER SEQUENCE numbers INCREMENT BY 10; -- harmless
ALTER SEQUENCE numbers RESTART WITH 100; -- harmless
ALTER SEQUENCE numbers OWNED BY customers.id; -- harmless
CREATE INDEX made ON orders (qty); -- fails
CREATE INDEX IF NOT EXISTS made ON orders (qty); -- harmless
CREATE INDEX ON orders (qty); -- twice
CREATE UNIQUE INDEX ON customers (code); -- twice
CREATE INDEX CONCURRENTLY made ON orders (qty); -- fails
CREATE INDEX CONCURRENTLY IF NOT EXISTS made ON orders (qty); -- harmless
CREATE INDEX CONCURRENTLY ON orders (qty); -- twice
DROP INDEX orders_note_idx; -- fails
DROP INDEX IF EXISTS orders_note_idx; -- harmless
DROP INDEX CONCURRENTLY orders_note_idx; -- fails
DROP INDEX CONCURRENTLY IF EXISTS orders_note_idx; -- harmless
REINDEX INDEX orders_note_idx; -- harmless
DROP TABLE plain; -- fails
DROP TABLE IF EXISTS plain; -- harmless
DROP TABLE plain, counters; -- fails
DROP VIEW seen; -- fails
DROP VIEW IF EXISTS seen; -- harmless
DROP MATERIALIZED VIEW totals; -- fails
DROP SEQUENCE numbers; -- fails
DROP FOREIGN TABLE abroad; -- fails
ALTER TABLE plain RENAME TO ordinary; -- fails
ALTER TABLE IF EXISTS plain RENAME TO ordinary; -- harmless
ALTER INDEX orders_note_idx RENAME TO orders_notes; -- fails
ALTER INDEX IF EXISTS orders_note_idx RENAME TO orders_notes; -- harmless
ALTER VIEW seen RENAME TO looked_at; -- fails
ALTER TABLE plain SET SCHEMA shop; -- fails
ALTER TABLE IF EXISTS plain SET SCHEMA shop; -- harmless
ALTER TABLE plain OWNER TO clerk; -- harmless
ANALYZE orders; -- harmless
VACUUM orders; -- harmless
CLUSTER orders USING orders_id_idx; -- harmless
TRUNCATE plain; -- harmless
COMMENT ON TABLE plain IS 'plain'; -- harmless

-- columns
ALTER TABLE plain ADD COLUMN c integer; -- fails
ALTER TABLE plain ADD COLUMN IF NOT EXISTS c integer; -- harmless
ALTER TABLE plain ADD COLUMN IF NOT EXISTS c integer, ADD COLUMN d integer; -- fails
ALTER TABLE plain ADD COLUMN IF NOT EXISTS c integer UNIQUE; -- harmless
ALTER TABLE plain DROP COLUMN b; -- fails
ALTER TABLE plain DROP COLUMN IF EXISTS b; -- harmless
ALTER TABLE IF EXISTS plain DROP COLUMN b; -- fails
ALTER TABLE IF EXISTS plain DROP COLUMN IF EXISTS b; -- harmless
ALTER TABLE IF EXISTS plain ADD COLUMN more text; -- fails
ALTER TABLE IF EXISTS plain ADD CONSTRAINT plain_check CHECK (b IS NOT NULL); -- fails
ALTER TABLE plain RENAME COLUMN b TO c; -- fails
ALTER TABLE plain DROP COLUMN IF EXISTS b, ADD COLUMN b text; -- harmless
ALTER TABLE plain ALTER COLUMN b SET DEFAULT 'x'; -- harmless
ALTER TABLE orders ALTER COLUMN qty DROP DEFAULT; -- harmless
ALTER TABLE plain ALTER COLUMN b SET NOT NULL; -- harmless
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL; -- harmless
ALTER TABLE plain ALTER COLUMN a TYPE bigint; -- harmless
ALTER TABLE plain ALTER COLUMN a TYPE text USING a::text; -- harmless
ALTER TABLE plain ALTER COLUMN a TYPE text USING (a::varchar)::text; -- harmless
ALTER TABLE orders ALTER COLUMN m TYPE text USING m::text; -- harmless
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'Asia/Tokyo'; -- twice
ALTER TABLE plain ALTER COLUMN b TYPE text[] USING string_to_array(b, ','); -- fails
ALTER TABLE plain ALTER COLUMN b TYPE text[] USING ARRAY[b]; -- twice
ALTER TABLE plain ALTER COLUMN a TYPE integer USING a * 100; -- twice
ALTER TABLE plain ALTER COLUMN a TYPE numeric USING a / 100.0; -- twice
ALTER TABLE plain ALTER COLUMN a TYPE bigint USING coalesce(a, 0); -- harmless
ALTER TABLE plain ALTER COLUMN b TYPE jsonb USING to_jsonb(b); -- harmless
ALTER TABLE plain ALTER COLUMN b TYPE jsonb USING jsonb_build_object('b', b); -- twice
ALTER TABLE plain ALTER COLUMN b TYPE integer USING CASE WHEN b = 'a' THEN 1 ELSE 2 END; -- fails
ALTER TABLE plain ALTER COLUMN b TYPE varchar(20) USING lower(b); -- harmless
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 200; -- harmless
ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL; -- harmless
ALTER TABLE orders ALTER COLUMN note SET COMPRESSION pglz; -- harmless
ALTER TABLE orders ALTER COLUMN note SET (n_distinct = 5); -- harmless
ALTER TABLE orders ALTER COLUMN note RESET (n_distinct); -- harmless
ALTER TABLE orders ALTER COLUMN double DROP EXPRESSION; -- fails
ALTER TABLE orders ALTER COLUMN double DROP EXPRESSION IF EXISTS; -- harmless
ALTER TABLE orders ALTER COLUMN double SET EXPRESSION AS (qty * 3); -- harmless from 17
ALTER TABLE orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY; -- fails
ALTER TABLE customers ALTER COLUMN id SET GENERATED ALWAYS; -- harmless
ALTER TABLE customers ALTER COLUMN id DROP IDENTITY; -- fails
ALTER TABLE customers ALTER COLUMN id DROP IDENTITY IF EXISTS; -- harmless

-- constraints
ALTER TABLE orders ADD CONSTRAINT made CHECK (id > 0); -- fails
ALTER TABLE orders ADD CHECK (id > 0); -- twice
ALTER TABLE orders ADD CONSTRAINT made FOREIGN KEY (customer_id) REFERENCES customers NOT VALID; -- fails
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers; -- twice
ALTER TABLE orders ADD CONSTRAINT made UNIQUE (note); -- fails
ALTER TABLE orders ADD UNIQUE (note); -- twice
ALTER TABLE orders ADD PRIMARY KEY (id); -- fails
ALTER TABLE orders ADD CONSTRAINT made UNIQUE USING INDEX orders_id_idx; -- fails
ALTER TABLE orders ADD CONSTRAINT made EXCLUDE USING btree (id WITH =); -- fails
ALTER TABLE orders ADD EXCLUDE USING btree (id WITH =); -- twice
ALTER TABLE plain ADD CONSTRAINT made NOT NULL b; -- harmless from 18
ALTER TABLE plain ADD NOT NULL b; -- harmless from 18
ALTER TABLE orders DROP CONSTRAINT IF EXISTS made, ADD CONSTRAINT made CHECK (id > 0); -- harmless
ALTER TABLE orders DROP CONSTRAINT qty_positive; -- fails
ALTER TABLE orders DROP CONSTRAINT IF EXISTS qty_positive; -- harmless
ALTER TABLE orders VALIDATE CONSTRAINT qty_positive; -- harmless
ALTER TABLE orders RENAME CONSTRAINT qty_positive TO positive; -- fails
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE; -- harmless

-- what else ALTER TABLE does
ALTER TABLE orders DISABLE TRIGGER orders_touch; -- harmless
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; -- harmless
ALTER TABLE shown DISABLE RULE quiet; -- harmless
ALTER TABLE orders CLUSTER ON orders_id_idx; -- harmless
ALTER TABLE orders SET WITHOUT CLUSTER; -- harmless
ALTER TABLE plain SET UNLOGGED; -- harmless
ALTER TABLE plain SET TABLESPACE pg_default; -- harmless
ALTER TABLE plain SET ACCESS METHOD heap; -- harmless from 15
ALTER TABLE plain SET (fillfactor = 70); -- harmless
ALTER TABLE plain RESET (fillfactor); -- harmless
ALTER TABLE plain REPLICA IDENTITY FULL; -- harmless
ALTER TABLE children NO INHERIT parents; -- fails
ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); -- fails
ALTER TABLE events DETACH PARTITION events_2024; -- fails
ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY; -- fails
ALTER INDEX events_id_idx ATTACH PARTITION events_2024_id; -- harmless
ALTER TABLE abroad OPTIONS (ADD size '1'); -- fails
ALTER TABLE abroad OPTIONS (SET name 'y'); -- harmless
ALTER TABLE abroad OPTIONS (DROP name); -- fails
ALTER FOREIGN TABLE abroad ALTER COLUMN id OPTIONS (ADD size '1'); -- fails

-- types
CREATE TYPE made AS ENUM ('a'); -- fails
CREATE TYPE made AS (a integer); -- fails
CREATE TYPE made AS RANGE (SUBTYPE = integer); -- fails
CREATE DOMAIN made AS integer; -- fails
ALTER TYPE mood ADD VALUE 'fine'; -- fails
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'fine'; -- harmless
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; -- fails
ALTER TYPE mood RENAME TO feeling; -- fails
ALTER TYPE pair ADD ATTRIBUTE c integer; -- fails
ALTER TYPE pair DROP ATTRIBUTE b; -- fails
ALTER TYPE pair DROP ATTRIBUTE IF EXISTS b; -- harmless
ALTER TYPE pair ALTER ATTRIBUTE b TYPE varchar; -- harmless
ALTER TYPE pair RENAME ATTRIBUTE b TO c; -- fails
ALTER DOMAIN small SET DEFAULT 1; -- harmless
ALTER DOMAIN small SET NOT NULL; -- harmless
ALTER DOMAIN small DROP NOT NULL; -- harmless
ALTER DOMAIN small ADD CONSTRAINT made CHECK (VALUE > 0); -- fails
ALTER DOMAIN small ADD CHECK (VALUE > 0); -- twice
ALTER DOMAIN small DROP CONSTRAINT small_check; -- fails
ALTER DOMAIN small DROP CONSTRAINT IF EXISTS small_check; -- harmless
ALTER DOMAIN small VALIDATE CONSTRAINT small_check; -- harmless
ALTER DOMAIN small RENAME CONSTRAINT small_check TO small_enough; -- fails
DROP TYPE pair; -- fails
DROP TYPE IF EXISTS pair; -- harmless
DROP DOMAIN small; -- fails

-- what stands on tables, and code
CREATE FUNCTION made() RETURNS integer LANGUAGE sql AS 'SELECT 1'; -- fails
CREATE OR REPLACE FUNCTION made() RETURNS integer LANGUAGE sql AS 'SELECT 1'; -- harmless
CREATE FUNCTION twice(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1'; -- fails
CREATE PROCEDURE made() LANGUAGE sql AS 'SELECT 1'; -- fails
CREATE OR REPLACE PROCEDURE made() LANGUAGE sql AS 'SELECT 1'; -- harmless
DROP FUNCTION twice(integer); -- fails
DROP FUNCTION IF EXISTS twice(integer); -- harmless
ALTER FUNCTION twice(integer) RENAME TO thrice; -- fails
ALTER FUNCTION twice(integer) STRICT; -- harmless
ALTER FUNCTION twice(integer) SET SCHEMA shop; -- fails
CREATE TRIGGER made AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch(); -- fails
CREATE OR REPLACE TRIGGER made AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch(); -- harmless
CREATE CONSTRAINT TRIGGER made AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch(); -- fails
DROP TRIGGER orders_touch ON orders; -- fails
DROP TRIGGER IF EXISTS orders_touch ON orders; -- harmless
ALTER TRIGGER orders_touch ON orders RENAME TO orders_feel; -- fails
CREATE RULE made AS ON UPDATE TO plain DO INSTEAD NOTHING; -- fails
CREATE OR REPLACE RULE made AS ON UPDATE TO plain DO INSTEAD NOTHING; -- harmless
DROP RULE quiet ON shown; -- fails
CREATE POLICY made ON shown USING (a > 1); -- fails
ALTER POLICY own ON shown USING (a > 2); -- harmless
ALTER POLICY own ON shown RENAME TO mine; -- fails
DROP POLICY own ON shown; -- fails
DROP POLICY IF EXISTS own ON shown; -- harmless
CREATE STATISTICS made ON id, qty FROM orders; -- fails
CREATE STATISTICS IF NOT EXISTS made ON id, qty FROM orders; -- harmless
CREATE STATISTICS ON id, qty FROM orders; -- twice from 16
DROP STATISTICS orders_stats; -- fails
ALTER STATISTICS orders_stats SET STATISTICS 100; -- harmless

-- everything else that has a name
CREATE SCHEMA made; -- fails
CREATE SCHEMA IF NOT EXISTS made; -- harmless
DROP SCHEMA shop; -- fails
DROP SCHEMA IF EXISTS shop; -- harmless
ALTER SCHEMA shop RENAME TO store; -- fails
CREATE EXTENSION IF NOT EXISTS plpgsql; -- harmless
CREATE ROLE made; -- fails
ALTER ROLE clerk SET work_mem = '8MB'; -- harmless
ALTER ROLE clerk NOLOGIN; -- harmless
DROP ROLE helper; -- fails
DROP ROLE IF EXISTS helper; -- harmless
ALTER ROLE helper RENAME TO assistant; -- fails
CREATE PUBLICATION made FOR TABLE orders; -- fails
ALTER PUBLICATION pub ADD TABLE orders; -- fails
ALTER PUBLICATION pub SET TABLE orders; -- harmless
ALTER PUBLICATION pub DROP TABLE shown; -- fails
ALTER PUBLICATION pub SET (publish = 'insert'); -- harmless
DROP PUBLICATION pub; -- fails
CREATE AGGREGATE made (integer) (SFUNC = int4pl, STYPE = integer); -- fails
CREATE OR REPLACE AGGREGATE made (integer) (SFUNC = int4pl, STYPE = integer); -- harmless
DROP AGGREGATE total (integer); -- fails
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq); -- fails
CREATE CAST (mood AS integer) WITH INOUT; -- fails
DROP CAST IF EXISTS (mood AS integer); -- harmless
CREATE COLLATION made FROM "C"; -- fails
CREATE COLLATION IF NOT EXISTS made FROM "C"; -- harmless
CREATE TEXT SEARCH CONFIGURATION made (COPY = simple); -- fails
ALTER TEXT SEARCH CONFIGURATION words ADD MAPPING FOR float WITH simple; -- fails
ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR int WITH simple; -- harmless
ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING IF EXISTS FOR int; -- harmless
CREATE FOREIGN DATA WRAPPER made; -- fails
CREATE SERVER made FOREIGN DATA WRAPPER wrapper; -- fails
CREATE SERVER IF NOT EXISTS made FOREIGN DATA WRAPPER wrapper; -- harmless
ALTER SERVER far OPTIONS (ADD port '1'); -- fails
ALTER SERVER far OPTIONS (SET host 'b'); -- harmless
ALTER SERVER far OPTIONS (DROP host); -- fails
CREATE USER MAPPING FOR helper SERVER far; -- fails
CREATE USER MAPPING IF NOT EXISTS FOR helper SERVER far; -- harmless
DROP USER MAPPING FOR clerk SERVER far; -- fails
ALTER DATABASE postgres SET work_mem = '8MB'; -- harmless
ALTER SYSTEM SET work_mem = '8MB'; -- harmless
GRANT SELECT ON plain TO clerk; -- harmless
REVOKE SELECT ON plain FROM clerk; -- harmless
GRANT helper TO clerk; -- harmless
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO clerk; -- harmless
SET lock_timeout = '2s'; -- harmless
SELECT pg_catalog.set_config('search_path', 'public', false); -- harmless
SELECT setval('numbers', 100); -- harmless
LISTEN news; -- harmless
NOTIFY news; -- harmless

-- rows
INSERT INTO plain VALUES (3, 'c'); -- twice
INSERT INTO plain DEFAULT VALUES; -- twice
INSERT INTO plain SELECT id, note FROM orders; -- twice
INSERT INTO plain SELECT id, note FROM orders WHERE NOT EXISTS (SELECT FROM plain WHERE plain.a = orders.id + 10 OR true); -- harmless
INSERT INTO plain SELECT o.id + 10, o.note FROM orders AS o LEFT JOIN plain AS p ON p.a = o.id + 10 WHERE p.a IS NULL; -- harmless
INSERT INTO plain SELECT 7, 'x' WHERE NOT EXISTS (SELECT 1 FROM plain WHERE a = 7); -- harmless
INSERT INTO plain VALUES (1, 'x') ON CONFLICT DO NOTHING; -- twice
INSERT INTO counters VALUES ('errors', 1); -- fails
INSERT INTO counters (name) SELECT note FROM orders; -- fails
INSERT INTO counters VALUES ('errors', 1) ON CONFLICT DO NOTHING; -- harmless
INSERT INTO counters VALUES ('errors', 1) ON CONFLICT (name) DO UPDATE SET n = EXCLUDED.n; -- harmless
INSERT INTO counters VALUES ('orders', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1; -- twice
INSERT INTO counters VALUES ('orders', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + EXCLUDED.n; -- twice
INSERT INTO customers (name, code) VALUES ('c', 'c'); -- fails
INSERT INTO customers (name) VALUES ('c'); -- twice
INSERT INTO customers (name) VALUES ('c') ON CONFLICT DO NOTHING; -- twice
INSERT INTO customers (name, code) VALUES ('c', 'c') ON CONFLICT DO NOTHING; -- harmless
INSERT INTO customers (id, name) VALUES (200, 'c'); -- fails
INSERT INTO logs (line) VALUES ('y'); -- twice
INSERT INTO logs (line) VALUES ('y') ON CONFLICT DO NOTHING; -- twice
INSERT INTO logs VALUES (100, 'y'); -- fails
INSERT INTO tokens (name) VALUES ('a'); -- twice
INSERT INTO tokens (id, name) VALUES (gen_random_uuid(), 'a'); -- twice
INSERT INTO tokens (id, name) VALUES (gen_random_uuid(), 'a') ON CONFLICT DO NOTHING; -- twice
INSERT INTO tokens (id, name) VALUES ('3f1f8f4e-0000-4000-8000-000000000000', 'a'); -- fails
INSERT INTO tokens (id, name) SELECT gen_random_uuid(), note FROM orders; -- twice
UPDATE counters SET n = 0; -- harmless
UPDATE counters SET n = n + 1; -- twice
UPDATE counters SET n = n * 2 WHERE name = 'orders'; -- twice
UPDATE counters SET n = n + 1 WHERE n > 0; -- twice
UPDATE counters SET n = 9 WHERE n = 5; -- harmless
UPDATE counters SET n = n + 100 WHERE n = 5; -- harmless
UPDATE orders SET note = 'n-' || note; -- twice
UPDATE orders SET note = 'n-' || note WHERE note NOT LIKE 'n-%'; -- harmless
UPDATE orders SET note = concat('n-', note); -- twice
UPDATE orders SET note = lower(note); -- harmless
UPDATE orders SET note = upper(trim(note)); -- harmless
UPDATE orders SET note = coalesce(note, 'none'); -- harmless
UPDATE orders SET note = NULLIF(note, ''); -- harmless
UPDATE orders SET note = replace(note, 'a', 'b'); -- harmless
UPDATE orders SET note = CASE WHEN note = 'a' THEN 'b' ELSE note END; -- harmless
UPDATE orders SET note = qty::text; -- harmless
UPDATE orders SET note = customers.name FROM customers WHERE customers.id = orders.customer_id; -- harmless
UPDATE orders AS o SET qty = o.qty + c.id FROM customers AS c WHERE c.id = o.customer_id; -- twice
UPDATE orders SET qty = (SELECT count(*) FROM customers); -- harmless
UPDATE plain SET a = length(b), b = a::text; -- twice
UPDATE orders SET (qty, note) = (qty + 1, 'x'); -- twice
UPDATE orders SET note = gen_random_uuid()::text; -- twice
UPDATE orders SET note = gen_random_uuid()::text WHERE note IS NULL; -- harmless
UPDATE orders SET id = nextval('numbers') + 100; -- twice
DELETE FROM plain; -- harmless
DELETE FROM orders WHERE qty = 1; -- harmless
MERGE INTO counters AS c USING (VALUES ('errors')) AS v (name) ON c.name = v.name WHEN NOT MATCHED THEN INSERT VALUES (v.name, 1); -- harmless from 15
MERGE INTO counters AS c USING (VALUES ('orders')) AS v (name) ON c.name = v.name WHEN MATCHED THEN UPDATE SET n = c.n + 1; -- twice from 15
MERGE INTO counters AS c USING (VALUES ('orders')) AS v (name) ON c.name = v.name WHEN MATCHED THEN UPDATE SET n = 3; -- harmless from 15
SELECT add_column(); -- fails
SELECT twice(2); -- harmless
COPY plain FROM PROGRAM 'printf "9\tz\n"'; -- twice
COPY counters FROM PROGRAM 'printf "new\t1\n"'; -- fails
COPY plain TO PROGRAM 'cat > /dev/null'; -- harmless

-- in DO blocks
DO $$ BEGIN CREATE TABLE made (id integer); END $$; -- fails
DO $$ BEGIN UPDATE counters SET n = n + 1; END $$; -- twice
DO $$ BEGIN IF to_regclass('made') IS NULL THEN CREATE TABLE made (id integer); END IF; END $$; -- harmless
DO $$ BEGIN CREATE TYPE made AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE TYPE made AS ENUM ('a'); EXCEPTION WHEN others THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE TYPE made AS ENUM ('a'); EXCEPTION WHEN duplicate_table THEN NULL; END $$; -- fails
DO $$ BEGIN ALTER TABLE plain ADD COLUMN c integer; EXCEPTION WHEN duplicate_column THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TABLE plain ADD COLUMN c integer; EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- fails
DO $$ BEGIN ALTER TABLE orders ADD CONSTRAINT made CHECK (id > 0); EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TABLE orders ADD CONSTRAINT made UNIQUE (note); EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- fails
DO $$ BEGIN ALTER TABLE orders ADD CONSTRAINT made UNIQUE (note); EXCEPTION WHEN duplicate_table THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TABLE orders ADD PRIMARY KEY (id); EXCEPTION WHEN invalid_table_definition THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TABLE plain RENAME COLUMN b TO c; EXCEPTION WHEN undefined_column THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TABLE plain RENAME TO ordinary; EXCEPTION WHEN undefined_table THEN NULL; END $$; -- harmless
DO $$ BEGIN DROP TABLE plain; EXCEPTION WHEN undefined_table THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE INDEX made ON orders (qty); EXCEPTION WHEN SQLSTATE '42P07' THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE FUNCTION made() RETURNS integer LANGUAGE sql AS 'SELECT 1'; EXCEPTION WHEN duplicate_function THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE SCHEMA made; EXCEPTION WHEN duplicate_schema THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE TRIGGER made AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch(); EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE POLICY made ON shown USING (a > 1); EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- harmless
DO $$ BEGIN CREATE ROLE made; EXCEPTION WHEN duplicate_object THEN NULL; END $$; -- harmless
DO $$ BEGIN ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$; -- harmless
DO $$ BEGIN INSERT INTO counters VALUES ('errors', 1); EXCEPTION WHEN unique_violation THEN NULL; END $$; -- harmless
