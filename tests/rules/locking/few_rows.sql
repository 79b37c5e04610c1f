CREATE TABLE versions (version text NOT NULL);
CREATE UNIQUE INDEX versions_one_row ON versions ((version IS NOT NULL));
CREATE TABLE settings (only_row boolean PRIMARY KEY CHECK (only_row), colour text);
CREATE TABLE limits (name text PRIMARY KEY CHECK (name IN ('users', 'teams')), value integer);
CREATE TABLE users (name text UNIQUE CHECK (name <> ''), value integer);

-- next migration
UPDATE versions SET version = '2';
UPDATE settings SET colour = 'green';
DELETE FROM limits;
UPDATE users SET value = 0; -- expect: backfill-unbatched
ALTER TABLE limits DROP CONSTRAINT limits_name_check, ADD CHECK (name IN ('users', 'teams', 'guests'));
ALTER TABLE users ADD CHECK (value IN (0, 1)); -- expect: check-validates
