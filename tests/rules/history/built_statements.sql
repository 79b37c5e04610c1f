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
