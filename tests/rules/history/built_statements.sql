CREATE TABLE parcels (id bigint PRIMARY KEY);

-- next migration
DO $$
DECLARE
    partner text := current_setting('app.partner');
    old record;
BEGIN
    EXECUTE 'CREATE ROLE ' || partner || ' NOLOGIN';
    EXECUTE format('GRANT SELECT ON parcels TO %I', partner);
    FOR old IN SELECT relname FROM pg_class WHERE relname LIKE 'parcels_%' LOOP
        EXECUTE 'DROP TABLE ' || old.relname; -- expect: opaque-code
        EXECUTE 'ALTER TABLE ' || old.relname || '_copy RENAME TO ' || old.relname;
    END LOOP;
END $$;

-- next migration
-- only what failed builds have left
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid LOOP
        EXECUTE format('DROP INDEX %s', name);
    END LOOP;
    FOR name IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'orders'::regclass LOOP
        EXECUTE 'DROP INDEX ' || name || '; ALTER TABLE orders DROP COLUMN a'; -- expect: opaque-code
    END LOOP;
END $$;

-- next migration
-- a query that only reads
DO $$
DECLARE
    checked record;
    rows bigint;
BEGIN
    FOR checked IN SELECT * FROM (VALUES ('parcels', 'depot')) AS names (child, parent) LOOP
        EXECUTE format('SELECT count(*) FROM %I AS c JOIN public.%I AS p ON p.id = c.%I WHERE p.name = %L', checked.child, 'a', checked.parent, 'x') INTO rows;
        EXECUTE 'SELECT max(id) FROM ' || quote_ident(checked.child) INTO rows;
    END LOOP;
END $$;

-- next migration
DO $$
DECLARE expression text := current_setting('app.expression');
BEGIN
    EXECUTE format('SELECT %s FROM parcels', expression); -- expect: opaque-code
END $$;

-- next migration
DO $$
DECLARE name text := current_setting('app.name');
BEGIN
    EXECUTE format('SELECT tidy(%L)', name); -- expect: opaque-code
END $$;

-- next migration
DO $$
DECLARE name text := current_setting('app.name');
BEGIN
    EXECUTE format('SELECT 1 FROM %I FOR UPDATE', name); -- expect: opaque-code
END $$;

-- next migration
-- the value of a default, which only the server knows, changes nothing
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
    EXECUTE format('ALTER TABLE courses ALTER COLUMN %I SET DEFAULT %L', name, chosen); -- expect: opaque-code
END $$;
COMMIT;
