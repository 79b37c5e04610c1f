CREATE TABLE parcels (id bigint PRIMARY KEY, weight integer, state text);
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parcel record;
BEGIN
    FOR parcel IN SELECT id FROM parcels LOOP
        UPDATE parcels SET weight = 1 WHERE id = parcel.id;
    END LOOP;
END $$;
CREATE FUNCTION fill_one(parcel_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE parcels SET weight = 1 WHERE id = parcel_id;
END $$;
CREATE PROCEDURE fill_in_batches() LANGUAGE plpgsql AS $$
DECLARE
    parcel record;
BEGIN
    FOR parcel IN SELECT id FROM parcels LOOP
        UPDATE parcels SET weight = 1 WHERE id = parcel.id;
        COMMIT;
    END LOOP;
END $$;

-- next migration
SELECT fill(); -- expect: backfill-unbatched
SELECT fill_one(7);
CALL fill_in_batches();
DO $$
DECLARE
    parcel record;
BEGIN
    FOR parcel IN SELECT id, weight FROM parcels LOOP
        IF parcel.weight > 3 THEN
            UPDATE parcels SET state = 'heavy' WHERE id = parcel.id; -- expect: backfill-unbatched
        ELSE
            UPDATE parcels SET state = 'light' WHERE id = parcel.id;
        END IF;
    END LOOP;
END $$;
DO $$
DECLARE
    parcel record;
BEGIN
    FOR parcel IN SELECT id FROM parcels p WHERE p.state IS NULL ORDER BY id LOOP
        UPDATE parcels SET state = 'new' WHERE id = parcel.id; -- expect: backfill-unbatched
    END LOOP;
    FOR parcel IN SELECT id FROM parcels WHERE weight IS NULL LOOP
        UPDATE parcels SET state = 'unknown' WHERE id = parcel.id;
    END LOOP;
    FOR parcel IN SELECT id FROM parcels WHERE state IS NULL AND weight > 5 LOOP
        UPDATE parcels SET state = 'heavy' WHERE id = parcel.id;
    END LOOP;
    FOR parcel IN SELECT id FROM parcels WHERE state IS NULL LIMIT 100 LOOP
        UPDATE parcels SET state = 'late' WHERE id = parcel.id;
    END LOOP;
END $$;
