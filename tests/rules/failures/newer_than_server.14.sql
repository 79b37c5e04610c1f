CREATE TABLE item (id bigint PRIMARY KEY, note text, due date);
CREATE TABLE delivery (id bigint, item_id bigint);
ALTER TABLE item ADD UNIQUE NULLS NOT DISTINCT (note); -- expect: newer-than-server
CREATE VIEW notes WITH (security_invoker = true) AS SELECT note FROM item; -- expect: newer-than-server
MERGE INTO item USING delivery AS d ON item.id = d.item_id WHEN MATCHED THEN DELETE; -- expect: newer-than-server
SELECT count(*) FROM (SELECT 1 FROM item); -- expect: newer-than-server
SELECT count(*) FROM (SELECT 1 FROM item) AS counted;
SET transaction_timeout = 0; -- expect: newer-than-server
ALTER ROLE app SET transaction_timeout = '1min'; -- expect: newer-than-server
SET app.transaction_timeout = 0;

-- next migration
SELECT json_object('{a, b}', '{1, 2}'), json_object('a': note) FROM item; -- expect: newer-than-server

-- next migration
-- A branch may have asked for the version. The statements of a body are parsed even if they never run.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'ALTER TABLE item ADD CONSTRAINT due_set NOT NULL due NOT VALID';
        SET transaction_timeout = 0;
    END IF;
    EXECUTE 'ALTER TABLE item ADD CONSTRAINT due_set NOT NULL due NOT VALID'; -- expect: newer-than-server
END $$;
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        ALTER TABLE item ADD CONSTRAINT due_set NOT NULL due NOT VALID; -- expect: newer-than-server
    END IF;
END $$;

-- next migration
CREATE FUNCTION upsert() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'MERGE INTO item USING delivery AS d ON item.id = d.item_id WHEN MATCHED THEN DELETE';
    MERGE INTO item USING delivery AS d ON item.id = d.item_id WHEN MATCHED THEN DELETE; -- expect: newer-than-server
END $$;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM (SELECT 1 FROM item)'; -- expect: newer-than-server
CREATE FUNCTION called() RETURNS uuid LANGUAGE plpgsql AS 'BEGIN RETURN uuidv7(); END';
SET check_function_bodies = off;
CREATE FUNCTION unchecked() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM (SELECT 1 FROM item)';
