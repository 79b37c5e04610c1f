-- 15: MERGE
MERGE INTO item USING other ON item.id = other.id WHEN MATCHED THEN DELETE

-- 15: MERGE
WITH m AS (SELECT 1 AS id) MERGE INTO item USING m ON item.id = m.id WHEN NOT MATCHED THEN DO NOTHING

-- 15: NULLS [NOT] DISTINCT
ALTER TABLE item ADD UNIQUE NULLS NOT DISTINCT (note)

-- 15: NULLS [NOT] DISTINCT
CREATE UNIQUE INDEX ON item (note) NULLS NOT DISTINCT

-- 15: NULLS [NOT] DISTINCT
CREATE TABLE fresh (note text UNIQUE NULLS DISTINCT)

-- 15: a list of columns after ON DELETE SET NULL or SET DEFAULT
ALTER TABLE other ADD FOREIGN KEY (qty, id) REFERENCES pair ON DELETE SET NULL (qty)

-- 15: an unlogged sequence
CREATE UNLOGGED SEQUENCE numbers

-- 15: an unlogged sequence
ALTER SEQUENCE item_seq SET UNLOGGED

-- 15: SET ACCESS METHOD
ALTER TABLE item SET ACCESS METHOD heap

-- 15: a row filter of a publication
CREATE PUBLICATION p FOR TABLE item WHERE (id > 1)

-- 15: a column list of a publication
CREATE PUBLICATION p FOR TABLE item (id, note)

-- 15: TABLES IN SCHEMA
CREATE PUBLICATION p FOR TABLES IN SCHEMA public

-- 15: GRANT … ON PARAMETER
GRANT SET ON PARAMETER work_mem TO reader

-- 15: ALTER SUBSCRIPTION … SKIP
ALTER SUBSCRIPTION s SKIP (lsn = '0/1')

-- 15: ALTER DATABASE … REFRESH COLLATION VERSION
ALTER DATABASE model REFRESH COLLATION VERSION

-- 15: a negative scale of numeric, or one above its precision
ALTER TABLE item ADD weight numeric(3, -2)

-- 15: a negative scale of numeric, or one above its precision
SELECT 0.00001::numeric(2, 5)

-- 15: HEADER of COPY in text format
COPY item TO STDOUT WITH (HEADER)

-- 15: the value match of the option header of COPY
COPY item FROM PROGRAM 'echo id,note' WITH (FORMAT csv, HEADER match)

-- 15: the option security_invoker of a view
CREATE VIEW v WITH (security_invoker = true) AS SELECT 1 AS one

-- 15: the option security_invoker of a view
ALTER VIEW notes SET (security_invoker)

-- 15: the predefined role pg_checkpoint
GRANT pg_checkpoint TO reader

-- 16: a subquery in FROM without an alias
SELECT * FROM (SELECT 1 AS a)

-- 16: a subquery in FROM without an alias
CREATE VIEW v AS SELECT * FROM item, (VALUES (1))

-- 16: IS JSON
ALTER TABLE item ADD CHECK (note IS JSON OBJECT)

-- 16: SYSTEM_USER
ALTER TABLE item ALTER note SET DEFAULT SYSTEM_USER

-- 16: CREATE STATISTICS without a name
CREATE STATISTICS ON id, note FROM item

-- 16: STORAGE in the definition of a column
CREATE TABLE fresh (note text STORAGE external)

-- 16: SET STORAGE DEFAULT
ALTER TABLE item ALTER note SET STORAGE DEFAULT

-- 16: GRANT role … WITH INHERIT, SET or ADMIN and a value
GRANT writer TO reader WITH INHERIT FALSE

-- 16: REVOKE INHERIT | SET OPTION FOR
REVOKE INHERIT OPTION FOR owner FROM reader

-- 16: REINDEX DATABASE or SYSTEM without a name
REINDEX DATABASE

-- 16: [NO] INDENT of XMLSERIALIZE
CREATE VIEW v AS SELECT XMLSERIALIZE(DOCUMENT x AS text INDENT) FROM (SELECT NULL::xml AS x) AS s

