CREATE TABLE riders (id bigint PRIMARY KEY, zone text, town text, seen date);
CREATE TABLE towns (name text PRIMARY KEY, zone text);

-- next migration
BEGIN;
CREATE TEMP TABLE picked ON COMMIT DROP AS SELECT id FROM riders WHERE seen < '2020-01-01';
DELETE FROM riders WHERE id IN (SELECT id FROM picked);
CREATE TEMP TABLE every AS SELECT id FROM riders;
DELETE FROM riders WHERE id IN (SELECT id FROM every); -- expect: backfill-unbatched
COMMIT;

-- next migration
BEGIN;
CREATE TEMP TABLE names (old text, new text);
INSERT INTO names VALUES ('a', 'b'), ('c', 'd');
UPDATE riders SET town = names.new FROM names WHERE riders.town = names.old;
CREATE TEMP TABLE unzoned AS SELECT id, 'x' AS zone FROM riders WHERE zone IS NULL;
UPDATE riders SET zone = unzoned.zone FROM unzoned WHERE riders.id = unzoned.id; -- expect: backfill-unbatched
INSERT INTO names SELECT name, name FROM towns;
UPDATE riders SET town = names.new FROM names WHERE riders.town = names.old; -- expect: backfill-unbatched
UPDATE riders SET zone = towns.zone FROM towns WHERE riders.town = towns.name; -- expect: backfill-unbatched
COMMIT;
