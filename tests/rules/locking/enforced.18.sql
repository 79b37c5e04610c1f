CREATE TABLE roads (id bigint PRIMARY KEY);
CREATE TABLE towns (id bigint PRIMARY KEY, road_id bigint, n int);
ALTER TABLE towns ADD CONSTRAINT road FOREIGN KEY (road_id) REFERENCES roads NOT ENFORCED;

-- next migration
ALTER TABLE towns ALTER CONSTRAINT road ENFORCED; -- expect: foreign-key-validates
ALTER TABLE towns ALTER CONSTRAINT road ENFORCED;
ALTER TABLE towns ALTER CONSTRAINT road DEFERRABLE;
