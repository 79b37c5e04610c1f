CREATE TABLE keyed (id bigint PRIMARY KEY, region text, note text);
CREATE TABLE whole (id bigint, region text);
ALTER TABLE whole REPLICA IDENTITY FULL;

-- next migration
CREATE PUBLICATION one FOR TABLE keyed WHERE (id > 100);
CREATE PUBLICATION two FOR TABLE keyed WHERE (region = 'eu'); -- expect: published-without-identity
CREATE PUBLICATION three FOR TABLE keyed (region); -- expect: published-without-identity
CREATE PUBLICATION four FOR TABLE keyed (id, region);
CREATE PUBLICATION five FOR TABLE keyed WHERE (region = 'eu') WITH (publish = 'insert');
CREATE PUBLICATION six FOR TABLE whole WHERE (region = 'eu');
ALTER PUBLICATION six SET TABLE whole (id); -- expect: published-without-identity
ALTER PUBLICATION six ADD TABLE keyed WHERE (note IS NOT NULL AND id > 5); -- expect: published-without-identity

-- next migration
BEGIN;
CREATE PUBLICATION seven FOR TABLE keyed WHERE (region = 'eu');
ALTER TABLE keyed REPLICA IDENTITY FULL; -- expect: replica-identity-changed
COMMIT;
