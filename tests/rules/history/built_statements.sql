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