-- 16: JSON_OBJECT with keys and values
SELECT JSON_OBJECT('a': 1)

-- 16: JSON_ARRAY
SELECT JSON_ARRAY(1, 2)

-- 16: JSON_OBJECTAGG
SELECT JSON_OBJECTAGG(note: id) FROM item

-- 16: JSON_ARRAYAGG
SELECT JSON_ARRAYAGG(id) FROM item

-- 16: the option default of COPY
COPY item FROM '/dev/null' WITH (DEFAULT 'x')

-- 16: the option process_main of VACUUM
VACUUM (PROCESS_MAIN) item

-- 16: the option skip_database_stats of VACUUM
VACUUM (SKIP_DATABASE_STATS) item

-- 16: the option only_database_stats of VACUUM
VACUUM (ONLY_DATABASE_STATS)

-- 16: the option buffer_usage_limit of VACUUM
VACUUM (BUFFER_USAGE_LIMIT '1MB') item

-- 16: the option buffer_usage_limit of ANALYZE
ANALYZE (BUFFER_USAGE_LIMIT '1MB') item

-- 16: the option generic_plan of EXPLAIN
EXPLAIN (GENERIC_PLAN) SELECT 1

-- 16: the predefined role pg_create_subscription
GRANT pg_create_subscription TO reader

-- 16: the predefined role pg_use_reserved_connections
GRANT pg_use_reserved_connections TO reader

-- 17: WHEN NOT MATCHED BY
MERGE INTO item USING other ON item.id = other.id WHEN NOT MATCHED BY SOURCE THEN DELETE

-- 17: MERGE … RETURNING
MERGE INTO item USING other ON item.id = other.id WHEN MATCHED THEN DELETE RETURNING item.id

-- 17: MERGE_ACTION()
MERGE INTO item USING other ON item.id = other.id WHEN MATCHED THEN DELETE RETURNING merge_action()

-- 17: ALTER COLUMN … SET EXPRESSION
ALTER TABLE computed ALTER double SET EXPRESSION AS (id * 3)

-- 17: SET STATISTICS DEFAULT
ALTER TABLE item ALTER note SET STATISTICS DEFAULT

-- 17: SET ACCESS METHOD DEFAULT
ALTER TABLE item SET ACCESS METHOD DEFAULT

-- 17: USING on a partitioned table
CREATE TABLE fresh (a int) PARTITION BY RANGE (a) USING heap

-- 17: an exclusion constraint of a partitioned table
CREATE TABLE fresh (a int, EXCLUDE USING btree (a WITH =)) PARTITION BY RANGE (a)

-- 17: the privilege MAINTAIN
GRANT MAINTAIN ON item TO reader

-- 17: the predefined role pg_maintain
GRANT pg_maintain TO reader

-- 17: AT LOCAL
SELECT now() AT LOCAL

-- 17: JSON_TABLE
SELECT * FROM JSON_TABLE('[1]'::jsonb, '$[*]' COLUMNS (a int PATH '$'))

-- 17: JSON_SCALAR
SELECT JSON_SCALAR(1)

-- 17: JSON_SERIALIZE
SELECT JSON_SERIALIZE('1'::json)

-- 17: JSON_EXISTS
ALTER TABLE item ADD CHECK (JSON_EXISTS(note::jsonb, '$.a'))

-- 17: JSON_QUERY
SELECT JSON_QUERY('[1]'::jsonb, '$')

-- 17: JSON_VALUE
CREATE INDEX ON item ((JSON_VALUE(note::jsonb, '$.a')))

-- 17: an event trigger ON login
CREATE EVENT TRIGGER entered ON login EXECUTE FUNCTION on_login()

-- 17: ALTER OPERATOR … SET (COMMUTATOR, NEGATOR, HASHES, MERGES)
ALTER OPERATOR === (int, int) SET (COMMUTATOR = ===)

-- 17: FORCE_NULL or FORCE_NOT_NULL with *
COPY item FROM '/dev/null' WITH (FORMAT csv, FORCE_NULL *)

