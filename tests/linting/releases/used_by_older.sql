-- 001_parcels.sql at the revision
CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id bigint);
-- 001_parcels.sql now
CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id bigint);
-- 002_counts.sql now
CREATE TABLE parcel_counts (day date PRIMARY KEY, parcels integer NOT NULL);
CREATE TABLE parcel_notes (parcel_id bigint PRIMARY KEY, note text);
CREATE FUNCTION count_parcel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO parcel_counts VALUES (current_date, 1) ON CONFLICT (day) DO UPDATE SET parcels = parcel_counts.parcels + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER count_parcel AFTER INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION count_parcel();
-- 003_indexes.sql now
CREATE INDEX parcel_counts_parcels_idx ON parcel_counts (parcels); -- expect: index-not-concurrent
CREATE INDEX parcel_notes_note_idx ON parcel_notes (note);
