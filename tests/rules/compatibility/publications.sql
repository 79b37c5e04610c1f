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

-- next migration
CREATE TABLE parcels (id bigint NOT NULL, code text NOT NULL CONSTRAINT parcels_code_key UNIQUE, lane bigint);
CREATE UNIQUE INDEX parcels_id_idx ON parcels (id);
CREATE INDEX parcels_lane_idx ON parcels (lane);
ALTER TABLE parcels REPLICA IDENTITY USING INDEX parcels_id_idx;
CREATE TABLE sent (id bigint NOT NULL, code text NOT NULL CONSTRAINT sent_code_key UNIQUE);
ALTER TABLE sent REPLICA IDENTITY USING INDEX sent_code_key;

-- next migration
DROP INDEX parcels_lane_idx;
ALTER TABLE parcels DROP CONSTRAINT parcels_code_key; -- expect: drop-constraint
DROP INDEX parcels_id_idx; -- expect: replica-identity-changed
ALTER TABLE sent DROP CONSTRAINT sent_code_key; -- expect: drop-constraint -- expect: replica-identity-changed

-- next migration
CREATE TABLE made (id bigint NOT NULL CONSTRAINT made_id_key UNIQUE);
ALTER TABLE made REPLICA IDENTITY USING INDEX made_id_key;
ALTER TABLE made DROP CONSTRAINT made_id_key;