-- 17: FORCE_NULL or FORCE_NOT_NULL with *
COPY item FROM '/dev/null' WITH CSV FORCE NOT NULL *

-- 17: random(min, max)
SELECT random(1, 6)

-- 17: the option on_error of COPY
COPY item FROM '/dev/null' WITH (ON_ERROR ignore)

-- 17: the option log_verbosity of COPY
COPY item FROM '/dev/null' WITH (LOG_VERBOSITY verbose)

-- 17: the option memory of EXPLAIN
EXPLAIN (MEMORY) SELECT 1

-- 17: the option serialize of EXPLAIN
EXPLAIN (ANALYZE, SERIALIZE) SELECT 1

-- 17: the value builtin of the option provider of CREATE COLLATION
CREATE COLLATION plain (PROVIDER = builtin, LOCALE = 'C')

-- 17: the option failover of a subscription
CREATE SUBSCRIPTION t CONNECTION 'dbname=model' PUBLICATION p WITH (connect = false, failover = false)

-- 18: a generated column without STORED
ALTER TABLE item ADD double int GENERATED ALWAYS AS (id * 2) VIRTUAL

-- 18: a generated column without STORED
CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a + 1))

-- 18: [NOT] ENFORCED
ALTER TABLE item ADD CHECK (id > 0) NOT ENFORCED

-- 18: [NOT] ENFORCED
ALTER TABLE item ADD FOREIGN KEY (id) REFERENCES item ENFORCED

-- 18: [NOT] ENFORCED
ALTER TABLE other ALTER CONSTRAINT other_parent_fkey NOT ENFORCED

-- 17: NOT NULL as a constraint that is added to a domain
ALTER DOMAIN label ADD CONSTRAINT filled NOT NULL

-- 18: NOT NULL as a constraint of the table
ALTER TABLE item ADD CONSTRAINT item_note NOT NULL note NOT VALID

-- 18: NOT NULL as a constraint of the table
CREATE TABLE fresh (a int, CONSTRAINT filled NOT NULL a)

-- 18: NOT NULL NO INHERIT
CREATE TABLE fresh (a int NOT NULL NO INHERIT)

-- 18: ALTER CONSTRAINT … [NO] INHERIT
ALTER TABLE named ALTER CONSTRAINT named_note NO INHERIT

-- 18: WITHOUT OVERLAPS
CREATE TABLE fresh (id int4range, span int4range, UNIQUE (id, span WITHOUT OVERLAPS))

-- 18: PERIOD in a foreign key
ALTER TABLE spans ADD FOREIGN KEY (id, PERIOD span) REFERENCES spans (id, PERIOD span)

-- 18: OLD and NEW in RETURNING
UPDATE item SET note = '' RETURNING old.note, new.note

-- 18: OLD and NEW in RETURNING
DELETE FROM item RETURNING WITH (OLD AS o) o.note

-- 18: VACUUM or ANALYZE with ONLY
VACUUM ONLY item

-- 18: VACUUM or ANALYZE with ONLY
ANALYZE ONLY item

-- 18: CREATE FOREIGN TABLE … (LIKE …)
CREATE FOREIGN TABLE fresh (LIKE item) SERVER far

-- 18: ALTER DEFAULT PRIVILEGES … ON LARGE OBJECTS
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO reader

-- 18: the option reject_limit of COPY -- 17: the option on_error of COPY
COPY item FROM '/dev/null' WITH (ON_ERROR ignore, REJECT_LIMIT 2)

-- 18: the value silent of the option log_verbosity of COPY
COPY item FROM '/dev/null' WITH (LOG_VERBOSITY silent)

-- 18: the option publish_generated_columns of a publication
CREATE PUBLICATION p FOR TABLE item WITH (publish_generated_columns = stored)

-- 18: the option autovacuum_vacuum_max_threshold of a table
ALTER TABLE item SET (autovacuum_vacuum_max_threshold = 1000)

-- 18: the option vacuum_max_eager_freeze_failure_rate of a table
CREATE TABLE fresh (a int) WITH (vacuum_max_eager_freeze_failure_rate = 0.1)

