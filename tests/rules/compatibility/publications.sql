CREATE TABLE keyed (id bigint PRIMARY KEY);
CREATE TABLE plain (a int, b int NOT NULL);
CREATE TABLE whole (a int);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE by_index (a int NOT NULL CONSTRAINT by_index_a_key UNIQUE);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a_key;
CREATE PUBLICATION existing;

-- next migration
CREATE PUBLICATION one FOR TABLE keyed, whole, by_index;
CREATE PUBLICATION two FOR TABLE plain; -- expect: published-without-identity
CREATE PUBLICATION three FOR TABLE plain WITH (publish = 'insert, truncate');
CREATE PUBLICATION four FOR TABLE unknown;
CREATE PUBLICATION five FOR ALL TABLES; -- expect: published-without-identity
ALTER PUBLICATION existing ADD TABLE keyed, plain; -- expect: published-without-identity

-- next migration
CREATE TABLE later (a int);
CREATE PUBLICATION six FOR TABLE later;

-- next migration
BEGIN;
CREATE PUBLICATION seven FOR TABLE later;
ALTER TABLE later REPLICA IDENTITY FULL; -- expect: replica-identity-changed
COMMIT;
