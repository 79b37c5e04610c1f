-- before 17 a value added to a type of the same transaction cannot be used either
CREATE TYPE mood AS ENUM ('sad');
ALTER TYPE mood ADD VALUE 'happy';
CREATE TABLE people (id bigint PRIMARY KEY, mood mood DEFAULT 'sad');
ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'happy'; -- expect: enum-value-used-in-transaction

-- next migration
ALTER TYPE mood ADD VALUE 'angry';
CREATE VIEW angry AS SELECT * FROM people WHERE mood = 'angry'; -- expect: enum-value-used-in-transaction
CREATE INDEX ON people (id) WHERE mood IN ('sad', 'angry'); -- expect: enum-value-used-in-transaction