-- 18: the predefined role pg_signal_autovacuum_worker
GRANT pg_signal_autovacuum_worker TO reader

-- 19: ON CONFLICT … DO SELECT
INSERT INTO item (id) VALUES (1) ON CONFLICT (id) DO SELECT RETURNING id

-- 19: IGNORE NULLS or RESPECT NULLS of a window function
SELECT lag(note) IGNORE NULLS OVER (ORDER BY id) FROM item

-- 19: CHECKPOINT with options
CHECKPOINT (MODE fast)

-- 19: ALL SEQUENCES in a publication
CREATE PUBLICATION p FOR ALL SEQUENCES

-- 19: EXCEPT in a publication
CREATE PUBLICATION p FOR ALL TABLES EXCEPT (TABLE item)

-- 19: CREATE SUBSCRIPTION … SERVER
CREATE SUBSCRIPTION t SERVER far PUBLICATION p WITH (connect = false)

-- 19: ALTER SUBSCRIPTION … REFRESH SEQUENCES
ALTER SUBSCRIPTION s REFRESH SEQUENCES

-- 19: a number of header lines in COPY
COPY item FROM '/dev/null' WITH (FORMAT csv, HEADER 2)

-- 19: REPACK
REPACK item

-- 19: REPACK
REPACK (CONCURRENTLY) item USING INDEX item_pkey

-- 19: WAIT FOR
WAIT FOR LSN '0/1'

-- 19: ALTER TABLE … MERGE PARTITIONS
ALTER TABLE parts MERGE PARTITIONS (parts_1, parts_2) INTO parts_12

-- 19: ALTER TABLE … SPLIT PARTITION
ALTER TABLE parts SPLIT PARTITION parts_1 INTO (PARTITION parts_1a FOR VALUES FROM (0) TO (5), PARTITION parts_1b FOR VALUES FROM (5) TO (10))

-- 19: REPACK
REPACK (VERBOSE, ANALYZE) item (note)

-- 19: REPACK
REPACK USING INDEX

-- 19: FOR PORTION OF
UPDATE spans FOR PORTION OF span FROM 1 TO 5 AS i SET id = '[1,2)' WHERE id = '[2,3)'

-- 19: FOR PORTION OF
DELETE FROM spans FOR PORTION OF span (int4range(1, 5))

-- 19: WAIT FOR
WAIT FOR LSN '0/1' WITH (MODE 'standby_flush', TIMEOUT '10s', NO_THROW)

-- 19: a property graph
CREATE PROPERTY GRAPH shop VERTEX TABLES (item)

-- 19: a property graph
DROP PROPERTY GRAPH IF EXISTS shop

-- 19: a property graph
ALTER PROPERTY GRAPH shop ADD VERTEX TABLES (other)

-- 19: a property graph
GRANT SELECT ON PROPERTY GRAPH shop TO reader

-- 19: a property graph
SELECT note FROM GRAPH_TABLE (shop MATCH (i IS item WHERE i.id > 1)-[IS sold]->(o IS "other") COLUMNS (i.note AS note)) AS sold (note) JOIN item USING (note)

-- 19: a property graph
CREATE VIEW sold AS SELECT n FROM GRAPH_TABLE (shop MATCH (a)<-[e]-(b) COLUMNS (count(*) AS n))

-- 19: CONNECTION of a foreign-data wrapper
CREATE FOREIGN DATA WRAPPER w NO HANDLER CONNECTION postgres_fdw_connection

-- 19: CONNECTION of a foreign-data wrapper
ALTER FOREIGN DATA WRAPPER nothing NO CONNECTION

-- 19: ALTER SUBSCRIPTION … SERVER
ALTER SUBSCRIPTION s SERVER far

-- 19: this kind of object inside CREATE SCHEMA
CREATE SCHEMA app CREATE TYPE mood AS ENUM ('good') CREATE TABLE person (mood mood)

-- 19: this kind of object inside CREATE SCHEMA
CREATE SCHEMA app CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1
