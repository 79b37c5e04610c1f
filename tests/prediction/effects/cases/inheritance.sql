-- Inheritance.

-- case: inherit
ALTER TABLE cats INHERIT animals;
-- case: inherit, a column is missing
-- refused
ALTER TABLE loose INHERIT animals;
-- case: inherit from a child
CREATE TABLE strays (id int, name text, legs int CONSTRAINT animals_legs_check CHECK (legs >= 0), breed text);
ALTER TABLE strays INHERIT dogs;
-- case: no longer inherit
ALTER TABLE dogs NO INHERIT animals;
-- case: no longer inherit, a leaf
ALTER TABLE puppies NO INHERIT dogs;
-- case: no longer inherit what it does not
-- refused
ALTER TABLE cats NO INHERIT animals;
-- case: create a child
CREATE TABLE birds (wings int) INHERITS (animals);
-- case: create a child of two
CREATE TABLE chimeras () INHERITS (dogs, cats);
-- case: create a child of a partitioned table
-- refused
CREATE TABLE v () INHERITS (visits);
-- case: drop the parent
-- refused
DROP TABLE animals;
-- case: drop the parent, cascade
DROP TABLE animals CASCADE;
-- case: drop a child
DROP TABLE puppies;
-- case: truncate the parent
TRUNCATE animals;
-- case: truncate only the parent
TRUNCATE ONLY animals;
-- case: truncate the parent with a star
TRUNCATE animals *;
-- case: rename a column
ALTER TABLE animals RENAME COLUMN name TO title;
-- case: rename a column of only the parent
-- refused
ALTER TABLE ONLY animals RENAME COLUMN name TO title;
-- case: rename an inherited column
-- refused
ALTER TABLE dogs RENAME COLUMN name TO title;
-- case: rename a child's own column
ALTER TABLE dogs RENAME COLUMN breed TO race;
-- case: rename the parent
ALTER TABLE animals RENAME TO beasts;
-- case: schema
ALTER TABLE animals SET SCHEMA archive;
-- case: owner
ALTER TABLE animals OWNER TO clerk;
-- case: options
ALTER TABLE animals SET (fillfactor = 80);
-- case: logged
ALTER TABLE animals SET UNLOGGED;
-- case: a trigger
CREATE TRIGGER t BEFORE INSERT ON animals FOR EACH ROW EXECUTE FUNCTION touch();
-- case: row security
ALTER TABLE animals ENABLE ROW LEVEL SECURITY;
-- case: replica identity
ALTER TABLE animals REPLICA IDENTITY NOTHING;
-- case: vacuum
VACUUM animals;
-- case: vacuum only the parent
-- versions: 18-
VACUUM ONLY animals;
-- case: vacuum fully
VACUUM FULL animals;
-- case: analyze
ANALYZE animals;
-- case: lock
LOCK TABLE animals IN SHARE MODE;
-- case: lock only the parent
LOCK TABLE ONLY animals IN SHARE MODE;
-- case: lock a child
LOCK TABLE dogs;
-- case: reindex
REINDEX TABLE animals;
-- case: select
SELECT count(*) FROM animals;
-- case: select from only the parent
SELECT count(*) FROM ONLY animals;
-- case: update
UPDATE animals SET legs = 4;
-- case: update only the parent
UPDATE ONLY animals SET legs = 4;
-- case: delete
DELETE FROM animals;
-- case: delete from only the parent
DELETE FROM ONLY animals;
-- case: insert
INSERT INTO animals VALUES (1, 'x', 4);
-- case: copy
COPY animals TO '/dev/null';
-- case: drop a constraint and its column
ALTER TABLE animals DROP CONSTRAINT animals_legs_check, DROP COLUMN legs;
-- case: several parts
ALTER TABLE animals ADD COLUMN x int, ALTER COLUMN name SET NOT NULL, ADD CHECK (id > 0) NOT VALID;
