CREATE TABLE versions (version text NOT NULL);
CREATE UNIQUE INDEX versions_one_row ON versions ((version IS NOT NULL));
CREATE TABLE settings (only_row boolean NOT NULL DEFAULT true UNIQUE CHECK (only_row), colour text);
CREATE TABLE tokens (token text NOT NULL UNIQUE); -- expect: table-without-primary-key
CREATE TABLE notes (line text UNIQUE); -- expect: table-without-primary-key
CREATE TABLE scratch AS SELECT * FROM notes;
CREATE TEMPORARY TABLE copies AS SELECT * FROM notes;
DROP TABLE scratch;
CREATE TABLE legs (day date NOT NULL, lane bigint) PARTITION BY RANGE (day); -- expect: table-without-primary-key
CREATE TABLE legs_2025 (day date NOT NULL, lane bigint);
ALTER TABLE legs ATTACH PARTITION legs_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
