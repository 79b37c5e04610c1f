CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer, state text);

-- next migration
DO $$
DECLARE
    changed integer;
BEGIN
    LOOP -- until none is left
        UPDATE parcels SET state = 'new' WHERE id IN (SELECT id FROM parcels WHERE state IS NULL LIMIT 1000); -- expect: backfill-unbatched
        GET DIAGNOSTICS changed = ROW_COUNT;
        EXIT WHEN changed = 0;
    END LOOP;
END $$;
DO $body$
DECLARE
    changed integer := 1;
BEGIN
    WHILE changed > 0 LOOP
        UPDATE parcels SET weight = 1 -- expect: backfill-unbatched
            WHERE ctid IN (SELECT ctid FROM parcels WHERE weight IS NULL LIMIT 1000 FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS changed = ROW_COUNT;
    END LOOP;
END $body$;
DO $$
DECLARE
    changed integer;
BEGIN
    LOOP
        DELETE FROM parcels WHERE id IN (SELECT id FROM parcels WHERE state = 'lost' LIMIT 1000);
        GET DIAGNOSTICS changed = ROW_COUNT;
        EXIT WHEN changed = 0;
    END LOOP;
END $$;
DO $$
BEGIN
    LOOP
        UPDATE parcels SET weight = 2 -- expect: backfill-unbatched
            WHERE id = ANY (ARRAY(SELECT id FROM parcels WHERE weight IS NULL ORDER BY id LIMIT 1000));
        EXIT WHEN NOT FOUND;
    END LOOP;
END $$;
DO $$
BEGIN
    FOR number IN 1 .. 3 LOOP
        UPDATE parcels SET state = 'new' WHERE id IN (SELECT id FROM parcels WHERE state IS NULL LIMIT 1000);
    END LOOP;
    -- not in a loop
    UPDATE parcels SET state = 'new' WHERE id IN (SELECT id FROM parcels WHERE state IS NULL LIMIT 1000);
END $$;
DO $$
DECLARE
    changed integer;
BEGIN
    LOOP
        UPDATE parcels SET state = 'new' WHERE id IN (SELECT id FROM parcels WHERE state IS NULL LIMIT 1000);
        GET DIAGNOSTICS changed = ROW_COUNT;
        COMMIT;
        EXIT WHEN changed = 0;
    END LOOP;
END $$;
UPDATE parcels SET weight = 3 WHERE id = ANY (ARRAY(SELECT id FROM parcels WHERE weight IS NULL)); -- expect: backfill-unbatched
UPDATE parcels SET weight = 3 WHERE id = ANY (ARRAY(SELECT id FROM parcels WHERE state = 'new'));
UPDATE parcels SET weight = 3 WHERE id = ANY (ARRAY[1, 2]);
UPDATE parcels SET weight = 3 WHERE id = ANY (ARRAY[(SELECT min(id) FROM parcels), (SELECT max(id) FROM parcels)]);
